//! CloudEvents 1.0 in Kafka's binary mode: attributes are `ce_…` headers, the payload is the data.

/// The one kind of event that is read here.
pub const CALL_RECORDED: &str = "org.callqa.call.recorded.v1";
/// The CloudEvents version.
pub const SPEC_VERSION: &str = "1.0";
/// JSON's media type, which every row bears.
pub const JSON: &str = "application/json";
/// Protobuf's media type.
pub const PROTOBUF: &str = "application/protobuf";
/// Where the event stood in the input topic, in every row that comes of it.
pub const SOURCE_TOPIC: &str = "callqa_source_topic";
/// See [`SOURCE_TOPIC`].
pub const SOURCE_PARTITION: &str = "callqa_source_partition";
/// See [`SOURCE_TOPIC`].
pub const SOURCE_OFFSET: &str = "callqa_source_offset";
/// On which try a call ended, from 1.
pub const ATTEMPT: &str = "callqa_attempt";
/// In an event that `callqa redrive` sent again: how often that was. Nothing reads it but the next redrive.
pub const REDRIVEN: &str = "callqa_redriven";

/// A media type of more bytes than this is noise, not repeated in an error.
const MEDIA_TYPE_BYTES: usize = 100;

/// The headers of an event that mean something here; the first of each name counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventHeaders {
    /// `content-type`; `Some("")` where its bytes are no text.
    pub content_type: Option<String>,
    /// `ce_type`.
    pub kind: Option<String>,
    /// `ce_specversion`.
    pub spec_version: Option<String>,
    /// `ce_time`, where it is an RFC 3339 date and time with offset.
    pub time: Option<String>,
    /// `traceparent`, where it is one in form.
    pub traceparent: Option<String>,
}

impl EventHeaders {
    /// Picks ours out of a message's headers.
    #[must_use]
    pub fn read<'a>(headers: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let mut read = Self::default();
        for (name, value) in headers {
            let slot = match name.to_ascii_lowercase().as_str() {
                "content-type" => &mut read.content_type,
                "ce_type" => &mut read.kind,
                "ce_specversion" => &mut read.spec_version,
                "ce_time" => &mut read.time,
                "traceparent" => &mut read.traceparent,
                _ => continue,
            };
            slot.get_or_insert_with(|| String::from_utf8(value.to_vec()).unwrap_or_default());
        }
        read.time = read.time.filter(|time| time.parse::<callqa_domain::Moment>().is_ok());
        read.traceparent = read.traceparent.filter(|parent| is_traceparent(parent));
        read
    }
}

/// `00-<32 hex>-<16 hex>-<2 hex>` (W3C Trace Context). What is something else is not carried on.
fn is_traceparent(value: &str) -> bool {
    let parts: Vec<&str> = value.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let is_hex = |part: &&str| part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    lengths == [2, 32, 16, 2] && parts.iter().all(is_hex)
}

/// The type and subtype of a `content-type` in lower case, without parameters; `None` where it is none.
pub(crate) fn media_type(content_type: &str) -> Option<String> {
    let essence = content_type.split(';').next()?.trim().to_ascii_lowercase();
    let (kind, subtype) = essence.split_once('/')?;
    let is_token = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b))
    };
    (essence.len() <= MEDIA_TYPE_BYTES && is_token(kind) && is_token(subtype)).then_some(essence)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&str, &str)]) -> EventHeaders {
        EventHeaders::read(headers.iter().map(|(name, value)| (*name, value.as_bytes())))
    }

    #[test]
    fn the_first_of_a_name_counts() {
        let headers =
            read(&[("Content-Type", "application/json"), ("content-type", "text/plain"), ("x", "y")]);
        assert_eq!(headers.content_type.as_deref(), Some(JSON));
    }

    #[track_caller]
    fn check_traceparent(value: &str, carried: bool) {
        assert_eq!(read(&[("traceparent", value)]).traceparent.is_some(), carried);
    }

    #[test]
    fn only_a_traceparent_is_carried() {
        check_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true);
        check_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7", false);
        check_traceparent("00-4bf92f3577b34da6a3ce929d0e0e473G-00f067aa0ba902b7-01", false);
        check_traceparent("", false);
    }

    #[track_caller]
    fn check_media_type(content_type: &str, expect: Option<&str>) {
        assert_eq!(media_type(content_type).as_deref(), expect);
    }

    #[test]
    fn parameters_and_case_do_not_matter() {
        check_media_type("Application/JSON; charset=utf-8", Some("application/json"));
        check_media_type("call 13800138000/now", None);
        check_media_type("json", None);
    }
}
