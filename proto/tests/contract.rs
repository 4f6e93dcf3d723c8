//! What others build on: field numbers, schemas, and the bytes of old events.
//!
//! `CALLQA_ACCEPT=1 cargo test --release -p callqa-proto` writes a changed contract to the committed files;
//! look at the difference before you commit it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{collections::BTreeSet, fs, path::PathBuf};

use callqa_proto::header::EventHeaders;
use callqa_proto::wire::{DESCRIPTORS, ResultRow};
use callqa_proto::{Source, decode, schema};
use prost::Message as _;
use prost_types::{DescriptorProto, FileDescriptorSet};

fn committed(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[track_caller]
fn check_committed(name: &str, now: &str) {
    if std::env::var_os("CALLQA_ACCEPT").is_some() {
        fs::write(committed(name), now).unwrap();
    }
    let before = fs::read_to_string(committed(name)).unwrap_or_default();
    assert!(before == now, "proto/{name} is not what the types say: see the top of this test");
}

#[test]
fn schemas_are_the_committed_ones() {
    for (name, schema) in schema::all() {
        check_committed(&format!("schemas/{name}"), &format!("{:#}\n", schema));
    }
}

fn fields(message: &DescriptorProto) -> impl Iterator<Item = String> + '_ {
    message.field.iter().map(|field| {
        let kind = field.type_name.clone().unwrap_or_else(|| format!("{:?}", field.r#type()).to_lowercase());
        let (name, number) = (field.name(), field.number());
        format!("{}.{name} = {number} {:?} {kind}", message.name(), field.label()).to_string()
    })
}

fn numbers() -> BTreeSet<String> {
    let files = FileDescriptorSet::decode(DESCRIPTORS).unwrap().file;
    let messages = files.iter().flat_map(|file| &file.message_type).flat_map(fields);
    let values = files.iter().flat_map(|file| &file.enum_type).flat_map(|kind| {
        kind.value.iter().map(|value| format!("{}.{} = {}", kind.name(), value.name(), value.number()))
    });
    messages.chain(values).collect()
}

#[test]
fn field_numbers_are_frozen() {
    let now: String = numbers().into_iter().map(|line| line + "\n").collect();
    let known = fs::read_to_string(committed("field-numbers.txt")).unwrap_or_default();
    let gone: Vec<&str> = known.lines().filter(|line| !now.contains(&format!("{line}\n"))).collect();
    assert!(gone.is_empty(), "these were published and may never change: {gone:?}");
    check_committed("field-numbers.txt", &now);
}

/// Events that were sent once must be readable for ever: these files are never written anew.
#[test]
fn old_events_are_still_read() {
    let headers = EventHeaders::read([("content-type", b"application/protobuf".as_slice())]);
    let protobuf = decode(&headers, &fs::read(committed("tests/golden/call-recorded.v1.pb")).unwrap()).unwrap();
    let text = fs::read(committed("tests/golden/call-recorded.v1.json")).unwrap();
    let json = decode(&EventHeaders::default(), &text).unwrap();
    assert_eq!(protobuf.call, json.call);
    assert_eq!(protobuf.recording, json.recording);
    assert_eq!((json.call.tenant.as_str(), json.call.call_id.as_str(), json.call.revision), ("demo", "call-7", 2));
    assert_eq!((json.call.legs.len(), json.call.holds.len(), json.call.labels.len()), (2, 1, 1));
    assert!(matches!(json.recording.source, Source::Uri(_)));
    assert_eq!(json.digest, "260d53aafcac74981b6d24bc3db07554d6eef4e573cf5f29a4ebdf8f126ab154");
}

#[test]
fn rows_of_other_versions_are_read() {
    let text = r#"{"ending_id":"e","ending":"assessed","score":97,"a_field_of_tomorrow":[1,2]}"#;
    let row: ResultRow = serde_json::from_str(text).unwrap();
    assert_eq!((row.ending.as_str(), row.score, row.queue), ("assessed", Some(97), None));
}
