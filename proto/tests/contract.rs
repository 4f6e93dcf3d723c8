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
use prost_types::field_descriptor_proto::Label;
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet};

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

/// `string`, `uint64`, `.callqa.v1.Leg` …
fn kind(field: &FieldDescriptorProto) -> String {
    field.type_name.clone().unwrap_or_else(|| format!("{:?}", field.r#type()).to_lowercase())
}

fn fields(message: &DescriptorProto) -> impl Iterator<Item = String> + '_ {
    message.field.iter().map(|field| {
        let (name, number, label) = (field.name(), field.number(), field.label());
        format!("{}.{name} = {number} {label:?} {}", message.name(), kind(field))
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

/// Place of a message's field, or of the message itself, in a file's source information: see
/// `google/protobuf/descriptor.proto`, `SourceCodeInfo.Location.path`.
fn comment(file: &FileDescriptorProto, path: &[i32]) -> String {
    let places = file.source_code_info.iter().flat_map(|info| &info.location);
    let comment =
        places.filter(|place| place.path == path).filter_map(|place| place.leading_comments.as_deref());
    comment.flat_map(str::lines).map(str::trim).collect::<Vec<_>>().join(" ")
}

fn table(file: &FileDescriptorProto, at: usize, message: &DescriptorProto) -> String {
    let at = at as i32;
    let mut table = format!("\n## {}\n\n{}\n\n", message.name(), comment(file, &[4, at]));
    table += "| field | type | meaning |\n|---|---|---|\n";
    for (index, field) in message.field.iter().enumerate() {
        let many = if field.label() == Label::Repeated { "list of " } else { "" };
        let kind = match kind(field).trim_start_matches(".callqa.v1.") {
            entry if entry.ends_with("LabelsEntry") => "map of strings".to_owned(),
            kind => format!("{many}{kind}"),
        };
        let null = if field.proto3_optional() { ", optional" } else { "" };
        let meaning = comment(file, &[4, at, 2, index as i32]).replace('|', "\\|");
        table += &format!("| `{}` | {kind}{null} | {meaning} |\n", field.name());
    }
    table
}

#[test]
fn the_table_of_fields_is_the_committed_one() {
    let mut tables = "# Every field on the wire\n\nMade from the `.proto` files by `tests/contract.rs`; \
        README.md has the topics and an example. Codes are listed in `schemas/`.\n"
        .to_owned();
    for file in FileDescriptorSet::decode(DESCRIPTORS).unwrap().file {
        for (at, message) in file.message_type.iter().enumerate() {
            tables += &table(&file, at, message);
        }
    }
    check_committed("fields.md", &tables);
}

/// The README's example is an event that is read.
#[test]
fn the_readmes_example_is_an_event() {
    let readme = fs::read_to_string(committed("README.md")).unwrap();
    let example = readme.split("```json").nth(1).unwrap().split("```").next().unwrap();
    decode(&EventHeaders::default(), example.as_bytes()).unwrap();
}

/// Events that were sent once must be readable for ever: these files are never written anew.
#[test]
fn old_events_are_still_read() {
    let headers = EventHeaders::read([("content-type", b"application/protobuf".as_slice())]);
    let protobuf =
        decode(&headers, &fs::read(committed("tests/golden/call-recorded.v1.pb")).unwrap()).unwrap();
    let text = fs::read(committed("tests/golden/call-recorded.v1.json")).unwrap();
    let json = decode(&EventHeaders::default(), &text).unwrap();
    assert_eq!(protobuf.call, json.call);
    assert_eq!(protobuf.recording, json.recording);
    assert_eq!(
        (json.call.tenant.as_str(), json.call.call_id.as_str(), json.call.revision),
        ("demo", "call-7", 2)
    );
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
