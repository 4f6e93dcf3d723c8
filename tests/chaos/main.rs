//! The short forms of all trouble; `tests/chaos/long` has the long ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod crash;
mod kill;
mod outage;
mod rebalance;
mod redrive;
mod stop;
