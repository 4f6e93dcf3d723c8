//! What a worker opens at its start, looked at without starting one: every mistake, where the worker stops at the first.

use std::fmt::Display;
use std::path::Path;

use callqa_models::{Manifest, Role};

use crate::app;
use crate::config::{Config, ConfigError, Mistake, Models};
use crate::journal::JournalOpenError;
use crate::store::Store;

/// Checks a file's settings, the environment laid over them, and what they name: rulebook, models, folders, certificates.
/// Nothing is changed, and no broker or store is asked. What the model files hold, `callqa verify-models` compares.
///
/// # Errors
/// A file that can't be read, that is no TOML, or all that is wrong at once.
pub fn check(
    file: &Path,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<(), ConfigError> {
    let (config, mut mistakes) = Config::survey(Some(file), environment)?;
    let mut missing = missing(&config);
    // In the place of a wrong setting stands its default, which nobody asked for.
    missing.retain(|mistake| mistakes.iter().all(|wrong| wrong.key != mistake.key));
    mistakes.extend(missing);
    ConfigError::unless_none(Some(file), mistakes)
}

fn missing(config: &Config) -> Vec<Mistake> {
    let mut missing = Vec::new();
    missing.extend(app::rulebook(&config.rulebook).err().map(|error| told(&error)));
    missing.extend(models(&config.models));
    missing.extend(Store::missing(&config.store).iter().map(|error| told(error)));
    missing.extend(config.journal.as_deref().and_then(|folder| try_journal(folder).err()).map(|e| told(&e)));
    missing
}

/// Errors of the start begin with the setting that they are about.
fn told(error: &dyn Display) -> Mistake {
    let said = error.to_string();
    let (key, what) = said.split_once(": ").unwrap_or(("", said.as_str()));
    // A rulebook's own mistakes stand below it.
    Mistake { key: key.to_owned(), what: what.replace('\n', "\n  ") }
}

fn models(models: &Models) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    let mut mistake = |key: &str, what: String| mistakes.push(Mistake { key: key.to_owned(), what });
    match Manifest::read(&models.manifest) {
        Err(error) => mistake("models.manifest", error.to_string()),
        Ok(manifest) => {
            if let Err(error) = manifest.file(Role::Whisper, Some(&models.whisper)) {
                mistake("models.whisper", error.to_string());
            }
        }
    }
    for (key, folder, help) in [
        ("models.dir", &models.dir, "`models/fetch` fills it"),
        ("models.heads", &models.heads, "it holds the classifiers"),
    ] {
        if let Err(error) = std::fs::read_dir(folder) {
            mistake(key, format!("`{}` can't be used: {error}; {help}", folder.display()));
        }
    }
    mistakes
}

/// Opening the journal itself would count a crash of the calls that it holds.
fn try_journal(folder: &Path) -> Result<(), JournalOpenError> {
    match tempfile::tempfile_in(folder) {
        Ok(_) => Ok(()),
        Err(source) => Err(JournalOpenError::Folder { folder: folder.to_owned(), source }),
    }
}
