//! Names that are made from content, so that a redelivery repeats the same ending under the same name.

use crate::ModelId;

/// BLAKE3 over the fields, each preceded by its length: no two lists of fields run into each other.
fn digest<'a>(kind: &str, fields: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut feed = |field: &[u8]| {
        hasher.update(&(field.len() as u64).to_le_bytes());
        hasher.update(field);
    };
    feed(kind.as_bytes());
    fields.into_iter().for_each(&mut feed);
    hasher.finalize().to_hex().to_string()
}

/// The id of a call's ending: the same for every delivery of its event.
#[must_use]
pub fn ending_id(tenant: &str, call_id: &str, revision: u32) -> String {
    digest("ending", [tenant.as_bytes(), call_id.as_bytes(), &revision.to_le_bytes()])
}

/// The id of an ending whose event could not be decoded: all that is known is where it stood.
#[must_use]
pub fn undecodable_id(topic: &str, partition: i32, offset: i64) -> String {
    digest("undecodable", [topic.as_bytes(), &partition.to_le_bytes(), &offset.to_le_bytes()])
}

/// Everything that a result depends on.
#[derive(Debug, Clone, Copy)]
pub struct ResultInputs<'a> {
    /// [`ending_id`].
    pub ending_id: &'a str,
    /// BLAKE3 of the event's bytes, in hex.
    pub event_digest: &'a str,
    /// SHA-256 of the recording, in hex.
    pub recording_sha256: &'a str,
    /// The models.
    pub models: &'a [ModelId],
    /// Digest of the rulebook.
    pub rulebook_digest: &'a str,
    /// Digest of the settings that can change a result.
    pub config_digest: &'a str,
    /// Version of the program.
    pub build: &'a str,
}

/// The id of a result: equal ids mean equal bytes.
#[must_use]
pub fn result_id(inputs: &ResultInputs<'_>) -> String {
    let mut fields = vec![inputs.ending_id, inputs.event_digest, inputs.recording_sha256];
    for model in inputs.models {
        fields.extend([model.name.as_str(), model.sha256.as_str()]);
    }
    fields.extend([inputs.rulebook_digest, inputs.config_digest, inputs.build]);
    digest("result", fields.into_iter().map(str::as_bytes))
}

/// The id of one published row of a result.
#[must_use]
pub fn row_id(result_id: &str, kind: &str, row_key: &str) -> String {
    digest("row", [result_id.as_bytes(), kind.as_bytes(), row_key.as_bytes()])
}

/// BLAKE3 of some bytes, in hex: for events, rulebooks and settings.
#[must_use]
pub fn content_digest(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_do_not_run_into_each_other() {
        assert_ne!(ending_id("ab", "c", 0), ending_id("a", "bc", 0));
        assert_ne!(ending_id("a", "b", 0), ending_id("a", "b", 1));
    }

    /// Consumers upsert by these ids: a new release must not change them.
    #[test]
    fn ids_are_frozen() {
        assert_eq!(
            ending_id("demo", "call-1", 0),
            "155617fbae874ea3906d4fa4873b4aebb80e141c4c110b491d4ff632c6d21ab7"
        );
    }
}
