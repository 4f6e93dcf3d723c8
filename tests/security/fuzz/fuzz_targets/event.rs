//! Decoding of events: whatever Kafka hands over is an event within the contract's limits, or a typed error that is
//! short and repeats nothing of the payload.
#![no_main]

use callqa_proto::header::EventHeaders;
use callqa_proto::{EVENT_BYTES, INLINE_BYTES, Source, decode};
use libfuzzer_sys::fuzz_target;

/// What an operator reads in one line of a log, with every field of an event wrong.
const ERROR_BYTES: usize = 16 << 10;
/// Printed, this would be a card number in a log.
const CANARY: &str = "6222021234567890";

fuzz_target!(|data: &[u8]| {
    let Some((choice, payload)) = data.split_first() else { return };
    let content_type = match choice % 4 {
        0 => None,
        1 => Some("application/json; charset=utf-8"),
        2 => Some("application/protobuf"),
        _ => Some("application/x-protobuf"),
    };
    let headers =
        EventHeaders::read(content_type.map(|value| ("content-type", value.as_bytes())).into_iter());
    match decode(&headers, payload) {
        Ok(event) => {
            assert!(payload.len() <= EVENT_BYTES);
            assert!(!event.call.call_id.is_empty() && !event.call.tenant.is_empty());
            if let Source::Inline(bytes) = &event.recording.source {
                assert!(bytes.len() <= INLINE_BYTES);
            }
            assert!(!format!("{:?}", event.recording).contains(CANARY), "a URI is printed");
            assert_eq!(decode(&headers, payload).expect("as before"), event, "the same bytes, another event");
        }
        Err(error) => {
            let said = error.to_string();
            assert!(!said.is_empty() && said.len() <= ERROR_BYTES, "{} bytes of error", said.len());
            assert!(!said.contains(CANARY) || error.call().is_some_and(|call| call.call_id.contains(CANARY)));
        }
    }
});
