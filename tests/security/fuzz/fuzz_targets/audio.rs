//! Decoding of recordings: whatever the bytes, the answer is audio within the limits or a typed error.
#![no_main]

use std::io::Cursor;
use std::time::Duration;

use callqa_audio::{BLOCK_SAMPLES, Decoder, Limits};
use libfuzzer_sys::fuzz_target;

/// So long may a recording be here: decoding more would only make each run slower.
const LONGEST: Duration = Duration::from_secs(30);

/// A codec may panic: the decoder catches that and refuses the recording. Any other panic is a find.
fn let_codecs_panic() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|place| place.file().to_owned()).unwrap_or_default();
        if !place.contains("symphonia-") {
            eprintln!("{panic}");
            std::process::abort();
        }
    }));
}

fuzz_target!(init: let_codecs_panic(), |data: &[u8]| {
    let limits = Limits { max_duration: LONGEST, ..Limits::default() };
    let Ok(mut decoder) = Decoder::open(Cursor::new(data.to_vec()), None, &limits) else { return };
    let mut at = 0;
    loop {
        match decoder.next_block() {
            Ok(Some(block)) => {
                assert!((1..=2).contains(&block.channels.len()));
                assert_eq!(block.start_sample, at, "blocks follow each other");
                let samples = block.channels[0].len();
                assert!((1..=BLOCK_SAMPLES).contains(&samples));
                assert!(block.channels.iter().all(|channel| channel.len() == samples));
                assert!(block.channels.iter().flatten().all(|sample| (-1.0..=1.0).contains(sample)));
                at += samples as u64;
            }
            Ok(None) => break,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                assert!(decoder.next_block().is_ok_and(|block| block.is_none()), "spent after an error");
                return;
            }
        }
    }
    assert!(decoder.summary().duration_ms <= LONGEST.as_millis() as u64);
});
