//! Calls on file: what `callqa assess --json` printed, stored rows of observations, or written dialogues.

mod assessment;
mod event;

use std::collections::HashMap;
use std::path::Path;

use callqa_domain::{Call, Observations, Rulebook};
use callqa_proto::reassemble;
use serde_json::Value;

pub use event::Event;

use crate::dialogue::{self, Refusal};
use crate::judge::document::{self, Documents};
use crate::judge::opened::Opened;
use crate::judge::transcript::Dialogue;
use crate::models::Whereabouts;
use crate::rules::{ONLY_OTHER_TOPICS, Place, RowRefusal, Shelf, counted, row_of, unwrapped};
use crate::{CliError, lines, terminal};

/// A call that was heard before.
pub struct Filed {
    /// What its event said.
    pub call: Call,
    /// What was observed of it.
    pub observations: Observations,
    /// Which rulebook it was judged by.
    pub judged_by: JudgedBy,
}

/// What a file says of the rulebook that a call was judged by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JudgedBy {
    /// Its digest.
    Digest(String),
    /// The call was judged; by what is not on file.
    NotSaid,
    /// A written dialogue: nobody judged it before.
    Nobody,
}

/// Why a document is not taken. Holds nothing of what was said.
#[derive(Debug, thiserror::Error)]
pub enum FiledRefusal {
    /// It is none of the kinds that are read here.
    #[error(
        "this is no call on file: give an assessment (`callqa assess --json`), rows of qa.observations.v1, or a \
         dialogue as `callqa judge` reads it"
    )]
    OtherKind,
    /// A call that was excluded.
    #[error("this call was not assessed, so there is nothing to tell of it")]
    NotAssessed,
    /// An assessment of another version.
    #[error(
        "a field of this assessment is missing or holds another kind of value than this version of callqa writes"
    )]
    OtherShape,
    /// A dialogue that can't be read.
    #[error(transparent)]
    Dialogue(#[from] Refusal),
    /// A row that can't be read.
    #[error(transparent)]
    Row(#[from] RowRefusal),
}

/// Reads files of calls.
pub struct Files<'a> {
    opened: Opened<'a>,
    shelf: Shelf,
    /// Files, documents and rows that could not be read.
    pub unread: usize,
    /// Rows of a summary that are no observations.
    passed_over: usize,
    /// Documents of other calls than the one that is wanted.
    of_others: usize,
}

impl<'a> Files<'a> {
    /// Nothing is read yet; models are opened where a dialogue needs them.
    pub fn of(models: &'a Whereabouts) -> Self {
        Self { opened: Opened::of(models), shelf: Shelf::default(), unread: 0, passed_over: 0, of_others: 0 }
    }

    /// Every call of these files, or the one that is wanted; others are not kept then, and no model is asked about
    /// them.
    ///
    /// # Errors
    /// A call that is not there; what [`Self::calls`] fails with.
    pub fn wanted(
        &mut self,
        files: &[std::path::PathBuf],
        call: Option<&str>,
    ) -> Result<Vec<Filed>, CliError> {
        let mut calls = self.calls(files, call)?;
        let Some(wanted) = call else { return Ok(calls) };
        calls.retain(|filed| filed.call.call_id == wanted);
        if calls.is_empty() { Err(CliError::NoCall { call: wanted.to_owned() }) } else { Ok(calls) }
    }

    /// Every call of these files, as its last result of its highest revision has it. What can't be read is told on
    /// standard error, and the rest goes on.
    ///
    /// # Errors
    /// Models that can't be opened or that fail.
    fn calls(&mut self, files: &[std::path::PathBuf], wanted: Option<&str>) -> Result<Vec<Filed>, CliError> {
        let mut calls = Vec::new();
        for path in files {
            match document::stream(path) {
                Ok(documents) => self.read(path, documents, wanted, &mut calls)?,
                Err(error) => self.complain(&error.to_string()),
            }
        }
        for (place, refusal) in self.shelf.incomplete() {
            self.complain(&format!("{place}: {refusal}"));
        }
        if calls.is_empty() && self.unread == 0 && self.of_others == 0 && self.passed_over > 0 {
            self.complain(ONLY_OTHER_TOPICS);
        }
        let read = calls.len();
        let calls = latest(calls);
        if calls.len() < read {
            let superseded = counted(read - calls.len(), "result");
            terminal::note(&format!("callqa: {superseded} superseded by another of the same call"));
        }
        Ok(calls)
    }

    fn read(
        &mut self,
        path: &Path,
        documents: Documents,
        wanted: Option<&str>,
        calls: &mut Vec<Filed>,
    ) -> Result<(), CliError> {
        let file = lines::name(path);
        for document in documents {
            let document = match document {
                Ok(document) => document,
                Err(error) => {
                    self.complain(&error.to_string());
                    return Ok(());
                }
            };
            let (id, read) = match document.value {
                Ok(value) => {
                    let Some(value) = unwrapped(value) else {
                        self.passed_over += 1;
                        continue;
                    };
                    if wanted.is_some_and(|call| is_of_another(&value, call)) {
                        self.of_others += 1;
                        continue;
                    }
                    let id = value.get("call_id").cloned().unwrap_or_else(|| dialogue::id_of(&value));
                    let place = Place { file: file.clone(), line: document.at.number() };
                    (id, self.filed(&place, value)?)
                }
                Err(refusal) => (Value::Null, Err(refusal.into())),
            };
            match read {
                Ok(filed) => calls.extend(filed),
                Err(refusal) => self.complain(&format!("{}: {refusal}", document.at.of(&file, &id))),
            }
        }
        Ok(())
    }

    /// A call, or nothing yet where more rows of it must come.
    fn filed(
        &mut self,
        place: &Place,
        value: Value,
    ) -> Result<Result<Option<Filed>, FiledRefusal>, CliError> {
        if value.get("turns").is_some() {
            let dialogue = match Dialogue::read(&value) {
                Ok(dialogue) => dialogue,
                Err(refusal) => return Ok(Err(refusal.into())),
            };
            let observations = self.opened.read(&dialogue)?.observations;
            return Ok(Ok(Some(Filed { call: dialogue.call, observations, judged_by: JudgedBy::Nobody })));
        }
        // A row of the results topic has an ending too; only an assessment has the words.
        if assessment::is_one(&value) && value.get("result_id").is_none() {
            return Ok(assessment::read(value).map(Some));
        }
        Ok(if value.get("result_id").is_some() {
            self.row(place, value).map_err(FiledRefusal::from)
        } else {
            Err(FiledRefusal::OtherKind)
        })
    }

    fn row(&mut self, place: &Place, value: Value) -> Result<Option<Filed>, RowRefusal> {
        let Some(rows) = self.shelf.put(place, row_of(value)?) else { return Ok(None) };
        let (call, observations) = reassemble(rows)?;
        Ok(Some(Filed { call, observations, judged_by: JudgedBy::NotSaid }))
    }

    fn complain(&mut self, message: &str) {
        terminal::complain(message);
        self.unread += 1;
    }
}

/// Whether a document says which call it is of, and that is another.
fn is_of_another(value: &Value, call: &str) -> bool {
    let field = if value.get("turns").is_some() { "id" } else { "call_id" };
    match value.get(field) {
        Some(Value::String(id)) => id != call,
        Some(Value::Number(id)) => id.to_string() != call,
        _ => false,
    }
}

/// Of each call the highest revision, and of that the last result; in the order in which the calls first came.
fn latest(calls: Vec<Filed>) -> Vec<Filed> {
    let mut latest: Vec<Filed> = Vec::new();
    let mut places: HashMap<(String, String), usize> = HashMap::new();
    for filed in calls {
        let name = (filed.call.tenant.clone(), filed.call.call_id.clone());
        match places.get(&name).and_then(|&at| latest.get_mut(at)) {
            Some(known) if known.call.revision > filed.call.revision => {}
            Some(known) => *known = filed,
            None => {
                places.insert(name, latest.len());
                latest.push(filed);
            }
        }
    }
    latest
}

/// Says so where calls on file were judged by other rules than those at hand, or may have been.
pub fn note_rulebook(calls: &[Filed], rulebook: &Rulebook) {
    notes(calls, rulebook).iter().for_each(|note| terminal::note(&format!("callqa: {note}")));
}

fn notes(calls: &[Filed], rulebook: &Rulebook) -> Vec<String> {
    let name = format!("{} {}", rulebook.id(), rulebook.version());
    let other = |filed: &&Filed| match &filed.judged_by {
        JudgedBy::Digest(digest) => digest != rulebook.digest(),
        JudgedBy::NotSaid | JudgedBy::Nobody => false,
    };
    let mut notes: Vec<String> = calls
        .iter()
        .filter(other)
        .map(|filed| {
            let id = &filed.call.call_id;
            format!("{id}: on file it is judged by another rulebook; what follows is what {name} says of it")
        })
        .collect();
    if calls.iter().any(|filed| filed.judged_by == JudgedBy::NotSaid) {
        notes.push(format!(
            "what is on file does not say which rulebook judged these calls; what follows is what {name} says of \
             them"
        ));
    }
    notes
}

#[cfg(test)]
mod tests;
