//! Fields of a written dialogue that nobody reads: others' files may have further ones, and a misspelt one must not be
//! passed over in silence.

use std::collections::BTreeSet;

use callqa_domain::{Task, meant};
use serde_json::Value;

/// What is read of a dialogue.
const FIELDS: [&str; 12] = [
    "id",
    "lang",
    "channels",
    "ended_by",
    "direction",
    "queue",
    "auto_announced",
    "started_at",
    "answered_at",
    "tenant",
    "labels",
    "turns",
];
/// What is read of a turn.
const TURN_FIELDS: [&str; 6] = ["speaker", "text", "start_ms", "end_ms", "confidence", "labels"];
/// Characters of an unread field's name that a note shows.
const SHOWN_FIELD: usize = 40;

/// A sentence for each field that nobody reads: of the dialogue, of its turns and of their labels, each once.
pub fn fields(dialogue: &Value) -> Vec<String> {
    let turns: Vec<&Value> = dialogue.get("turns").and_then(Value::as_array).into_iter().flatten().collect();
    let labels = turns.iter().filter_map(|turn| turn.get("labels")).collect();
    [
        (vec![dialogue], &FIELDS[..], "a dialogue"),
        (turns, &TURN_FIELDS[..], "a turn"),
        (labels, &Task::ALL.map(Task::name)[..], "a turn's labels"),
    ]
    .into_iter()
    .flat_map(|(objects, known, of)| others(&objects, known, of))
    .collect()
}

fn others(objects: &[&Value], known: &[&str], of: &str) -> Vec<String> {
    let names = objects.iter().filter_map(|object| object.as_object()).flat_map(|fields| fields.keys());
    let unread: BTreeSet<&String> = names.filter(|name| !known.contains(&name.as_str())).collect();
    let sentence = |name: &String| {
        let shown: String = name.chars().take(SHOWN_FIELD).collect();
        let near = meant(name, known.iter().copied());
        let hint = near.map_or_else(String::new, |near| format!("; did you mean {near:?}?"));
        format!("{shown:?} is no field of {of} and is not read{hint}")
    };
    unread.into_iter().map(sentence).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, expect: &[&str]) {
        assert_eq!(fields(&serde_json::from_str(json).unwrap()), expect);
    }

    #[test]
    fn each_is_named_once() {
        check(
            r#"{"id":7,"tenant":"a","queu":"q","turns":[
                {"speaker":"agent","text":"secret","mood":"secret","labels":{"politness":null}},
                {"speaker":"agent","text":"secret","mood":"secret"}]}"#,
            &[
                r#""queu" is no field of a dialogue and is not read; did you mean "queue"?"#,
                r#""mood" is no field of a turn and is not read"#,
                r#""politness" is no field of a turn's labels and is not read; did you mean "politeness"?"#,
            ],
        );
        check(
            r#"{"id":1,"lang":"zh","channels":2,"ended_by":"agent","turns":[{"start_ms":0,"end_ms":1}]}"#,
            &[],
        );
        check("[]", &[]);
    }
}
