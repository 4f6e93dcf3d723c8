//! A file in TOML with what is wrong in it, line by line.

use std::fmt;

use toml::Spanned;
use toml::de::DeValue;

/// Something in a file that has to be mended, in a sentence that says how.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// On which line, from 1.
    pub line: usize,
    /// What, and what to do.
    pub says: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.says)
    }
}

/// A file's text, which tells on which line something stands, and what was found wrong in it so far.
#[derive(Debug)]
pub struct Sheet<'a> {
    text: &'a str,
    /// Where each line begins, in bytes.
    starts: Vec<usize>,
    /// In the order in which they were found.
    pub mistakes: Vec<Mistake>,
}

impl<'a> Sheet<'a> {
    /// A file in which nothing was found yet.
    pub fn of(text: &'a str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, starts, mistakes: Vec::new() }
    }

    /// The line, from 1, of a byte.
    pub fn line(&self, at: usize) -> usize {
        self.starts.partition_point(|&start| start <= at)
    }

    /// Notes a mistake at a byte.
    pub fn wrong(&mut self, at: usize, says: impl Into<String>) {
        let line = self.line(at);
        self.wrong_on(line, says);
    }

    /// Notes a mistake on a line.
    pub fn wrong_on(&mut self, line: usize, says: impl Into<String>) {
        self.mistakes.push(Mistake { line, says: says.into() });
    }

    /// A text; `None`, and a mistake, where the value is no text.
    pub fn text<'v>(&mut self, key: &str, value: &'v Spanned<DeValue<'_>>) -> Option<&'v str> {
        let found = value.get_ref().as_str();
        if found.is_none() {
            self.wrong(value.span().start, format!("`{key}` must be text in quotes"));
        }
        found
    }

    /// One of these texts; `None`, and a mistake, where it is none of them.
    pub fn one_of(
        &mut self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        names: &[&'static str],
    ) -> Option<&'static str> {
        let given = value.get_ref().as_str();
        let found = names.iter().copied().find(|name| Some(*name) == given);
        if found.is_none() {
            self.wrong(value.span().start, format!("`{key}` must be \"{}\"", names.join("\", \"")));
        }
        found
    }

    /// The lines of a text of several lines, each with its number in the file. Where the text has escapes that add
    /// or take line ends, all have the number of its first.
    pub fn lines<'v>(&self, value: &'v Spanned<DeValue<'_>>) -> Vec<(usize, &'v str)> {
        let text = value.get_ref().as_str().unwrap_or_default();
        let raw = self.text.get(value.span()).unwrap_or_default();
        let first = self.line(value.span().start);
        // A line end right behind the opening quotes is no part of the text.
        let unquoted = raw.trim_start_matches(['"', '\'']);
        let opening = usize::from(unquoted.starts_with('\n') || unquoted.starts_with("\r\n"));
        let ends = |text: &str| text.matches('\n').count();
        let faithful = ends(text) + opening == ends(raw);
        let number = |index: usize| if faithful { first + opening + index } else { first };
        text.lines().enumerate().map(|(index, line)| (number(index), line)).collect()
    }
}

#[cfg(test)]
mod tests {
    use toml::de::DeTable;

    use super::*;

    #[track_caller]
    fn check(toml: &str, expect: &[(usize, &str)]) {
        let table = DeTable::parse(toml).unwrap();
        let (_, value) = table.get_ref().iter().next().unwrap();
        assert_eq!(Sheet::of(toml).lines(value), expect);
    }

    #[test]
    fn lines_have_their_numbers_in_the_file() {
        check("\na = '''\nx\ny\n'''\n", &[(3, "x"), (4, "y")]);
        check("a = \"\"\"x\r\ny\"\"\"", &[(1, "x"), (2, "y")]);
        check("a = \"x\\ny\"", &[(1, "x"), (1, "y")]);
        check("\na = \"\"\"\nx \\\n  z\ny\"\"\"", &[(2, "x z"), (2, "y")]);
    }

    #[test]
    fn a_byte_has_a_line() {
        let sheet = Sheet::of("ab\n\nc");
        assert_eq!([0, 2, 3, 4].map(|at| sheet.line(at)), [1, 1, 2, 3]);
    }
}
