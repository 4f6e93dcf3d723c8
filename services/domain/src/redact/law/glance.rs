//! What is passed over at a glance holds nothing: everything is found that a search without hints finds.

use proptest::prelude::*;

use super::super::across::Thread;
use super::super::question;
use super::*;
use crate::{Channel, Span, Utterance, redact_across};

#[track_caller]
pub(super) fn hides_nothing_in(raw: &str) {
    let reading = Reading::of(raw);
    let read = reading.text();
    let places = |found: Vec<Found>| found.into_iter().map(|f| (f.start, f.end, f.kind)).collect::<Vec<_>>();
    let everything = with_numbers(read, 0, shape::found_without_hints(read));
    assert_eq!(places(found_in_digits(read, 0)), places(everything), "{raw}");
}

/// Nothing is left in an answer, whether or not it looked like one.
#[track_caller]
fn hides_no_answer_in(lines: &[(bool, String)]) {
    let said = |(index, (agent, text)): (usize, &(bool, String))| {
        let (start, channel) =
            (index as u64 * 2_500, if *agent { Channel::Agent } else { Channel::Customer });
        let (text, redactions) = redact(&RawText::new(text.as_str()));
        Utterance { channel, span: Span::new(start, start + 2_000), text, redactions, confidence: 0.9 }
    };
    let mut transcript: Vec<Utterance> = lines.iter().enumerate().map(said).collect();
    redact_across(&mut transcript);
    for index in 1..transcript.len() {
        let questions = Thread::of(&mut transcript).questions_to(index);
        for before in questions {
            let (asked, now) = (question::end_of(transcript[before].text.as_str()), &transcript[index].text);
            if Hints::of(Reading::of(now.as_str()).text()).any() || Hints::of(&asked).birth {
                assert!(found_after(&asked, now.as_str()).is_empty(), "{lines:?}: {now:?} after {asked}");
            }
        }
    }
}

const WORDS: &str = "(一|二|五|八|幺|零|十|百|个|洞|拐|三八|一下|是|的|嗯|好的|号|楼|栋|门牌|中山路|生日|月|尾号|后四位|卡号|手机号|安全码|订单号|账单|稍等|one|two|oh|double|hundred|moment|hang on|last four|last 4|card number is|born|d.o.b.|flat|plate is|AB|C|4|12|138|4111|@|qq点com|\\*\\*|\\[card\\]|\\[birth_date\\]|,|。|-|和|and| | ){1,7}";

proptest! {
    #[test]
    fn in_answers(lines in prop::collection::vec((any::<bool>(), WORDS), 2..7)) {
        hides_no_answer_in(&lines);
    }
}
