//! `callqa`: everything about inspected calls that a person does at a terminal.

mod assess;
mod audit;
mod check_config;
mod classify;
mod dialogue;
mod error;
mod export;
mod filed;
mod judge;
mod kafka;
mod lines;
mod metadata;
mod models;
mod plan;
mod progress;
mod publish;
mod recording;
mod redrive;
mod render;
mod results;
mod rules;
mod terminal;
mod topics;
mod words;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use error::CliError;

/// `ce_source` of the events that this program makes.
const SOURCE: &str = "/callqa/cli";

/// Inspects every call of a call centre
#[derive(Debug, Parser)]
#[command(name = "callqa", version, arg_required_else_help = true)]
#[command(after_help = "Exit codes: 0 done; 1 a call or the command failed; 2 the command line is wrong.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Assess(assess::Args),
    Classify(classify::Args),
    Judge(judge::Args),
    Export(export::Args),
    Publish(publish::Args),
    Results(results::Args),
    Audit(audit::Args),
    Redrive(redrive::Args),
    Topics(topics::Args),
    Rules(rules::Args),
    Plan(plan::Args),
    CheckConfig(check_config::Args),
    VerifyModels(models::Args),
}

/// A command that did its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    /// Nothing to complain of.
    Well,
    /// Some call, file or count was not as it should be; that has been said already.
    WithFailures,
}

fn main() -> ExitCode {
    terminal::hush_panics();
    let done = match Cli::parse().command {
        Command::Assess(args) => args.run(),
        Command::Classify(args) => args.run(),
        Command::Judge(args) => args.run(),
        Command::Export(args) => args.run(),
        Command::Publish(args) => args.run(),
        Command::Results(args) => args.run(),
        Command::Audit(args) => args.run(),
        Command::Redrive(args) => args.run(),
        Command::Topics(args) => args.run(),
        Command::Rules(args) => args.run(),
        Command::Plan(args) => args.run(),
        Command::CheckConfig(args) => args.run(),
        Command::VerifyModels(args) => args.run(),
    };
    match done {
        Ok(Done::Well) => ExitCode::SUCCESS,
        Ok(Done::WithFailures) => ExitCode::FAILURE,
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            terminal::complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}
