//! Mistakes of phrase lists.

use crate::Phrases;
use crate::rulebook::file::{Lines, Lists};
use crate::rulebook::lists::compiled;
use crate::rulebook::phrase::{NUMBER, Phrase};

/// A sound of fewer Han characters than this is in every other sentence.
const FEWEST_BY_SOUND: usize = 2;

/// Every mistake of every list, each with the line of the list.
pub(super) fn mistakes(lists: &Lists, lines: &Lines) -> Vec<String> {
    let mut found = Vec::new();
    for (name, list) in lists {
        let Some(list) = list else { continue };
        let at = lines.line(name.span().start);
        let of_itself = way_back(name.get_ref(), lists)
            .map(|way| format!("the list is part of itself ({}): remove one `also`", way.join(" > ")));
        let of_list = of_list(list).into_iter().chain(of_itself);
        found.extend(of_list.map(|mistake| format!("line {at}: phrases.{}: {mistake}", name.get_ref())));
    }
    found
}

fn of_list(list: &Phrases) -> Vec<String> {
    let mut found = Vec::new();
    let finds = [&list.zh, &list.en, &list.regex, &list.also].iter().any(|entries| !entries.is_empty());
    if !finds {
        found.push("the list is empty and finds nothing: add phrases or remove it".to_owned());
    }
    if list.by_sound.is_some() && list.zh.is_empty() {
        found.push("`by_sound` is for `zh`, and the list has none: remove it".to_owned());
    }
    for written in list.zh.iter().chain(&list.en).chain(&list.except) {
        if Phrase::new(written, list.by_sound).is_empty() {
            found.push(format!("`{written}` has no letter or digit and finds nothing: remove it"));
        }
        if written.replace(NUMBER, "").contains(['{', '}']) {
            found.push(format!("`{written}`: the only placeholder is {NUMBER}"));
        }
    }
    found.extend(list.regex.iter().chain(&list.except_regex).filter_map(|regex| compiled(regex).err()));
    let short = |written: &&String| (1..FEWEST_BY_SOUND).contains(&Phrase::new(written, None).han());
    for written in list.zh.iter().filter(|written| list.by_sound.is_some() && short(written)) {
        found.push(format!(
            "`{written}` has one character and would be heard everywhere: make it longer, or move it to a list \
             without `by_sound`"
        ));
    }
    found
}

/// The lists that lead from a list back to it, if any do.
fn way_back<'l>(name: &'l str, lists: &'l Lists) -> Option<Vec<&'l str>> {
    let parts = |name: &str| lists.get(name).and_then(Option::as_ref).map_or(&[][..], |list| &list.also);
    // Each list with the one that led to it.
    let mut seen: Vec<(&str, usize)> = vec![(name, 0)];
    let mut next = 0;
    while let Some(&(list, _)) = seen.get(next) {
        for part in parts(list) {
            if part == name {
                let mut way = vec![name];
                let mut at = next;
                while at > 0 {
                    way.push(seen[at].0);
                    at = seen[at].1;
                }
                way.push(name);
                way.reverse();
                return Some(way);
            }
            if seen.iter().all(|(known, _)| known != part) {
                seen.push((part, next));
            }
        }
        next += 1;
    }
    None
}
