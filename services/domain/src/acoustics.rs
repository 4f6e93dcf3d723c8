//! What can be measured without understanding a word: the published definitions, version 1
//! (`labels-and-rules`, section 4).

use serde::{Deserialize, Serialize};

use crate::{Channel, Label, Language, Observations, Observed, Span, is_back_channel, join};

/// Version of the definitions in this file, published with every result.
pub const ACOUSTICS_VERSION: u32 = 1;

/// Neither side speaks for at least this long.
const SILENCE_MS: u64 = 3_000;
/// An unannounced silence of at least this length is dead air.
pub(crate) const DEAD_AIR_MS: u64 = 10_000;
/// Both sides speak at once for at least this long.
const OVERTALK_MS: u64 = 500;
/// Who comes in sooner than this after the other began has not interrupted: they began together.
const INTERRUPTION_AFTER_MS: u64 = 1_000;
/// A shorter overlap is the ordinary change of turns.
const INTERRUPTION_OVERLAP_MS: u64 = 500;
/// A pause shorter than this is part of the speech around it.
const JOINED_UNDER_MS: u64 = 300;

/// Neither side speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// When.
    #[serde(flatten)]
    pub span: Span,
    /// The agent had asked the customer to wait, and the customer has not spoken since.
    pub announced: bool,
}

/// One side comes in while the other speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interruption {
    /// Who came in.
    pub by: Channel,
    /// While both spoke.
    #[serde(flatten)]
    pub overlap: Span,
}

/// The measures of one call. What needs roles is absent in a mono recording.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Acoustics {
    /// Version of the definitions.
    pub version: u32,
    /// Silences of at least 3 s between the first and the last word of the call.
    pub silences: Vec<Silence>,
    /// Stretches of at least 0.5 s in which both channels speak.
    pub overtalk: Vec<Span>,
    /// Interruptions, by either side.
    pub interruptions: Vec<Interruption>,
    /// Agent's speech time, in milliseconds.
    pub agent_speech_ms: u64,
    /// Customer's speech time, in milliseconds.
    pub customer_speech_ms: u64,
    /// Agent's share of all speech time, 0–1.
    pub talk_ratio: Option<f32>,
    /// Agent's pace: Han characters (zh) or words (en) per minute of the agent's speech. Of the redacted text: a number
    /// that was taken out counts nothing in zh and one word in en, so who reads one out seems slower than he is.
    pub agent_pace: Option<f32>,
    /// Customer's pace, in the same unit.
    pub customer_pace: Option<f32>,
}

impl Acoustics {
    /// Measures a call.
    #[must_use]
    pub fn of(observations: &Observations) -> Self {
        let (agent, customer) =
            (observations.speech_ms(Channel::Agent), observations.speech_ms(Channel::Customer));
        Self {
            version: ACOUSTICS_VERSION,
            silences: silences(observations),
            overtalk: overtalk(observations.speech(Channel::Agent), observations.speech(Channel::Customer)),
            interruptions: interruptions(&observations.utterances),
            agent_speech_ms: agent,
            customer_speech_ms: customer,
            talk_ratio: ratio(agent, agent.saturating_add(customer)),
            agent_pace: pace(observations, Channel::Agent),
            customer_pace: pace(observations, Channel::Customer),
        }
    }

    /// Silences that count as dead air.
    pub fn dead_air(&self) -> impl Iterator<Item = Span> {
        self.silences.iter().filter(|s| !s.announced && s.span.len_ms() >= DEAD_AIR_MS).map(|s| s.span)
    }

    /// How often this side interrupted.
    #[must_use]
    pub fn interruptions_by(&self, channel: Channel) -> usize {
        self.interruptions.iter().filter(|i| i.by == channel).count()
    }
}

#[allow(clippy::cast_precision_loss)] // milliseconds of a call are far below 2^24 s
fn ratio(part: u64, whole: u64) -> Option<f32> {
    (whole > 0).then(|| crate::rounded(part as f32 / whole as f32))
}

fn silences(observations: &Observations) -> Vec<Silence> {
    let speech = join(observations.channels.iter().flat_map(|c| c.speech.iter().copied()).collect(), 0);
    speech
        .windows(2)
        .map(|pair| Span::new(pair[0].end_ms, pair[1].start_ms))
        .filter(|gap| gap.len_ms() >= SILENCE_MS)
        .map(|span| Silence { span, announced: is_announced(observations, span) })
        .collect()
}

/// The latest word before the silence decides, back-channels apart: it must follow a `hold_request`
/// of the agent with no customer turn since.
fn is_announced(observations: &Observations, silence: Span) -> bool {
    let Some(holds) = observations.thresholds.get(&Label::HoldRequest) else { return false };
    let said_before = |o: &&Observed| o.utterance.span.start_ms < silence.start_ms;
    let before: Vec<&Observed> = observations.utterances.iter().filter(said_before).collect();
    for observed in before.iter().rev() {
        let score = observed.scores.get(&Label::HoldRequest).copied().unwrap_or(0.0);
        match observed.utterance.channel {
            Channel::Agent if score >= holds.holds => return true,
            Channel::Customer if !is_back_channel(observed.utterance.text.as_str()) => return false,
            _ => {}
        }
    }
    false
}

fn overtalk(agent: &[Span], customer: &[Span]) -> Vec<Span> {
    let mut overlaps: Vec<Span> = agent
        .iter()
        .flat_map(|a| customer.iter().filter_map(move |c| a.overlap(c)))
        .filter(|overlap| overlap.len_ms() >= OVERTALK_MS)
        .collect();
    overlaps.sort_unstable();
    overlaps
}

fn interruptions(transcript: &[Observed]) -> Vec<Interruption> {
    let mut found = Vec::new();
    for incoming in transcript {
        let (by, span) = (incoming.utterance.channel, incoming.utterance.span);
        if by == Channel::Mixed
            || is_back_channel(incoming.utterance.text.as_str())
            || goes_on(transcript, incoming)
        {
            continue;
        }
        let overlap = transcript
            .iter()
            .filter(|other| other.utterance.channel != by)
            .filter(|other| {
                span.start_ms >= other.utterance.span.start_ms.saturating_add(INTERRUPTION_AFTER_MS)
            })
            .filter_map(|other| span.overlap(&other.utterance.span))
            .find(|overlap| overlap.len_ms() >= INTERRUPTION_OVERLAP_MS);
        found.extend(overlap.map(|overlap| Interruption { by, overlap }));
    }
    found
}

/// Who has been speaking without a pause does not start to speak, however a transcriber cuts the words.
fn goes_on(transcript: &[Observed], incoming: &Observed) -> bool {
    let start_ms = incoming.utterance.span.start_ms;
    transcript.iter().any(|earlier| {
        let utterance = &earlier.utterance;
        utterance.channel == incoming.utterance.channel
            && utterance.span.start_ms < start_ms
            && start_ms < utterance.span.end_ms.saturating_add(JOINED_UNDER_MS)
            && !is_back_channel(utterance.text.as_str())
    })
}

#[allow(clippy::cast_precision_loss)] // counts and milliseconds of one call
fn pace(observations: &Observations, channel: Channel) -> Option<f32> {
    let spoken_ms = observations.speech_ms(channel);
    let language = observations.channels.iter().find(|c| c.channel == channel)?.language?;
    if spoken_ms == 0 {
        return None;
    }
    let units: usize = observations
        .utterances
        .iter()
        .filter(|o| o.utterance.channel == channel)
        .map(|o| spoken_units(o.utterance.text.as_str(), language))
        .sum();
    Some((units as f32 * 60_000.0 / spoken_ms as f32 * 10.0).round() / 10.0)
}

/// Han characters, a digit counting as one (zh), or words (en).
fn spoken_units(text: &str, language: Language) -> usize {
    match language {
        Language::Zh => text.chars().filter(|c| is_han(*c) || c.is_numeric()).count(),
        Language::En => text.split_whitespace().filter(|w| w.chars().any(char::is_alphanumeric)).count(),
    }
}

/// Unified ideographs: the basic block and extension A.
#[must_use]
pub(crate) fn is_han(c: char) -> bool {
    matches!(c, '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_call::call_from;

    #[track_caller]
    fn check_silence(lines: &str, expect: &[(u64, u64, bool)]) {
        let silences = Acoustics::of(&call_from(lines)).silences;
        let found: Vec<_> = silences.iter().map(|s| (s.span.start_ms, s.span.end_ms, s.announced)).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn a_silence_lasts_three_seconds() {
        check_silence("a@0-1000 您好 | c@3999-5000 你好 | a@8000-9000 请讲", &[(5000, 8000, false)]);
    }

    #[test]
    fn a_hold_request_announces_it() {
        check_silence(
            "a@0-1000 请稍等 #hold_request | c@1200-1500 好的 | a@20000-21000 久等了",
            &[(1500, 20000, true)],
        );
    }

    #[test]
    fn a_customer_turn_ends_the_announcement() {
        check_silence(
            "a@0-1000 请稍等 #hold_request | c@1200-2500 我还有一个问题 | a@20000-21000 久等了",
            &[(2500, 20000, false)],
        );
    }

    #[test]
    fn only_long_unannounced_silence_is_dead_air() {
        let acoustics = Acoustics::of(&call_from("a@0-1000 您好 | c@11000-12000 喂 | a@20000-21000 在的"));
        assert_eq!(acoustics.dead_air().collect::<Vec<_>>(), [Span::new(1000, 11000)]);
    }

    #[track_caller]
    fn check_interruptions(lines: &str, agent: usize) {
        assert_eq!(Acoustics::of(&call_from(lines)).interruptions_by(Channel::Agent), agent);
    }

    #[test]
    fn coming_in_late_with_words_interrupts() {
        check_interruptions("c@0-4000 我昨天买的东西 | a@2000-5000 这个我知道", 1);
    }

    #[test]
    fn a_back_channel_does_not_interrupt() {
        check_interruptions("c@0-4000 我昨天买的东西 | a@2000-3000 嗯嗯", 0);
    }

    #[test]
    fn beginning_together_does_not_interrupt() {
        check_interruptions("c@0-4000 我昨天买的东西 | a@900-3000 您请讲", 0);
    }

    #[test]
    fn a_short_overlap_does_not_interrupt() {
        check_interruptions("c@0-4000 我昨天买的东西 | a@3501-6000 好的我看看", 0);
    }

    #[test]
    fn pace_counts_characters_or_words_of_speech_time() {
        let zh = Acoustics::of(&call_from("a@0-6000 您的余额是32元。 | c@10000-11000 好"));
        assert_eq!(zh.agent_pace, Some(80.0));
        let en =
            Acoustics::of(&call_from("lang=en | a@0-6000 Your balance is 32 dollars. | c@10000-11000 ok"));
        assert_eq!(en.agent_pace, Some(50.0));
    }

    #[test]
    fn a_digit_counts_as_a_character_and_punctuation_as_none() {
        let acoustics = Acoustics::of(&call_from("a@0-6000 工号1024，您好！ | c@10000-16000 嗯…嗯"));
        assert_eq!((acoustics.agent_pace, acoustics.customer_pace), (Some(80.0), Some(20.0)));
        assert_eq!(Acoustics::of(&call_from("c@0-1000 喂")).agent_pace, None);
    }

    #[test]
    fn dead_air_lasts_ten_seconds() {
        let dead = |lines: &str| Acoustics::of(&call_from(lines)).dead_air().count();
        assert_eq!(dead("a@0-1000 您好 | c@10999-12000 喂"), 0);
        assert_eq!(dead("a@0-1000 您好 | c@11000-12000 喂"), 1);
        assert_eq!(dead("a@0-1000 请稍等 #hold_request | c@11000-12000 喂"), 0);
    }

    #[test]
    fn both_at_once_for_half_a_second() {
        let overtalk = |lines: &str| Acoustics::of(&call_from(lines)).overtalk;
        assert_eq!(overtalk("a@0-3000 您好 | c@2501-5500 你好"), []);
        assert_eq!(overtalk("a@0-3000 您好 | c@2000-2600 嗯"), [Span::new(2000, 2600)]);
    }

    #[test]
    fn one_track_tells_nothing_about_who_speaks() {
        let mono = Acoustics::of(&call_from("m@0-3000 您好 | m@7000-9000 你好 | m@8000-9500 那个"));
        assert_eq!((mono.talk_ratio, mono.agent_pace, mono.customer_pace), (None, None, None));
        assert!(mono.overtalk.is_empty() && mono.interruptions.is_empty());
        assert_eq!(mono.silences.len(), 1);
    }

    #[test]
    fn overtalk_and_talk_ratio() {
        let acoustics = Acoustics::of(&call_from("a@0-3000 您好 | c@2500-5500 你好"));
        assert_eq!(acoustics.overtalk, [Span::new(2500, 3000)]);
        assert_eq!(acoustics.talk_ratio, Some(0.5));
    }
}
