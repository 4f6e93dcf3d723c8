//! Recordings made by other people's encoders; see `fixtures/README.md`.

pub const MONO_MP3: &[u8] = include_bytes!("../fixtures/mono_8k.mp3");
pub const STEREO_MP3: &[u8] = include_bytes!("../fixtures/stereo_8k.mp3");
pub const MUSIC_RATE_MP3: &[u8] = include_bytes!("../fixtures/stereo_44k.mp3");
pub const UNTAGGED_MP3: &[u8] = include_bytes!("../fixtures/stereo_16k_vbr_notag.mp3");
pub const FLAC: &[u8] = include_bytes!("../fixtures/stereo_8k.flac");
pub const MONO_VORBIS: &[u8] = include_bytes!("../fixtures/mono_8k_vorbis.ogg");
pub const VORBIS: &[u8] = include_bytes!("../fixtures/stereo_16k_vorbis.ogg");
pub const MONO_OPUS: &[u8] = include_bytes!("../fixtures/mono_8k.opus");
pub const OPUS: &[u8] = include_bytes!("../fixtures/stereo_48k.opus");
pub const SHORT_OPUS: &[u8] = include_bytes!("../fixtures/mono_short_frames.opus");
