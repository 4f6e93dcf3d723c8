//! Lines of a file or of standard input, none of which can fill the memory.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// Bytes of the longest line that is kept: hours of one person's words. Without a limit, a file without line ends
/// would be read whole.
pub const LONGEST_LINE: usize = 1 << 20;
/// What some editors put before the first line of a file in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// Stands for standard input where a file is named.
const STANDARD_INPUT: &str = "-";

/// Opens a file, or standard input where it is named `-`.
///
/// # Errors
/// Where the file can't be opened.
pub fn open(path: &Path) -> io::Result<Box<dyn BufRead>> {
    if path == Path::new(STANDARD_INPUT) {
        return Ok(Box::new(io::stdin().lock()));
    }
    Ok(Box::new(BufReader::new(File::open(path)?)))
}

/// How messages call a file.
pub fn name(path: &Path) -> String {
    if path == Path::new(STANDARD_INPUT) { "standard input".to_owned() } else { path.display().to_string() }
}

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// From 1.
    pub number: usize,
    /// With its line end, if any; `None` where it is longer than allowed.
    pub bytes: Option<Vec<u8>>,
}

/// The lines of a source. After an error there is nothing more to come.
pub struct Lines<R> {
    source: R,
    longest: usize,
    number: usize,
}

impl<R: BufRead> Lines<R> {
    /// The lines of this source, up to [`LONGEST_LINE`].
    pub fn of(source: R) -> Self {
        Self::up_to(LONGEST_LINE, source)
    }

    /// The lines of this source, up to so many bytes.
    pub fn up_to(longest: usize, source: R) -> Self {
        Self { source, longest, number: 0 }
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut bytes = Vec::new();
        // One more than allowed: the line's end, or what makes it too long.
        let read = self.source.by_ref().take(self.longest as u64 + 1).read_until(b'\n', &mut bytes);
        match read {
            Ok(0) => return None,
            Ok(_) => self.number += 1,
            Err(error) => return Some(Err(error)),
        }
        if bytes.len() > self.longest && bytes.last() != Some(&b'\n') {
            let skipped = self.source.skip_until(b'\n');
            return Some(skipped.map(|_| Line { number: self.number, bytes: None }));
        }
        if self.number == 1 && bytes.starts_with(BYTE_ORDER_MARK) {
            bytes.drain(..BYTE_ORDER_MARK.len());
        }
        Some(Ok(Line { number: self.number, bytes: Some(bytes) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &[u8], expect: &[Option<usize>]) {
        let lines: Vec<Line> = Lines::of(source).map(Result::unwrap).collect();
        assert_eq!(lines.iter().map(|l| l.bytes.as_ref().map(Vec::len)).collect::<Vec<_>>(), expect);
        assert!(lines.iter().zip(1..).all(|(line, number)| line.number == number));
    }

    #[test]
    fn lines_end_where_the_file_ends() {
        check(b"", &[]);
        check(b"ab\n\nc", &[Some(3), Some(1), Some(1)]);
    }

    #[test]
    fn a_byte_order_mark_is_no_text() {
        check(b"\xef\xbb\xbfab\n\xef\xbb\xbf", &[Some(3), Some(3)]);
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over() {
        let longest = "x".repeat(LONGEST_LINE);
        check(format!("{longest}\nab\n").as_bytes(), &[Some(LONGEST_LINE + 1), Some(3)]);
        check(format!("a\n{longest}x\nab\n").as_bytes(), &[Some(2), None, Some(3)]);
        check(longest.as_bytes(), &[Some(LONGEST_LINE)]);
        check(format!("{longest}{longest}").as_bytes(), &[None]);
    }
}
