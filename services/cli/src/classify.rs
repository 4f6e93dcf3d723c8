//! `callqa classify`: what single utterances do, without recordings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use callqa_domain::{Channel, Label, RawText, Scores, Span, Task, Utterance, redact, redact_across};
use callqa_models::{Classifier, ModelError, Scene, StopSignal};
use serde::Serialize;
use serde_json::Value;

use crate::dialogue::{self, Fields, Place, Refusal};
use crate::lines::{self, Line, Lines};
use crate::models::Whereabouts;
use crate::{CliError, Done, terminal};

/// Lines that are classified together: enough to fill the encoder's batches, few enough that whoever waits for
/// answers gets the first ones within a second.
const BATCH: usize = 64;
/// Written lines have no times: each is given one second, in their order.
const MADE_UP_MS: u64 = 1_000;

/// Classifies utterances, a JSON object a line
///
/// Reads JSON Lines: {"id", "lang", "speaker": "agent" or "customer", "context": [{"speaker", "text"}, oldest
/// first], "text"}. lang and context may be missing; of the context the last two turns count, and of a long text
/// its last 128 tokens. Blank lines are passed over.
///
/// Writes JSON Lines in the same order: {"id", "politeness", "resolution", "script", "decided"}. The first three
/// hold the probability (0-1) of each label that this speaker's utterances can have; politeness is null for a
/// customer. decided holds what they amount to: the likeliest politeness, and the labels of resolution and script
/// at or above the threshold that their classifier's card declares. Output comes 64 lines at a time.
///
/// A line that can't be read gives {"id", "error"} in its place and a sentence on standard error; the rest goes on,
/// and the exit code is 1.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// JSON Lines in UTF-8, at most 1 MiB a line [default: standard input, as is -]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    models: Whereabouts,
}

impl Args {
    /// Classifies every line.
    ///
    /// # Errors
    /// Classifiers that can't be opened or that fail; output that can't be written.
    pub fn run(&self) -> Result<Done, CliError> {
        let classifier = self.models.classifier()?;
        let standard_input = [PathBuf::from("-")];
        let files = if self.files.is_empty() { &standard_input[..] } else { &self.files };
        let mut desk = Desk { classifier: &*classifier, waiting: Vec::new(), done: Done::Well };
        for path in files {
            desk.take_file(path)?;
        }
        desk.answer()?;
        Ok(desk.done)
    }
}

/// Collects lines until there are enough to be classified together.
struct Desk<'a> {
    classifier: &'a dyn Classifier,
    waiting: Vec<Entry>,
    done: Done,
}

impl Desk<'_> {
    fn take_file(&mut self, path: &Path) -> Result<(), CliError> {
        let name = lines::name(path);
        match lines::open(path) {
            Err(error) => self.complain(&format!("{name}: {error}")),
            Ok(source) => {
                for line in Lines::of(source) {
                    match line {
                        // The lines before it are answered all the same.
                        Err(error) => {
                            self.complain(&format!("{name}: {error}"));
                            break;
                        }
                        Ok(line) => self.waiting.extend(Entry::read(&name, &line)),
                    }
                    if self.waiting.len() >= BATCH {
                        self.answer()?;
                    }
                }
            }
        }
        Ok(())
    }

    fn answer(&mut self) -> Result<(), CliError> {
        for entry in &self.waiting {
            if let Err(refusal) = &entry.said {
                terminal::complain(&format!("{}: {refusal}", entry.origin));
                self.done = Done::WithFailures;
            }
        }
        terminal::print(&answers(self.classifier, &self.waiting)?)?;
        self.waiting.clear();
        Ok(())
    }

    fn complain(&mut self, message: &str) {
        terminal::complain(message);
        self.done = Done::WithFailures;
    }
}

/// One line of input.
struct Entry {
    /// `utterances.jsonl:3`.
    origin: String,
    id: Value,
    /// What was said before, oldest first, and then the utterance itself; or why it can't be read.
    said: Result<Vec<Utterance>, Refusal>,
}

impl Entry {
    /// `None` where the line is blank.
    fn read(file: &str, line: &Line) -> Option<Self> {
        let origin = format!("{file}:{}", line.number);
        let Some(bytes) = &line.bytes else {
            return Some(Self { origin, id: Value::Null, said: Err(Refusal::LineTooLong) });
        };
        if bytes.trim_ascii().is_empty() {
            return None;
        }
        Some(match serde_json::from_slice(bytes) {
            Ok(value) => Self { origin, id: dialogue::id_of(&value), said: transcript(&value) },
            Err(error) => Self { origin, id: Value::Null, said: Err(error.into()) },
        })
    }
}

fn transcript(value: &Value) -> Result<Vec<Utterance>, Refusal> {
    let line = Fields::of(value, Place::Object)?;
    line.id()?;
    let context = line.optional("context", "a list of {\"speaker\", \"text\"}", Value::as_array)?;
    let mut transcript = Vec::new();
    for (number, before) in (1..).zip(context.into_iter().flatten()) {
        transcript.push(Fields::of(before, Place::Context(number))?);
    }
    transcript.push(line);
    let mut transcript: Vec<Utterance> =
        (0..).zip(&transcript).map(|(at, fields)| utterance(at, fields)).collect::<Result<_, _>>()?;
    redact_across(&mut transcript);
    Ok(transcript)
}

fn utterance(at: u64, fields: &Fields<'_>) -> Result<Utterance, Refusal> {
    let (text, redactions) = redact(&RawText::new(fields.text()?));
    let span = Span::new(at * MADE_UP_MS, (at + 1) * MADE_UP_MS);
    Ok(Utterance { channel: fields.speaker()?, span, text, redactions, confidence: 1.0 })
}

/// One output line for each entry, in their order.
fn answers(classifier: &dyn Classifier, entries: &[Entry]) -> Result<String, CliError> {
    let said = entries.iter().filter_map(|entry| entry.said.as_ref().ok());
    let scenes: Vec<Scene<'_>> =
        said.map(|said| Scene { transcript: said, judged_from: said.len().saturating_sub(1) }).collect();
    let scores = classifier.classify(&scenes, &StopSignal::new())?.concat();
    if scores.len() != scenes.len() {
        let what = format!("{} scores for {} utterances", scores.len(), scenes.len());
        return Err(ModelError::Onnx { name: "classifier", what }.into());
    }
    let mut scored = scenes.iter().flat_map(Scene::judged).zip(&scores);
    let lines = entries.iter().map(|entry| match &entry.said {
        Err(refusal) => dialogue::refused(&entry.id, refusal),
        Ok(_) => scored.next().map_or(Ok(String::new()), |(utterance, scores)| {
            dialogue::json_line(&Answer {
                id: &entry.id,
                politeness: (utterance.channel == Channel::Agent).then(|| of(Task::Politeness, scores)),
                resolution: of(Task::Resolution, scores),
                script: of(Task::Script, scores),
                decided: decided(utterance, scores, classifier.decides()),
            })
        }),
    });
    lines.collect()
}

/// What the classifiers say of an utterance. Probabilities 0–1.
#[derive(Serialize)]
struct Answer<'a> {
    id: &'a Value,
    politeness: Option<BTreeMap<Label, f32>>,
    resolution: BTreeMap<Label, f32>,
    script: BTreeMap<Label, f32>,
    decided: Decided,
}

/// What the probabilities amount to.
#[derive(Serialize)]
struct Decided {
    politeness: Option<Label>,
    resolution: Vec<Label>,
    script: Vec<Label>,
}

fn of(task: Task, scores: &Scores) -> BTreeMap<Label, f32> {
    scores.iter().filter(|(label, _)| label.task() == task).map(|(&label, &p)| (label, p)).collect()
}

/// The labels that an utterance is given. Who says no word does nothing.
fn decided(utterance: &Utterance, scores: &Scores, decides: &BTreeMap<Label, f32>) -> Decided {
    let has_words = utterance.text.as_str().contains(char::is_alphanumeric);
    let likeliest = of(Task::Politeness, scores).into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
    let holding = |task| {
        let told = |label: &Label, p: f32| has_words && decides.get(label).is_some_and(|&from| p >= from);
        of(task, scores).into_iter().filter(|(label, p)| told(label, *p)).map(|(label, _)| label).collect()
    };
    Decided {
        politeness: likeliest.filter(|_| has_words).map(|(label, _)| label),
        resolution: holding(Task::Resolution),
        script: holding(Task::Script),
    }
}

#[cfg(test)]
mod tests {
    use callqa_models::scripted::Keywords;

    use super::*;

    fn entries(source: &str) -> Vec<Entry> {
        let lines = Lines::of(source.as_bytes()).map(Result::unwrap);
        lines.filter_map(|line| Entry::read("x.jsonl", &line)).collect()
    }

    fn output(source: &str) -> Vec<Value> {
        let keywords = Keywords::of(&[
            ("thank", Label::Courteous),
            ("hello", Label::Greeting),
            ("again", Label::RepeatContact),
        ]);
        let text = answers(&keywords, &entries(source)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn an_agents_line() {
        let out =
            &output(r#"{"id":"a","lang":"en","speaker":"agent","context":[],"text":"Hello, thank you"}"#)[0];
        assert_eq!(out["id"], "a");
        assert_eq!(out["politeness"].as_object().unwrap().len(), 4);
        assert_eq!(out["resolution"].as_object().unwrap().len(), 4);
        assert_eq!(out["script"].as_object().unwrap().len(), 13);
        let decided = r#"{"politeness":"courteous","resolution":[],"script":["greeting"]}"#;
        assert_eq!(out["decided"], serde_json::from_str::<Value>(decided).unwrap());
    }

    #[test]
    fn a_customers_line() {
        let out = &output(r#"{"id":7,"speaker":"customer","text":"hello, me again"}"#)[0];
        assert_eq!(out["id"], 7);
        assert!(out["politeness"].is_null());
        assert_eq!(out["resolution"].as_object().unwrap().len(), 10);
        assert_eq!(out["script"].as_object().unwrap().len(), 0);
        let decided = r#"{"politeness":null,"resolution":["repeat_contact"],"script":[]}"#;
        assert_eq!(out["decided"], serde_json::from_str::<Value>(decided).unwrap());
    }

    #[test]
    fn only_the_line_itself_is_scored() {
        let context = r#"[{"speaker":"agent","text":"hello"},{"speaker":"customer","text":"again"}]"#;
        let line = format!(r#"{{"id":"a","speaker":"agent","context":{context},"text":"yes"}}"#);
        assert_eq!(output(&line)[0]["decided"]["script"].as_array().unwrap().len(), 0);
    }

    #[test]
    fn without_words_nobody_is_polite() {
        for text in ["", "  ", "……", "😀"] {
            let line = format!(r#"{{"id":"a","speaker":"agent","text":"{text}"}}"#);
            let out = &output(&line)[0];
            assert!(out["decided"]["politeness"].is_null(), "{text}");
            assert!(out["politeness"].is_object(), "{text}");
        }
    }

    #[test]
    fn a_refused_line_keeps_its_place() {
        let good = r#"{"id":"a","speaker":"agent","text":"hello"}"#;
        let out = output(&format!("{good}\nsecret\n\n{{\"id\":\"b\",\"text\":\"secret\"}}\n{good}"));
        let ids: Vec<&Value> = out.iter().map(|line| &line["id"]).collect();
        assert_eq!(ids, ["a".into(), Value::Null, "b".into(), "a".into()].iter().collect::<Vec<_>>());
        assert!(out[1]["error"].is_string() && out[2]["error"].is_string(), "{out:?}");
    }

    #[track_caller]
    fn check_refusal(line: &str, expect: &str) {
        let entry = entries(line).pop().unwrap();
        assert_eq!(entry.origin, "x.jsonl:1");
        assert_eq!(entry.said.unwrap_err().to_string(), expect);
    }

    #[test]
    fn refusals_never_quote() {
        check_refusal("{secret", "this is not JSON (column 2); correct it, and write it in UTF-8");
        check_refusal("[]", "this is not a JSON object; write {\"…\": …}");
        check_refusal(
            r#"{"speaker":"agent","text":"secret"}"#,
            "`id` is missing; it must be a string or a number",
        );
        check_refusal(r#"{"id":"a","speaker":"agent"}"#, "`text` is missing; it must be a string");
        check_refusal(r#"{"id":"a","speaker":"agent","text":5}"#, "`text` must be a string");
        check_refusal(
            r#"{"id":"a","speaker":"secret","text":"secret"}"#,
            "`speaker` must be \"agent\" or \"customer\"",
        );
        check_refusal(
            r#"{"id":"a","speaker":"agent","context":[{"speaker":"bot","text":"x"}],"text":""}"#,
            "context 1: `speaker` must be \"agent\" or \"customer\"",
        );
        check_refusal(
            r#"{"id":"a","speaker":"agent","context":["secret"],"text":""}"#,
            "context 1: this is not a JSON object; write {\"…\": …}",
        );
    }

    #[test]
    fn numbers_are_taken_out_before_they_are_classified() {
        let context = r#"[{"speaker":"agent","text":"请提供身份证后四位"}]"#;
        let line = format!(r#"{{"id":"a","speaker":"customer","context":{context},"text":"7219"}}"#);
        let said = entries(&line).pop().unwrap().said.unwrap();
        assert_eq!(said[1].text.as_str(), "[partial_number]");
    }
}
