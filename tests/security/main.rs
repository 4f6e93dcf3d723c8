//! Nobody gets in: the released worker in a box as a container gives it, under hostile recordings, and what it is
//! made of.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod guest;
mod hostile_recordings;
mod read_only_root;
mod supply_chain;
