//! Standard output and standard error, so that a program that reads one never meets the other.

use std::io::{self, IsTerminal, Write};

use crate::CliError;

/// Writes to standard output, at once.
///
/// # Errors
/// Where it can't be written: the reader has gone, the disk is full.
pub fn print(text: &str) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|source| CliError::Unwritable { path: "standard output".to_owned(), source })
}

/// Writes a line to standard error. Where that fails, there is nowhere left to say so.
pub fn complain(message: &str) {
    let _ = writeln!(io::stderr().lock(), "callqa: {message}");
}

/// Writes a line of progress to standard error.
pub fn note(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Whether somebody watches standard error.
pub fn is_watched() -> bool {
    io::stderr().is_terminal()
}

/// Makes a failure of the program itself say where, and not with which words: they may be a customer's.
pub fn hush_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        complain(&format!("the program failed at {place}"));
    }));
}
