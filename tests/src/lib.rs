//! Drives real processes: a broker, the worker and the command line, as a user starts them.
//!
//! The programs come from `$CALLQA_BIN` and the broker from `$CALLQA_TANSU`; `tests/run` sets both.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a harness fails loudly

mod authority;
mod broker;
pub mod calls;
pub mod chaos;
mod process;
mod topic;
mod worker;

use std::path::PathBuf;

pub use authority::{Authority, tls_is_here};
pub use broker::{Broker, free_address, tansu};
pub use process::{Outcome, Owned, callqa, callqa_with};
pub use topic::{Place, Record, committed, publish, publish_all, read_all, read_on, wait_for};
pub use worker::{Launch, Worker};

/// The checkout.
#[must_use]
pub fn top() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// A folder of recordings that are not part of the project: `$CALLQA_TEST_AUDIO`, or else where a checkout
/// beside the shared data finds them. Says that the test is skipped where there is none.
#[must_use]
pub fn test_audio(what: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("CALLQA_TEST_AUDIO")
        .map_or_else(|| top().join("../shared/data/audio"), PathBuf::from)
        .join(what);
    if !folder.is_dir() {
        eprintln!("SKIPPED: no recordings in {what} (set CALLQA_TEST_AUDIO to a folder that holds them)");
        return None;
    }
    Some(folder)
}
