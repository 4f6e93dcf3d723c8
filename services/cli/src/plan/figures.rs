//! Measured figures: what a core does and what a call leaves on the topics.

use std::path::Path;

use serde::Deserialize;

use crate::CliError;

/// As they were measured for this version.
pub(super) const BUILT_IN: &str = include_str!("figures.toml");

/// What a plan reckons with.
#[derive(Debug)]
pub(super) struct Figures {
    /// Seconds of call that a core inspects a second, everything included.
    pub(super) speed: f64,
    /// Memory of one more analyst.
    pub(super) analyst_mib: f64,
    /// Memory of a worker without its analysts.
    pub(super) shared_mib: f64,
    /// All rows of a call-minute, as Kafka stores them.
    pub(super) row_kib: f64,
    /// Which command measured what.
    pub(super) sources: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sheet {
    #[serde(default)]
    figure: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    value: f64,
    command: String,
}

impl Figures {
    pub(super) fn built_in() -> Result<Self, CliError> {
        Self::parse(BUILT_IN).map_err(|what| CliError::Figures { path: "figures.toml".into(), what })
    }

    pub(super) fn read(path: &Path) -> Result<Self, CliError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| CliError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(&text).map_err(|what| CliError::Figures { path: path.to_owned(), what })
    }

    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let rows = toml::from_str::<Sheet>(text).map_err(|e| e.message().to_owned())?.figure;
        let value = |name: &str| -> Result<f64, String> {
            let row = rows.iter().find(|row| row.name == name);
            let value = row.ok_or(format!("there is no figure {name}"))?.value;
            if value.is_finite() && value > 0.0 {
                Ok(value)
            } else {
                Err(format!("{name} is {value}, not above 0"))
            }
        };
        let source = |row: &Row| format!("{} {} ({})", row.name, row.value, row.command);
        Ok(Self {
            speed: value("call_seconds_per_cpu_second")?,
            analyst_mib: value("analyst_mib")?,
            shared_mib: value("shared_mib")?,
            row_kib: value("row_kib_per_call_minute")?,
            sources: rows.iter().map(source).collect::<Vec<_>>().join("; "),
        })
    }
}
