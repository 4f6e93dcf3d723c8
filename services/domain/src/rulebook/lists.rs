//! Lists of phrases, made ready: with their regular expressions, their exceptions, and the lists that are part of them.

use std::collections::BTreeMap;
use std::ops::Range;

use regex::{Regex, RegexBuilder};

use super::file::Lists;
use super::phrase::{Phrase, TAKEN_OUT, Wording};
use super::{Phrases, Sound};
use crate::RedactedKind;

/// Bytes that a regular expression may take once it is compiled. Time is linear in the text whatever is written, but
/// in this size too, and nested counts such as `(a{100}){100}` would make it as great as one likes.
const LARGEST_REGEX: usize = 64 * 1024;

/// Texts with every kind of edge that an expression can ask for: of the text, of a word in either language, of a line.
const EDGES: &[&str] = &["", "a", " ", "一", " a ", " 一 ", "a\n\na", "\r\n"];

/// A list that is ready to find something.
#[derive(Debug, Clone, Default)]
pub(crate) struct PhraseList {
    name: String,
    phrases: Vec<Phrase>,
    expressions: Vec<Regex>,
    except: Vec<Phrase>,
    except_expressions: Vec<Regex>,
}

impl PhraseList {
    /// As the rulebook calls it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Every place where anything of the list stands in an utterance: which entry, and the characters.
    pub(crate) fn find(&self, text: &str, heard: &Wording) -> Vec<(usize, Range<usize>)> {
        let phrases = self.phrases.iter().enumerate();
        let mut found: Vec<_> =
            phrases.flat_map(|(entry, phrase)| phrase.find(heard).map(move |at| (entry, at))).collect();
        if !self.expressions.is_empty() {
            let written = without_marks(text);
            let expressions = (self.phrases.len()..).zip(&self.expressions);
            found.extend(expressions.flat_map(|(entry, expression)| {
                matches(expression, &written).into_iter().map(move |at| (entry, at))
            }));
        }
        let has_exceptions = !self.except.is_empty() || !self.except_expressions.is_empty();
        if has_exceptions && !found.is_empty() {
            let excepted = self.excepted(text, heard);
            found.retain(|(_, at)| excepted.iter().all(|no| at.end <= no.start || no.end <= at.start));
        }
        found
    }

    fn excepted(&self, text: &str, heard: &Wording) -> Vec<Range<usize>> {
        let written = without_marks(text);
        let expressions = self.except_expressions.iter().flat_map(|expression| matches(expression, &written));
        self.except.iter().flat_map(|phrase| phrase.find(heard)).chain(expressions).collect()
    }

    /// The entries of one list alone; regular expressions that can't be compiled are left out, and a checked rulebook
    /// has none.
    fn of(name: &str, list: &Phrases) -> Self {
        let ready = |written: &[String], by_sound: Option<Sound>| -> Vec<Phrase> {
            written.iter().map(|phrase| Phrase::new(phrase, by_sound)).collect()
        };
        let compile =
            |written: &[String]| written.iter().filter_map(|regex| compiled(regex).ok()).collect::<Vec<_>>();
        let mut phrases = ready(&list.zh, list.by_sound);
        phrases.extend(ready(&list.en, list.by_sound));
        Self {
            name: name.to_owned(),
            phrases,
            expressions: compile(&list.regex),
            except: ready(&list.except, list.by_sound),
            except_expressions: compile(&list.except_regex),
        }
    }
}

/// What a rule calls a list: itself, and the lists that are part of it. Each keeps its own exceptions.
pub(super) fn ready(lists: &Lists) -> BTreeMap<String, Vec<PhraseList>> {
    let own = |name: &str| lists.get(name).and_then(Option::as_ref);
    let whole = |name: &str| {
        let (mut named, mut next) = (vec![name], 0);
        while let Some(list) = named.get(next) {
            next += 1;
            for part in own(list).into_iter().flat_map(|list| &list.also) {
                if !named.contains(&part.as_str()) {
                    named.push(part);
                }
            }
        }
        named.into_iter().filter_map(|name| Some(PhraseList::of(name, own(name)?))).collect()
    };
    lists.keys().map(|name| (name.get_ref().clone(), whole(name.get_ref()))).collect()
}

/// Compiles a regular expression.
///
/// # Errors
/// What is wrong with it, and what to do.
pub(super) fn compiled(written: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(written).case_insensitive(true).size_limit(LARGEST_REGEX).build();
    let regex = built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => format!(
            "`{written}` could explode: compiled it takes more than {} KiB; lower its counted repetitions, or write it in parts",
            LARGEST_REGEX / 1024
        ),
        other => {
            let told = other.to_string();
            let reason = told.lines().last().unwrap_or_default().trim_start_matches("error: ");
            format!("`{written}` is no regular expression: {reason}")
        }
    })?;
    if matches_nothing(&regex) {
        return Err(format!(
            "`{written}` matches the empty text, so it is found everywhere: demand a character"
        ));
    }
    Ok(regex)
}

/// Whether it matches where there is no character of its own: at the ends of a text, of a word, of a line.
fn matches_nothing(regex: &Regex) -> bool {
    let empty = |text: &str, at: usize| regex.find_at(text, at).is_some_and(|found| found.is_empty());
    EDGES.iter().any(|text| (0..=text.len()).any(|at| text.is_char_boundary(at) && empty(text, at)))
}

/// Matches in characters of the text.
fn matches(expression: &Regex, text: &str) -> Vec<Range<usize>> {
    let characters = |bytes: &str| bytes.chars().count();
    let places = expression.find_iter(text).filter(|found| !found.is_empty()).map(|found| {
        let start = characters(&text[..found.start()]);
        start..start + characters(found.as_str())
    });
    places.collect()
}

/// The text with nothing in the place of its marks, character for character: `[phone]` is no word of a caller's.
fn without_marks(text: &str) -> String {
    if !text.contains('[') {
        return text.to_owned();
    }
    let nothing = |mark: &str| TAKEN_OUT.to_string().repeat(mark.chars().count());
    RedactedKind::ALL
        .iter()
        .fold(text.to_owned(), |text, kind| text.replace(&kind.mark(), &nothing(&kind.mark())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(list: &Phrases, text: &str, expect: &[&str]) {
        let chars: Vec<char> = text.chars().collect();
        let found = PhraseList::of("x", list).find(text, &Wording::new(text, list.by_sound.is_some()));
        let found: Vec<String> = found.into_iter().map(|(_, at)| chars[at].iter().collect()).collect();
        assert_eq!(found, expect);
    }

    fn strings(written: &[&str]) -> Vec<String> {
        written.iter().map(|&one| one.to_owned()).collect()
    }

    #[test]
    fn regular_expressions_find_characters() {
        let list = Phrases {
            regex: strings(&["不(归|关)我(们)?的?事?", r"not my \w+"]),
            ..Phrases::default()
        };
        check(&list, "这个不关我们事，别问", &["不关我们事"]);
        check(&list, "Well, NOT my department", &["NOT my department"]);
        check(&list, "我来帮您", &[]);
    }

    #[test]
    fn exceptions_take_matches_away() {
        let mut list = Phrases { en: strings(&["calm down"]), ..Phrases::default() };
        check(&list, "please calm down", &["calm down"]);
        list.except = strings(&["calm down the router"]);
        check(&list, "calm down the router, then calm down", &["calm down"]);
        list.except_regex = strings(&["calm down (in|for) a"]);
        check(&list, "it will calm down in a minute", &[]);
    }

    #[test]
    fn marks_are_no_words() {
        let list = Phrases { regex: strings(&["phone", "账单"]), ..Phrases::default() };
        check(&list, "my [phone] 的账单", &["账单"]);
        check(&list, "my phone", &["phone"]);
    }

    #[test]
    fn what_matches_no_character_is_refused_and_never_found() {
        for written in [
            "好*",
            r"\b(whatever|)\b",
            r"\b",
            r"\B",
            r"(\w+|)\b",
            r"\b\d*",
            r"(?m)^ *$",
            r"$",
            r"随便\b|\b",
            r"\bx*$",
        ] {
            assert!(
                compiled(written).is_err_and(|told| told.contains("matches the empty text")),
                "{written}"
            );
        }
        for written in [r"\b(whatever|never mind)\b", r"\b不?归我管", r"^(好|行)+$", r"not my (own )?job\b"]
        {
            assert!(compiled(written).is_ok(), "{written}");
        }
        let found = matches(&Regex::new(r"\b(whatever|)\b").unwrap(), "so whatever then");
        assert_eq!((found.len(), found.first()), (1, Some(&(3..11))));
    }

    #[test]
    fn expressions_that_would_explode_are_refused() {
        assert!(compiled("(?:a{100}){100}{100}").unwrap_err().contains("could explode"));
        assert!(compiled(r"(?:\w{50}){200}").unwrap_err().contains("could explode"));
        assert!(compiled("(a|").unwrap_err().contains("is no regular expression: unclosed group"));
        // What makes other engines run for ever takes its ordinary time in this one.
        let regex = compiled("(a+)+b").unwrap();
        assert!(!regex.is_match(&"a".repeat(100_000)));
    }
}
