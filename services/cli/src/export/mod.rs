//! `callqa export`: one call in forms that other tools and people read.

mod contact_lens;
mod report;
mod timeline;
mod transcript;
mod vtt;

use std::fs;
use std::path::{Path, PathBuf};

use callqa_domain::{Judgement, Rulebook, judge};

use crate::filed::{Filed, Files, note_other_rules};
use crate::models::Whereabouts;
use crate::words::Tongue;
use crate::{CliError, Done, rules, terminal};

/// Characters of a call's id that stand in a file's name; file systems take 255 bytes.
const LONGEST_STEM: usize = 100;

/// Writes calls as JSON in the shape of Amazon Contact Lens, as WebVTT, or as a report to read and print
///
/// Reads assessments as `callqa assess --json` prints them, rows of qa.observations.v1 as JSON Lines, and dialogues as
/// `callqa judge` reads them. The call is judged by the rulebook given here. Everything that is written is redacted.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Calls on file, in JSON or JSON Lines; - is standard input
    #[arg(required = true, value_name = "CALL")]
    files: Vec<PathBuf>,
    /// What to write
    #[arg(long, value_enum, value_name = "FORM")]
    to: Form,
    /// Only this call of the files
    #[arg(long, value_name = "ID")]
    call: Option<String>,
    /// A folder that gets a file a call [default: one call, to standard output]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Rulebook in TOML [default: the service baseline, which is built in]
    #[arg(long, value_name = "FILE")]
    rulebook: Option<PathBuf>,
    /// Language of a report [default: the call's]
    #[arg(long, value_enum)]
    lang: Option<Tongue>,
    #[command(flatten)]
    models: Whereabouts,
}

/// A form in which a call can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// JSON in the shape of Amazon Contact Lens' analysis of a call; holds what callqa knows, and nothing else
    ContactLens,
    /// WebVTT captions with their speakers
    Vtt,
    /// A page of HTML that needs nothing else: score, verdicts with evidence and times, transcript
    Html,
}

impl Form {
    fn ending(self) -> &'static str {
        match self {
            Self::ContactLens => "json",
            Self::Vtt => "vtt",
            Self::Html => "html",
        }
    }
}

impl Args {
    /// Writes the calls.
    ///
    /// # Errors
    /// Mistakes in the rulebook, a call that is not there, several where one is asked for, models that can't be opened,
    /// output that can't be written.
    pub fn run(&self) -> Result<Done, CliError> {
        let rulebook = rules::read(self.rulebook.as_deref())?;
        let mut files = Files::of(&self.models);
        let calls = files.wanted(&self.files, self.call.as_deref())?;
        match (&self.out, calls.as_slice()) {
            (None, [one]) => terminal::print(&self.written(one, &rulebook)?)?,
            (None, []) => {}
            (None, several) => return Err(CliError::NotOneCall { calls: several.len() }),
            (Some(folder), several) => self.write_all(folder, several, &rulebook)?,
        }
        Ok(if files.unread == 0 { Done::Well } else { Done::WithFailures })
    }

    fn write_all(&self, folder: &Path, calls: &[Filed], rulebook: &Rulebook) -> Result<(), CliError> {
        let unwritable = |path: &Path| {
            let path = path.display().to_string();
            move |source| CliError::Unwritable { path, source }
        };
        fs::create_dir_all(folder).map_err(unwritable(folder))?;
        for filed in calls {
            let path = folder.join(format!("{}.{}", stem(&filed.call.call_id), self.to.ending()));
            fs::write(&path, self.written(filed, rulebook)?).map_err(unwritable(&path))?;
            terminal::note(&path.display().to_string());
        }
        Ok(())
    }

    fn written(&self, filed: &Filed, rulebook: &Rulebook) -> Result<String, CliError> {
        note_other_rules(filed, rulebook);
        let judgement = judge(&filed.call, &filed.observations, rulebook);
        let told = Told { filed, judgement: &judgement, rulebook };
        match self.to {
            Form::ContactLens => contact_lens::json(&told),
            Form::Vtt => Ok(vtt::captions(&told)),
            Form::Html => {
                let tongue = self.lang.unwrap_or_else(|| Tongue::of(filed.observations.language()));
                report::html(&told, tongue)
            }
        }
    }
}

/// A call and what is said of it.
struct Told<'a> {
    filed: &'a Filed,
    judgement: &'a Judgement,
    rulebook: &'a Rulebook,
}

/// A file's name for a call: what its id has that every file system takes. An id that had to be changed keeps a mark of
/// its own, so that two calls never share a file.
fn stem(call_id: &str) -> String {
    let tame = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-');
    let name: String =
        call_id.chars().map(|c| if tame(c) { c } else { '_' }).take(LONGEST_STEM / 4).collect();
    let name = name.trim_start_matches('.');
    if name == call_id {
        return name.to_owned();
    }
    let digest = callqa_domain::identity::content_digest(call_id.as_bytes());
    let mark: String = digest.chars().take(12).collect();
    format!("{name}-{mark}")
}

#[cfg(test)]
mod tests;
