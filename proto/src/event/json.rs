//! Reads an event's JSON by hand rather than by derive, for two reasons: a sender learns of every
//! mistake at once, and no error repeats a value. `null` is the same as absent.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value};

use super::mistake::{Mistakes, Problem};
use crate::wire::{self, CallRecorded, Hold, Leg, Named, Recording};

pub(super) fn read(object: &Map<String, Value>, mistakes: &mut Mistakes) -> CallRecorded {
    let mut event = Object { object, at: String::new(), mistakes };
    CallRecorded {
        tenant: event.text("tenant").unwrap_or_default(),
        call_id: event.text("call_id").unwrap_or_default(),
        revision: event.small("revision").unwrap_or_default(),
        supersedes: event.small("supersedes"),
        purpose: event.code::<wire::Purpose>("purpose"),
        interaction_id: event.text("interaction_id"),
        queue: event.text("queue"),
        legs: event.objects("legs", leg),
        customer_id: event.text("customer_id"),
        direction: event.code::<wire::Direction>("direction"),
        started_at: event.text("started_at"),
        answered_at: event.text("answered_at"),
        ended_by: event.code::<wire::EndedBy>("ended_by"),
        holds: event.objects("holds", hold),
        auto_announced: event.truth("auto_announced"),
        agent_language: event.text("agent_language"),
        customer_language: event.text("customer_language"),
        channel_layout: event.code::<wire::ChannelLayout>("channel_layout"),
        recording: event.inner("recording", recording),
        labels: event.texts("labels"),
        opted_out: event.truth("opted_out"),
        answered_by_machine: event.truth("answered_by_machine"),
    }
}

fn leg(mut leg: Object<'_>) -> Leg {
    Leg {
        agent_id: leg.text("agent_id").unwrap_or_default(),
        from_ms: leg.whole("from_ms"),
        to_ms: leg.whole("to_ms"),
    }
}

fn hold(mut hold: Object<'_>) -> Hold {
    let mut due = |field| {
        hold.whole(field).unwrap_or_else(|| {
            hold.missing(field);
            0
        })
    };
    Hold { start_ms: due("start_ms"), end_ms: due("end_ms") }
}

fn recording(mut recording: Object<'_>) -> Recording {
    Recording {
        uri: recording.text("uri"),
        inline: recording.bytes("inline"),
        sha256: recording.text("sha256"),
        size_bytes: recording.whole("size_bytes"),
        content_type: recording.text("content_type"),
    }
}

/// A JSON object, with where it stands in the event.
struct Object<'a> {
    object: &'a Map<String, Value>,
    at: String,
    mistakes: &'a mut Mistakes,
}

impl<'a> Object<'a> {
    fn field(&self, name: &str) -> String {
        format!("{}{name}", self.at)
    }

    /// A hold without its times: said here, because Protobuf can't tell 0 from absent.
    fn missing(&mut self, name: &str) {
        if self.object.get(name).is_none_or(Value::is_null) {
            self.mistakes.add(self.field(name), Problem::Missing);
        }
    }

    fn read<T>(
        &mut self,
        name: &str,
        expected: &'static str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.object.get(name).filter(|value| !value.is_null())?;
        let read = read(value);
        if read.is_none() {
            self.mistakes.add(self.field(name), Problem::WrongType(expected));
        }
        read
    }

    fn text(&mut self, name: &str) -> Option<String> {
        self.read(name, "a string", |value| value.as_str().map(str::to_owned))
    }

    fn whole(&mut self, name: &str) -> Option<u64> {
        self.read(name, "a whole number, 0 or more", Value::as_u64)
    }

    fn small(&mut self, name: &str) -> Option<u32> {
        self.read(name, "a whole number from 0 to 4294967295", |value| u32::try_from(value.as_u64()?).ok())
    }

    fn truth(&mut self, name: &str) -> Option<bool> {
        self.read(name, "true or false", Value::as_bool)
    }

    fn code<E: Named>(&mut self, name: &str) -> i32 {
        // Another type is a mistake that is noted already: 0 keeps it from being noted again.
        self.read(name, "a string", |value| value.as_str().map(wire::number_of::<E>)).unwrap_or_default()
    }

    fn bytes(&mut self, name: &str) -> Option<Vec<u8>> {
        let coded = self.read(name, "a string of base64", Value::as_str)?;
        let decoded = STANDARD.decode(coded);
        if decoded.is_err() {
            self.mistakes.add(self.field(name), Problem::BadBase64);
        }
        // An empty recording keeps "has neither uri nor inline" from being said as well.
        Some(decoded.unwrap_or_default())
    }

    fn texts(&mut self, name: &str) -> BTreeMap<String, String> {
        let expected = "an object whose values are strings";
        let text = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
        self.read(name, expected, |value| value.as_object()?.iter().map(text).collect()).unwrap_or_default()
    }

    fn inner<T>(&mut self, name: &str, read: impl FnOnce(Object<'_>) -> T) -> Option<T> {
        let object = self.read(name, "an object", Value::as_object)?;
        let at = format!("{}.", self.field(name));
        Some(read(Object { object, at, mistakes: self.mistakes }))
    }

    fn objects<T>(&mut self, name: &str, read: impl Fn(Object<'_>) -> T) -> Vec<T> {
        let list = self.read(name, "a list of objects", Value::as_array);
        let mut items = Vec::new();
        for (index, value) in list.into_iter().flatten().enumerate() {
            let place = format!("{}[{index}]", self.field(name));
            match value.as_object() {
                Some(object) => {
                    items.push(read(Object { object, at: format!("{place}."), mistakes: self.mistakes }));
                }
                None => self.mistakes.add(place, Problem::WrongType("an object")),
            }
        }
        items
    }
}
