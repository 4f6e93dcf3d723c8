//! Which of several results of a call counts, and what is said of the rulebook.

use super::*;
use crate::judge::reading::Reading;
use crate::rules;

fn filed(tenant: &str, call_id: &str, revision: u32, says: &str, judged_by: JudgedBy) -> Filed {
    let turns = serde_json::json!([{"speaker": "agent", "text": says, "labels": {}}]);
    let mut dialogue = Dialogue::read(&serde_json::json!({"id": call_id, "turns": turns})).unwrap();
    (dialogue.call.tenant, dialogue.call.revision) = (tenant.to_owned(), revision);
    let observations = Reading::of(&dialogue, None, None).unwrap().observations;
    Filed { call: dialogue.call, observations, judged_by }
}

#[test]
fn the_last_result_of_the_highest_revision_counts() {
    let one = |tenant, call_id, revision, says| filed(tenant, call_id, revision, says, JudgedBy::NotSaid);
    let calls = vec![
        one("t", "a", 1, "corrected"),
        one("t", "b", 0, "alone"),
        one("t", "a", 1, "corrected again"),
        one("t", "a", 0, "first"),
        one("u", "a", 0, "of another tenant"),
    ];
    let latest = latest(calls);
    let kept: Vec<(&str, &str, &str)> = latest
        .iter()
        .map(|filed| {
            let said = filed.observations.utterances[0].utterance.text.as_str();
            (filed.call.tenant.as_str(), filed.call.call_id.as_str(), said)
        })
        .collect();
    let expected = [("t", "a", "corrected again"), ("t", "b", "alone"), ("u", "a", "of another tenant")];
    assert_eq!(kept, expected);
}

#[test]
fn it_is_said_which_rulebook_judges_where_another_may_have() {
    let rulebook = rules::read(None).unwrap();
    let one = |id, judged_by| filed("t", id, 0, "hello", judged_by);
    let same = || JudgedBy::Digest(rulebook.digest().to_owned());
    assert!(notes(&[one("a", same()), one("b", JudgedBy::Nobody)], &rulebook).is_empty());
    let other = JudgedBy::Digest("of another".to_owned());
    let calls = [one("a", other), one("b", JudgedBy::NotSaid), one("c", JudgedBy::NotSaid)];
    let notes = notes(&calls, &rulebook);
    let says = format!("what follows is what service-baseline {} says of", rulebook.version());
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[0].starts_with("a: on file it is judged by another rulebook"), "{notes:?}");
    assert!(notes[1].starts_with("what is on file does not say which rulebook"), "{notes:?}");
    assert!(notes.iter().all(|note| note.contains(&says)), "{notes:?}");
}
