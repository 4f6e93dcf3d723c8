//! Makes Rust types of the `.proto` files: prost for the bytes, serde for JSON, schemars for the schemas.

use std::{env, error::Error, fs, path::PathBuf};

use prost_build::Config;
use protox::{
    prost::Message,
    prost_reflect::{DescriptorPool, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor},
};

const FILES: [&str; 3] = ["callqa/v1/events.proto", "callqa/v1/results.proto", "callqa/v1/review.proto"];

/// What an event must have; every other field of it may be left out.
const REQUIRED: [&str; 6] = [
    "callqa.v1.CallRecorded.tenant",
    "callqa.v1.CallRecorded.call_id",
    "callqa.v1.CallRecorded.recording",
    "callqa.v1.Leg.agent_id",
    "callqa.v1.Hold.start_ms",
    "callqa.v1.Hold.end_ms",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=callqa");
    let files = protox::compile(FILES, ["."])?;
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    fs::write(out.join("descriptors.bin"), files.encode_to_vec())?;

    let mut config = Config::new();
    // Maps in key order: the same row gives the same bytes.
    config.btree_map(["."]);
    // A URI may carry a password or a signature.
    config.skip_debug(["callqa.v1.Recording"]);
    let pool = DescriptorPool::from_file_descriptor_set(files.clone())?;
    for message in pool.all_messages().filter(|message| !message.is_map_entry()) {
        if message.parent_file().name() == FILES[0] {
            event(&mut config, &message);
        } else {
            row(&mut config, &message);
        }
    }
    config.compile_fds(files)?;
    Ok(())
}

/// Rows are written with every field, and read with any of them missing: an old reader meets new
/// rows, and a new reader old ones.
fn row(config: &mut Config, message: &MessageDescriptor) {
    config.message_attribute(
        message.full_name(),
        "#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]\n#[serde(default)]",
    );
}

/// Events are written without what is not known. They are read by `event::json`, which names every
/// mistake at once.
fn event(config: &mut Config, message: &MessageDescriptor) {
    config.message_attribute(message.full_name(), "#[derive(serde::Serialize, schemars::JsonSchema)]");
    for field in message.fields() {
        let path = field.full_name();
        if !REQUIRED.contains(&path) {
            config.field_attribute(path, r#"#[serde(skip_serializing_if = "crate::wire::is_default")]"#);
        } else if matches!(field.kind(), Kind::Message(_)) {
            config.field_attribute(path, "#[schemars(required)]");
        }
        if let Some(attribute) = json_form(&field) {
            config.field_attribute(path, attribute);
        }
    }
}

/// Where JSON writes a field in another way than Rust holds it.
fn json_form(field: &FieldDescriptor) -> Option<String> {
    match field.kind() {
        Kind::Enum(kind) => Some(format!(
            r#"#[serde(serialize_with = "crate::wire::{}_name")]
            #[schemars(with = "String", extend("enum" = {:?}))]"#,
            field.name(),
            names(&kind)
        )),
        Kind::Bytes => Some(
            r#"#[serde(serialize_with = "crate::wire::base64")]
            #[schemars(with = "Option<String>", extend("contentEncoding" = "base64"))]"#
                .to_owned(),
        ),
        _ => None,
    }
}

/// `PURPOSE_LIVE` is `live` in JSON; the unspecified value has no name there: it is left out.
fn names(kind: &EnumDescriptor) -> Vec<String> {
    let common =
        kind.values().next().map(|value| value.name().replace("UNSPECIFIED", "")).unwrap_or_default();
    let values = kind.values().filter(|value| value.number() != 0);
    values.map(|value| value.name().trim_start_matches(common.as_str()).to_lowercase()).collect()
}
