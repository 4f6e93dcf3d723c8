//! The corpus of malformed recordings in `tests/security/corpus`: each is refused for what is wrong with it, or
//! read where it only lies about sizes that need not be believed.

use std::collections::BTreeMap;
use std::path::Path;

use callqa_audio::Limits;

use crate::signal::decode;

/// What each file is refused with; empty where it is read.
const EXPECTED: &[(&str, &str)] = &[
    ("flac-655350-hz.flac", "sample_rate_out_of_range"),
    ("flac-a-year-long.flac", "too_long"),
    ("flac-block-of-nought.flac", "corrupt"),
    ("flac-comment-of-4-gib.flac", "truncated"),
    ("flac-eight-channels.flac", "too_many_channels"),
    ("flac-frames-of-noise.flac", "truncated"),
    ("flac-marker-alone.flac", "corrupt"),
    ("flac-no-streaminfo.flac", "corrupt"),
    ("flac-picture-of-16-mib.flac", "truncated"),
    ("flac-seek-table-of-16-mib.flac", "truncated"),
    ("gzip-bomb-begins.gz", "not_audio"),
    ("html-of-a-login-page.html", "not_audio"),
    ("mp3-free-bit-rate.mp3", "not_audio"),
    ("mp3-headers-without-frames.mp3", ""),
    ("mp3-tag-alone.mp3", "not_audio"),
    ("mp3-tag-of-256-mib.mp3", "not_audio"),
    ("mp3-tag-with-a-frame-of-4-gib.mp3", ""),
    ("noughts", "not_audio"),
    ("ogg-255-segments-of-nothing.opus", "truncated"),
    ("ogg-of-nothing-known.ogg", "unsupported_codec"),
    ("ogg-opus-255-channels.opus", "truncated"),
    ("ogg-opus-a-year-long.opus", "too_long"),
    ("ogg-opus-ends-before-it-begins.opus", "corrupt"),
    ("ogg-opus-no-channels.opus", "truncated"),
    ("ogg-opus-packet-of-48-frames.opus", ""),
    ("ogg-opus-skips-everything.opus", "too_short"),
    ("ogg-opus-tags-of-4-gib.opus", "truncated"),
    ("ogg-page-alone.ogg", "unsupported_codec"),
    ("ogg-two-streams-at-once.opus", "truncated"),
    ("ogg-vorbis-255-channels.ogg", "too_many_channels"),
    ("ogg-vorbis-codebooks-of-noise.ogg", "truncated"),
    ("ogg-vorbis-identification-alone.ogg", "truncated"),
    ("one-byte", "not_audio"),
    ("wav-64-bits-of-pcm.wav", "unsupported_codec"),
    ("wav-65535-bits.wav", "unsupported_codec"),
    ("wav-65535-channels.wav", "too_many_channels"),
    ("wav-align-of-nought.wav", ""),
    ("wav-chunk-of-4-gib-before-data.wav", "corrupt"),
    ("wav-data-before-fmt.wav", "corrupt"),
    ("wav-data-of-4-gib.wav", ""),
    ("wav-eight-thousand-chunks.wav", "corrupt"),
    ("wav-extensible-of-nothing.wav", "unsupported_codec"),
    ("wav-fmt-of-2-bytes.wav", "corrupt"),
    ("wav-fmt-of-4-gib.wav", "corrupt"),
    ("wav-header-alone.wav", "corrupt"),
    ("wav-ima-block-of-65535.wav", ""),
    ("wav-ima-block-of-nought.wav", "corrupt"),
    ("wav-ms-adpcm-65535-coefficients.wav", "corrupt"),
    ("wav-no-bits.wav", "unsupported_codec"),
    ("wav-no-channels.wav", "corrupt"),
    ("wav-rate-of-4-ghz.wav", "sample_rate_out_of_range"),
    ("wav-rate-of-nought.wav", "sample_rate_out_of_range"),
    ("wav-rf64.wav", "unsupported_format"),
    ("wav-rifx.wav", "not_audio"),
    ("wav-without-data.wav", "corrupt"),
    ("wav-without-fmt.wav", "corrupt"),
];

#[test]
fn every_malformed_recording_is_refused_for_its_reason() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/security/corpus/audio");
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let bytes = std::fs::read(entry.path()).unwrap();
        let outcome = decode(&bytes, &Limits::default());
        let reason = outcome.as_ref().err().map_or("", |error| error.reason());
        found.insert(entry.file_name().into_string().unwrap(), reason.to_owned());
    }
    let expected: BTreeMap<String, String> =
        EXPECTED.iter().map(|(name, reason)| ((*name).to_owned(), (*reason).to_owned())).collect();
    assert_eq!(found, expected);
}
