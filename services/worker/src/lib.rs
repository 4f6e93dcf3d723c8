//! The worker: calls in from Kafka, endings out to Kafka.
//!
//! One call, straight through: the [`intake`] thread polls, decodes and enters the call in the [`ledger`];
//! the [`store`] fetches its recording; an analyst thread judges it; [`publish`] writes its rows, the ending
//! last, and waits for every delivery report; then the ledger lets Kafka forget it.

pub mod analyst;
pub mod analysts;
pub mod app;
pub mod broker;
pub mod config;
pub mod decoding;
pub mod disposition;
pub mod fetching;
pub mod health;
pub mod intake;
pub mod journal;
pub mod journey;
pub mod ledger;
pub mod oauth;
pub mod opening;
pub mod publish;
pub mod recording;
pub mod refusal;
pub mod stopping;
pub mod store;
pub mod task;
pub mod telemetry;
pub mod ticket;
pub mod turns;
