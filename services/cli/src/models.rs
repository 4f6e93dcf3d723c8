//! Where the models are, and `callqa verify-models`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use callqa_domain::Rulebook;
use callqa_models::{Classifier, Manifest, ModelFile, Models, ModelsConfig, OutcomeEstimator, Role};
use callqa_worker::app;
use callqa_worker::config::{Config, DEFAULT_RULEBOOK, environment};

use crate::{CliError, Done, rules, terminal};

/// The source tree that this program was built from: its manifest, classifiers and rulebook are used where the folder
/// that the program runs in has none.
const SOURCE_TREE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
/// Every role that a file can have.
const ROLES: [Role; 7] = [
    Role::Whisper,
    Role::Vad,
    Role::Encoder,
    Role::ContextEncoder,
    Role::Tokenizer,
    Role::Onnxruntime,
    Role::Head,
];

/// Where the models are, on top of the configuration.
#[derive(Debug, clap::Args)]
pub struct Whereabouts {
    /// Folder that models/fetch filled [default: $CALLQA_MODELS, or ~/.cache/callqa/models]
    #[arg(long = "models", value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The worker's configuration: its models, limits and rulebook are used here too
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Whereabouts {
    /// Opens the classifiers alone.
    ///
    /// # Errors
    /// Mistakes in the configuration; a model that is missing or is another file than the pinned one.
    pub fn classifier(&self) -> Result<Arc<dyn Classifier>, CliError> {
        Ok(Models::open_classifier(&self.place(&self.config()?))?)
    }

    /// Opens the outcome model alone.
    ///
    /// # Errors
    /// As [`Self::classifier`].
    pub fn outcome(&self) -> Result<Arc<dyn OutcomeEstimator>, CliError> {
        Ok(Models::open_outcome(&self.place(&self.config()?))?)
    }

    /// What calls are judged by: the rulebook that is named, or else the one of a configuration that is named, or else
    /// the service baseline.
    ///
    /// # Errors
    /// Mistakes in the configuration; a rulebook that can't be read, or all its mistakes.
    pub fn rulebook(&self, named: Option<&Path>) -> Result<Rulebook, CliError> {
        if named.is_some() || self.config.is_none() {
            return rules::read(named);
        }
        let path = found(&self.config()?.rulebook);
        // The worker's default, which is built in here.
        if path == Path::new(DEFAULT_RULEBOOK) && !path.exists() {
            return rules::read(None);
        }
        Ok(app::rulebook(&path)?)
    }

    fn config(&self) -> Result<Config, CliError> {
        Ok(Config::load(self.config.as_deref(), environment())?)
    }

    fn place(&self, config: &Config) -> ModelsConfig {
        ModelsConfig {
            manifest: found(&config.models.manifest),
            dir: self.dir.clone().unwrap_or_else(|| config.models.dir.clone()),
            heads: found(&config.models.heads),
            whisper: config.models.whisper.clone(),
            device: config.models.device,
        }
    }
}

/// A file that a configuration names by a relative path; in the source tree, where it is there alone.
fn found(path: &Path) -> PathBuf {
    let there = Path::new(SOURCE_TREE).join(path);
    if !path.exists() && there.exists() { there } else { path.to_owned() }
}

/// Which models, on top of the configuration.
#[derive(Debug, clap::Args)]
pub struct Choice {
    #[command(flatten)]
    whereabouts: Whereabouts,
    /// Which Whisper of models/manifest.toml transcribes [default: whisper-base-int8]
    #[arg(long, value_name = "NAME")]
    whisper: Option<String>,
}

impl Choice {
    /// The configuration that belongs to this choice.
    ///
    /// # Errors
    /// Mistakes in the configuration.
    pub fn config(&self) -> Result<Config, CliError> {
        self.whereabouts.config()
    }

    /// As [`Whereabouts::rulebook`].
    ///
    /// # Errors
    /// The same.
    pub fn rulebook(&self, named: Option<&Path>) -> Result<Rulebook, CliError> {
        self.whereabouts.rulebook(named)
    }

    /// Where the models are.
    pub fn place(&self, config: &Config) -> ModelsConfig {
        let place = self.whereabouts.place(config);
        match &self.whisper {
            // The configuration's device is for the configuration's Whisper.
            Some(other) if *other != place.whisper => {
                ModelsConfig { whisper: other.clone(), device: 0, ..place }
            }
            _ => place,
        }
    }
}

/// Compares every model file with the manifest, and opens them all
///
/// Exit code 1 where one is missing, is another file than the pinned one, or can't be opened.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    choice: Choice,
}

impl Args {
    /// Verifies models.
    ///
    /// # Errors
    /// A manifest that can't be read; models that can't be opened though every file is the pinned one.
    pub fn run(&self) -> Result<Done, CliError> {
        let place = self.choice.place(&self.choice.config()?);
        let manifest = Manifest::read(&place.manifest)?;
        let mut done = Done::Well;
        for file in ROLES.into_iter().flat_map(|role| manifest.of(role)) {
            // Whispers that are listed for a choice need not all be there.
            if file.role == Role::Whisper && file.name != place.whisper {
                terminal::print(&format!("not used  {}\n", file.name))?;
            } else if !verify(&manifest, file, &place)? {
                done = Done::WithFailures;
            }
        }
        if done == Done::Well {
            Models::open(&place)?.kit()?;
            terminal::print("all of them open\n")?;
        }
        Ok(done)
    }
}

fn verify(manifest: &Manifest, file: &ModelFile, place: &ModelsConfig) -> Result<bool, CliError> {
    // Heads are opened from where the configuration has them, wherever the manifest stands.
    let verified = match file.role {
        Role::Head => manifest.verify(file, &place.head(file)),
        _ => manifest.verified(file, &place.dir).map(|(_, id)| id),
    };
    match verified {
        Ok(id) => terminal::print(&format!("ok        {}  {}\n", id.name, id.sha256)).map(|()| true),
        Err(error) => {
            terminal::complain(&error.to_string());
            Ok(false)
        }
    }
}
