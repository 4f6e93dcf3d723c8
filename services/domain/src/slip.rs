//! What somebody meant who wrote a name that there is not.

/// So many wrong letters still look like a slip of the pen.
const MOST_WRONG: usize = 3;

/// The known name that is nearest to what was written: at most three letters are wrong, and most are right.
#[must_use]
pub fn meant<'n>(written: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let counted = known.into_iter().map(|name| (wrong_letters(name, written), name));
    let (wrong, nearest) = counted.min_by_key(|(wrong, _)| *wrong)?;
    (wrong <= MOST_WRONG && 2 * wrong < nearest.len()).then_some(nearest)
}

/// Letters to change, add or leave out to get from one word to the other.
fn wrong_letters(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in to.bytes().enumerate() {
            let change = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(written: &str, expect: Option<&str>) {
        assert_eq!(meant(written, ["kafka.brokers", "points", "title", "zh", "en"]), expect, "{written}");
    }

    #[test]
    fn slips_of_the_pen() {
        check("kafka.brokres", Some("kafka.brokers"));
        check("pionts", Some("points"));
        check("titel", Some("title"));
    }

    #[test]
    fn other_words() {
        check("zn", None);
        check("colour", None);
        check("", None);
        assert_eq!(meant("title", []), None);
    }

    #[test]
    fn letters_are_counted() {
        assert_eq!(wrong_letters("kafka.brokers", "kafka.brokres"), 2);
        assert_eq!(wrong_letters("", "abc"), 3);
    }
}
