//! The dialogue of a case: one line an utterance, `agent @1.5-4.0: 您好 #greeting #courteous?`.

use callqa_domain::{Channel, Label, Task};
use serde_json::{Value, json};

use super::sheet::Sheet;

/// Marks a label, on a keyboard that is set to English or to Chinese.
const LABEL_MARKS: [char; 2] = ['#', '＃'];
/// Marks a label that is in doubt.
const DOUBT_MARKS: [char; 2] = ['?', '？'];
/// Stands between the speaker and the words.
const COLONS: [char; 2] = [':', '：'];
/// Characters of a wrong label that a message shows: more is no label but a sentence.
const SHOWN_LABEL: usize = 30;

/// One line of a dialogue.
#[derive(Debug, PartialEq)]
pub struct Line {
    /// On which line of the file it stands.
    pub number: usize,
    /// As a turn of the dialogues that `callqa judge` reads.
    pub turn: Value,
    /// Labels that a classifier would be in doubt about.
    pub doubtful: Vec<Label>,
}

/// Reads a dialogue. What can't be read is noted on the sheet, and the rest is read all the same.
pub fn read(lines: &[(usize, &str)], sheet: &mut Sheet<'_>) -> Vec<Line> {
    let written = lines.iter().filter(|(_, line)| !line.trim().is_empty());
    written.filter_map(|&(number, line)| read_line(number, line.trim(), sheet)).collect()
}

fn read_line(number: usize, line: &str, sheet: &mut Sheet<'_>) -> Option<Line> {
    let Some((speaker, times, said)) = cut_speaker(line) else {
        sheet.wrong_on(number, without_speaker(line));
        return None;
    };
    let mut parts = said.split(LABEL_MARKS);
    let text = parts.next().unwrap_or_default().trim();
    let labels = read_labels(number, speaker, parts, sheet);
    let times = times.and_then(|times| match read_times(times) {
        Ok(times) => Some(times),
        Err(says) => {
            sheet.wrong_on(number, says);
            None
        }
    });
    if text.is_empty() && !labels.is_empty() {
        sheet.wrong_on(number, "labels without words: write what was said, or take the labels away");
    } else if text.is_empty() && times.is_none() {
        sheet.wrong_on(
            number,
            "nothing is said: write the words, or a time such as @12.5-14.0 for speech that nobody understood",
        );
    }
    let given = |task: Task| {
        labels
            .iter()
            .filter(move |(label, doubtful)| !doubtful && label.task() == task)
            .map(|(label, _)| label)
    };
    let mut turn = json!({
        "speaker": speaker.name(),
        "text": text,
        "labels": {
            "politeness": given(Task::Politeness).next(),
            "resolution": given(Task::Resolution).collect::<Vec<_>>(),
            "script": given(Task::Script).collect::<Vec<_>>(),
        },
    });
    if let Some((start_ms, end_ms)) = times {
        turn["start_ms"] = start_ms.into();
        turn["end_ms"] = end_ms.into();
    }
    let doubtful = labels.iter().filter(|(_, doubtful)| *doubtful).map(|(label, _)| *label).collect();
    Some(Line { number, turn, doubtful })
}

/// Who, when if that is written, and the rest of the line.
fn cut_speaker(line: &str) -> Option<(Channel, Option<&str>, &str)> {
    let (head, said) = line.split_once(COLONS)?;
    let (who, times) = head.split_once('@').map_or((head, None), |(who, times)| (who, Some(times)));
    let speakers = [Channel::Agent, Channel::Customer];
    let speaker = speakers.into_iter().find(|speaker| who.trim().eq_ignore_ascii_case(speaker.name()))?;
    Some((speaker, times.map(str::trim), said))
}

fn without_speaker(line: &str) -> &'static str {
    let names = |rest: &str| cut_speaker(rest).is_some();
    let later = line.char_indices().skip(1).any(|(at, _)| names(&line[at..]));
    if later {
        "text stands before the speaker: begin the line with `agent:` or `customer:`"
    } else {
        "nobody says this: begin the line with `agent:` or `customer:`, and keep an utterance on one line"
    }
}

/// The labels of a line, and whether each is in doubt.
fn read_labels<'l>(
    number: usize,
    speaker: Channel,
    names: impl Iterator<Item = &'l str>,
    sheet: &mut Sheet<'_>,
) -> Vec<(Label, bool)> {
    let mut labels: Vec<(Label, bool)> = Vec::new();
    for name in names.map(str::trim) {
        let sure = name.strip_suffix(DOUBT_MARKS);
        let (name, doubtful) = (sure.unwrap_or(name), sure.is_some());
        let Some(&label) = Label::ALL.iter().find(|label| label.name() == name) else {
            sheet.wrong_on(number, unknown_label(name, speaker));
            continue;
        };
        let polite = |(given, doubtful): &&(Label, bool)| !doubtful && given.task() == Task::Politeness;
        let second = labels.iter().find(polite).filter(|_| polite(&&(label, doubtful)));
        if label.speaker() != speaker {
            let (name, whose) = (label.name(), label.speaker().name());
            sheet.wrong_on(
                number,
                format!("#{name} is only ever given to the {whose}: take it away, or change who speaks"),
            );
        } else if let Some((first, _)) = second {
            sheet.wrong_on(
                number,
                format!("#{} and #{name}: of these an utterance has one; keep one", first.name()),
            );
        } else {
            labels.push((label, doubtful));
        }
    }
    labels
}

fn unknown_label(name: &str, speaker: Channel) -> String {
    let shown: String = name.chars().take(SHOWN_LABEL).collect();
    let theirs = Label::ALL.iter().filter(|label| label.speaker() == speaker);
    let theirs = theirs.map(|label| label.name()).collect::<Vec<_>>().join(", ");
    format!("#{shown} is no label; the {}'s are: {theirs}", speaker.name())
}

/// Milliseconds, of `12.5-14.0` seconds.
fn read_times(times: &str) -> Result<(u64, u64), String> {
    let seconds =
        |text: &str| text.trim().parse::<f64>().ok().filter(|time| time.is_finite() && *time >= 0.0);
    let both = times.split_once('-').and_then(|(start, end)| Some((seconds(start)?, seconds(end)?)));
    let Some((start, end)) = both else {
        return Err("this is no time: write @start-end in seconds of the call, such as @12.5-14.0".to_owned());
    };
    if end <= start {
        return Err(format!("it ends at {end} s and starts at {start} s: the end must be the later"));
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    // too long a time is refused with the dialogue
    let ms = |seconds: f64| (seconds * 1_000.0).round() as u64;
    Ok((ms(start), ms(end)))
}
