//! `callqa export`: one call in forms that other tools and people read.

mod contact_lens;
mod report;
mod timeline;
mod transcript;
mod vtt;

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use callqa_domain::{Judgement, Rulebook, identity, judge};

use crate::filed::{Filed, Files, note_rulebook};
use crate::models::Whereabouts;
use crate::words::Tongue;
use crate::{CliError, Done, lines, terminal};

/// Bytes of a call's id that stand in a file's name: any usual id is whole. File systems take 255 bytes, and a mark and
/// the ending need some of them.
const LONGEST_STEM: usize = 128;
/// Hexadecimal digits of a digest that tell names apart.
const MARK_DIGITS: usize = 12;

/// Writes calls as JSON in the shape of Amazon Contact Lens, as WebVTT, or as a report to read and print
///
/// Reads assessments as `callqa assess --json` prints them, rows of qa.observations.v1 as JSON Lines, alone or in the
/// file that `callqa results --summary FILE --observations` writes, and dialogues as `callqa judge` reads them. Of
/// several revisions of a call the highest counts, of several results of one revision the last. The call is judged by
/// the rulebook given here. Everything that is written is redacted.
///
/// With --out a file is called as its call's id. Where that has characters that not every file system takes, where it is
/// longer than 128 bytes, or where two calls would get one name, twelve hexadecimal digits follow it. No file that is
/// there already is replaced.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Calls on file, in JSON Lines, or in JSON of at most 64 MiB a file; all of them are in memory at once, unless one
    /// is named with --call; - is standard input
    #[arg(required = true, value_name = "FILE")]
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
    /// Rulebook in TOML [default: rulebook.file of --config, or the service baseline, which is built in]
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
    /// output that can't be written or that is there already.
    pub fn run(&self) -> Result<Done, CliError> {
        let rulebook = self.models.rulebook(self.rulebook.as_deref())?;
        let mut files = Files::of(&self.models);
        let calls = files.wanted(&self.files, self.call.as_deref())?;
        if calls.is_empty() {
            if files.unread == 0 {
                let names: Vec<String> = self.files.iter().map(|path| lines::name(path)).collect();
                terminal::complain(&format!(
                    "{}: there is no call in it; give what `callqa assess --json` printed, rows of \
                     qa.observations.v1, or dialogues",
                    names.join(", ")
                ));
            }
            return Ok(Done::WithFailures);
        }
        if self.out.is_none() && calls.len() > 1 {
            return Err(CliError::NotOneCall { calls: calls.len() });
        }
        note_rulebook(&calls, &rulebook);
        match &self.out {
            Some(folder) => self.write_all(folder, &calls, &rulebook)?,
            None => {
                calls.iter().try_for_each(|filed| terminal::print(&self.written(filed, &rulebook)?))?;
            }
        }
        Ok(if files.unread == 0 { Done::Well } else { Done::WithFailures })
    }

    fn write_all(&self, folder: &Path, calls: &[Filed], rulebook: &Rulebook) -> Result<(), CliError> {
        fs::create_dir_all(folder).map_err(unwritable(folder))?;
        let path = |stem: String| folder.join(format!("{stem}.{}", self.to.ending()));
        let paths: Vec<PathBuf> = stems(calls).into_iter().map(path).collect();
        // Looked at before the first is written: half a folder helps nobody.
        if let Some(taken) = paths.iter().find(|path| path.symlink_metadata().is_ok()) {
            return Err(unwritable(taken)(io::ErrorKind::AlreadyExists.into()));
        }
        for (filed, path) in calls.iter().zip(&paths) {
            let text = self.written(filed, rulebook)?;
            let written = File::create_new(path).and_then(|mut file| file.write_all(text.as_bytes()));
            written.map_err(unwritable(path))?;
            terminal::note(&path.display().to_string());
        }
        Ok(())
    }

    fn written(&self, filed: &Filed, rulebook: &Rulebook) -> Result<String, CliError> {
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

fn unwritable(path: &Path) -> impl FnOnce(io::Error) -> CliError {
    let path = path.display().to_string();
    move |source| {
        let source = if source.kind() == io::ErrorKind::AlreadyExists {
            io::Error::new(
                source.kind(),
                "this is there already; name another folder with --out, or remove it",
            )
        } else {
            source
        };
        CliError::Unwritable { path, source }
    }
}

/// A call and what is said of it.
struct Told<'a> {
    filed: &'a Filed,
    judgement: &'a Judgement,
    rulebook: &'a Rulebook,
}

/// A name of its own for each call's file, whatever the case that a file system tells apart.
fn stems(calls: &[Filed]) -> Vec<String> {
    let mut stems: Vec<String> = calls.iter().map(|filed| stem(&filed.call.call_id)).collect();
    loop {
        let mut shared: HashMap<String, usize> = HashMap::new();
        stems.iter().for_each(|stem| *shared.entry(stem.to_lowercase()).or_default() += 1);
        shared.retain(|_, calls| *calls > 1);
        if shared.is_empty() {
            return stems;
        }
        for (stem, Filed { call, .. }) in stems.iter_mut().zip(calls) {
            if shared.contains_key(&stem.to_lowercase()) {
                let id = identity::ending_id(&call.tenant, &call.call_id, 0);
                *stem = format!("{stem}-{}", digits(&id));
            }
        }
    }
}

/// A file's name for a call: its id where every file system takes it, or else what they take of it and a mark.
fn stem(call_id: &str) -> String {
    let tame = |c: char| if c.is_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '_' };
    let mut name: String = call_id.chars().map(tame).collect();
    name.truncate(name.floor_char_boundary(LONGEST_STEM));
    let name = name.trim_start_matches('.');
    if name == call_id {
        return name.to_owned();
    }
    format!("{name}-{}", digits(&identity::content_digest(call_id.as_bytes())))
}

fn digits(digest: &str) -> String {
    digest.chars().take(MARK_DIGITS).collect()
}

#[cfg(test)]
mod tests;
