//! WebVTT: the transcript as captions, each with its speaker as a voice.

use callqa_domain::Channel;

use super::Told;

/// A caption must last: an utterance without a length gets this.
const SHORTEST_MS: u64 = 1;

/// The captions of a call.
pub(super) fn captions(told: &Told<'_>) -> String {
    let mut text = "WEBVTT\n".to_owned();
    for (number, observed) in (1..).zip(&told.filed.observations.utterances) {
        let utterance = &observed.utterance;
        let end_ms = utterance.span.end_ms.max(utterance.span.start_ms.saturating_add(SHORTEST_MS));
        text.push_str(&format!(
            "\n{number}\n{} --> {}\n<v {}>{}\n",
            timestamp(utterance.span.start_ms),
            timestamp(end_ms),
            voice(utterance.channel),
            escaped(utterance.text.as_str()),
        ));
    }
    text
}

fn voice(channel: Channel) -> &'static str {
    match channel {
        Channel::Agent => "Agent",
        Channel::Customer => "Customer",
        Channel::Mixed => "Agent or customer",
    }
}

/// `00:01:02.500`.
fn timestamp(ms: u64) -> String {
    let (seconds, ms) = (ms / 1_000, ms % 1_000);
    format!("{:02}:{:02}:{:02}.{ms:03}", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}

/// On one line, and with nothing that could be read as markup or as a time.
fn escaped(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
