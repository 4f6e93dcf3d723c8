//! What speaks for itself, or names itself in the same breath: e-mail, plates, birth dates, addresses.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::hints::Hints;
use super::{Found, number, regex, written};
use crate::RedactedKind::{
    self, AddressDetail, BankAccount, BirthDate, Card, Email, NationalId, PartialNumber, Plate,
};

/// A plate has at least this many digits; `新Samsung` has none.
const PLATE_DIGITS: usize = 2;
/// Digits of an IBAN: its check digits at the least.
const IBAN_DIGITS: usize = 2;
/// Digits of a passport or of an identity number with letters.
const DOCUMENT_DIGITS: usize = 6;

struct Shape {
    kind: RedactedKind,
    pattern: Regex,
    /// Without this in a text the pattern can't match.
    needs: fn(&Hints) -> bool,
}

/// One digit or numeral of a date or a door.
const N: &str = "[0-9０-９零〇一二三四五六七八九十百]";
/// The months, as whisper writes them.
const MONTH: &str = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*";
/// The end of an English road's name.
const ROAD: &str = "(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Blvd|Boulevard|Close|Court|Ct|Way|Terrace|Place|Pl|Square|Crescent|Gardens|Grove|Mews|Circle|Highway)";

/// The countries whose accounts have an IBAN (SWIFT IBAN registry); two letters of others begin a parcel's number.
const IBAN_COUNTRIES: &str = "A[DELTZ]|B[AEGHRY]|C[HRYZ]|D[EKO]|E[EGS]|F[IOR]|G[BEILRT]|H[RU]|I[ELQST]|JO|K[WZ]|L[BCITUVY]|M[CDEKRTU]|N[LO]|P[KLST]|QA|R[OS]|S[ACEIKMTV]|T[LNR]|UA|V[AG]|XK";

/// The words with which letters are spelled (ICAO Annex 10).
const SPELLED: &str = "(?i:al(?:ph|f)a|bravo|charlie|delta|echo|foxtrot|golf|hotel|india|juliett?|kilo|lima|mike|november|oscar|papa|quebec|romeo|sierra|tango|uniform|victor|whisky|whiskey|x-?ray|yankee|zulu)";

/// Names the patterns of one sort, each with what it finds.
type Definitions = fn(&mut dyn FnMut(RedactedKind, &str));

/// In order of precedence. `it` is what goes, where that is not the whole match.
static SHAPES: LazyLock<Vec<Shape>> = LazyLock::new(|| {
    let mut shapes = Vec::new();
    let mut of = |needs: fn(&Hints) -> bool, define: Definitions| {
        define(&mut |kind, pattern| shapes.push(Shape { kind, pattern: regex(pattern), needs }));
    };
    of(|hints| hints.at, emails);
    of(|hints| hints.letter_and_digits(PLATE_DIGITS), plates);
    of(|hints| hints.letter_and_digits(IBAN_DIGITS), ibans);
    of(|hints| hints.letter_and_digits(DOCUMENT_DIGITS), documents);
    of(|hints| hints.star, hidden_numbers);
    of(|hints| hints.birth, birth_dates);
    of(|hints| hints.door, chinese_addresses);
    of(|hints| hints.letter_and_digits(1), english_addresses);
    shapes
});

fn emails(add: &mut dyn FnMut(RedactedKind, &str)) {
    // A full stop before the next sentence has a space after it; the dot of a domain has none, or one on either side.
    let dot = r"(?:[.．]| \. | dot |\s?点\s?)";
    let chars = "[a-z0-9._%+零〇一二两三四五六七八九幺-]";
    let joint = r"(?: dot | underscore | dash | hyphen |\s?点\s?|\s?下划线\s?|\s?杠\s?)";
    let local = format!(r"{chars}+(?:{joint}{chars}+)*(?: [0-9]{{1,4}})*");
    let domain =
        format!(r"(?:[a-z0-9零一二三四五六七八九幺-]+|[0-9](?: [0-9])+)(?:{dot}[a-z0-9-]+)*{dot}[a-z]{{2,}}");
    let at = r"(?:\s?[@＠]\s?|\s?(?:艾特|圈a|小老鼠)\s?| at(?: sign)? )";
    let spelled = format!(r"(?:{chars}[\s,]\s?){{2,}}");
    add(Email, &format!(r"(?i)(?:^|[^a-z0-9'’])(?P<it>{spelled}{local}{at}{domain})"));
    add(Email, &format!(r"(?i){local}{at}{domain}(?: at {domain})?"));
}

fn plates(add: &mut dyn FnMut(RedactedKind, &str)) {
    // Mainland plates: province, letter, five letters and digits; six with green plates.
    let mark = "[A-HJ-NP-Za-hj-np-z0-9零〇一二两三四五六七八九幺]";
    add(
        Plate,
        &format!(
            r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]\s?[A-Za-z][·\s,，-]?\s?(?:{mark}{{4}}[学警挂港澳]|{mark}{{5,6}}|{mark}(?:\s?{mark}){{4,5}})"
        ),
    );
    add(Plate, r"(?-u:\b)[A-Z]{2}\s?[0-9]{2}\s?[A-Z]{3}(?-u:\b)");
    let named = r"(?:[Pp]lates?|[Rr]eg(?:istration)?)(?: number)?(?: is|'s|:)?,? ";
    let one = format!(r"(?:[A-Z0-9]|(?-u:\b)(?:[a-z]|{SPELLED})(?-u:\b))");
    add(Plate, &format!(r"{named}(?P<it>{one}(?:[ ,-]{{0,2}}{one}){{3,9}})(?-u:\b)"));
    let lower =
        "[a-z]{2} ?[0-9]{2} ?[a-z]{3}|[0-9] ?[a-z]{3} ?(?:[0-9] ?){2}[0-9]|[a-z]{3} ?(?:[0-9] ?){2,3}[0-9]";
    add(Plate, &format!(r"{named}(?P<it>{lower})(?-u:\b)"));
}

fn ibans(add: &mut dyn FnMut(RedactedKind, &str)) {
    add(
        BankAccount,
        &format!(r"(?-u:\b)(?:{IBAN_COUNTRIES})\s?[0-9]\s?[0-9](?:[\s-]?[A-Z0-9]){{11,30}}(?-u:\b)"),
    );
}

fn documents(add: &mut dyn FnMut(RedactedKind, &str)) {
    add(NationalId, r"(?-u:\b)[A-Z]{2}\s?(?:[0-9]{2}\s?){3}[A-D](?-u:\b)");
    add(NationalId, r"(?:护照|通行证|(?i:passport))[^0-9\]]{0,12}?(?P<it>(?-u:\b)[A-Z]{1,2}\s?[0-9]{6,9})");
}

fn hidden_numbers(add: &mut dyn FnMut(RedactedKind, &str)) {
    add(Card, r"[0-9]{4,6}(?:[\s-]?[*•●]{2,})+[\s-]?[0-9]{2,4}");
    add(PartialNumber, r"[*•●]{2,}[\s-]?[0-9]{3,4}");
}

fn birth_dates(add: &mut dyn FnMut(RedactedKind, &str)) {
    // A birthday's cake, coupon or offer has dates that are nobody's birth.
    let zh = r"(?:出生|生日|生于)[^0-9０-９。！\]蛋糕优惠活动礼券福]{0,8}?";
    let year_month = format!(r"{N}{{2,4}}\s?年的?\s?{N}{{1,3}}\s?月");
    let zh_date = format!(r"(?:{year_month}|{N}{{1,3}}\s?月)\s?[初廿]?{N}{{1,3}}\s?[日号]?|{year_month}");
    let numeric = r"[0-9]{1,4}\s?[./-]\s?[0-9]{1,2}\s?[./-]\s?[0-9]{1,4}|[0-9]{1,4}[ ,]{1,2}[0-9]{1,2}[ ,]{1,2}[0-9]{2,4}|[0-9](?:[ ,-]{0,2}[0-9]){5,7}";
    let digits = |more| format!(r"{N}(?:[\s,，-]?{N}){{{more}}}");
    let (eight, six) = (digits(7), digits(5));
    add(BirthDate, &format!("{zh}(?P<it>{zh_date}|{eight}|{numeric}|{six})"));
    add(BirthDate, &format!(r"出生(?:日期|年月日?)?[是为：:\s]{{0,3}}(?P<it>{N}{{2,4}}\s?年)"));
    add(BirthDate, &format!(r"(?P<it>{zh_date})\s?(?:出生|的?生日|生的|生人|过生日)"));
    let en = r"(?i)(?:(?-u:\b)born|(?-u:\b)birth(?:day)?|(?-u:\b)d\.?o\.?b\.?)[^0-9.!?\]]{0,24}?";
    let day =
        r"(?:[0-9]{1,2}(?:st|nd|rd|th)?|(?:(?:twenty|thirty)[ -]?)?(?:first|second|third|[a-z]{2,7}th))";
    let year = r"(?:,? [0-9]{2,4}(?-u:\b))?";
    add(
        BirthDate,
        &format!(
            r"{en}(?-u:\b)(?P<it>{day}(?: of)? {MONTH},?{year}|{day} of the {day},?{year}|{MONTH},? [0-9]{{4}}(?-u:\b)|{MONTH}(?: the)? {day}(?-u:\b){year}|{numeric})"
        ),
    );
}

fn chinese_addresses(add: &mut dyn FnMut(RedactedKind, &str)) {
    let part = format!(
        r"(?:{N}+(?:-{N}+)*\s?[A-Za-z]?|[A-Za-z])\s?(?:号楼|号院|号房|栋|幢|座|单元|弄|层|楼|室|户|门|号)"
    );
    let rest = format!(r"(?:\s?{part})*(?:\s?{N}{{3,5}})?");
    // 知道, 频道, 线路 and the like end in a road's character and are none.
    let road = "(?:[^知味报频渠通]道|[^线网套思出]路|街|巷|弄|胡同|小区|花园|公寓|大厦)";
    add(AddressDetail, &format!(r"{road}\s?(?P<it>{part}{rest})"));
    add(AddressDetail, &format!(r"(?:{N}+\s?(?:号楼|栋|幢|单元)|[A-Z]座){rest}"));
    add(AddressDetail, &format!("{N}{{3,4}}室"));
    add(AddressDetail, &format!(r"门牌(?:号码?)?[是为：:\s]{{0,2}}(?P<it>{N}+)"));
}

fn english_addresses(add: &mut dyn FnMut(RedactedKind, &str)) {
    add(
        AddressDetail,
        r"(?i)(?-u:\b)(?:apartment|apt\.?|flat|unit|suite|room|(?:house|door) number|p\.?o\.? box)\s(?:number\s|is\s)?(?P<it>[0-9]+(?: [0-9]+)*[a-z]?)(?-u:\b)",
    );
    let word = "(?:[A-Z][a-z']+|[0-9]+(?:st|nd|rd|th))";
    add(
        AddressDetail,
        &format!(
            r"(?-u:\b)(?P<it>[0-9]{{1,5}}(?:(?:[ /-]| slash )[0-9]{{1,3}}){{0,3}}[A-Za-z]?)\s(?:{word}\s){{1,3}}{ROAD}(?-u:\b)"
        ),
    );
    let postcode = r"(?-u:\b)[A-Z]{1,2}[0-9][A-Z0-9]?\s?[0-9][A-Z]{2}(?-u:\b)";
    add(AddressDetail, &format!(r"(?-u:\b)(?P<it>[0-9]{{1,4}}[A-Za-z]?),?\s{postcode}"));
    add(AddressDetail, &format!(r"{postcode},?\s(?:[Nn]umber )?(?P<it>[0-9]{{1,4}}[A-Za-z]?)(?-u:\b)"));
}

/// The shapes in a text that has these hints, in order and without overlaps; where two overlap, the earlier of the list.
pub(super) fn found_in(text: &str, hints: &Hints) -> Vec<Found> {
    found_by(text, |shape| (shape.needs)(hints))
}

fn found_by(text: &str, is_possible: impl Fn(&Shape) -> bool) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for shape in SHAPES.iter().filter(|shape| is_possible(shape)) {
        for captures in shape.pattern.captures_iter(text) {
            let Some((start, end)) = extent(&captures) else { continue };
            let free = found.iter().all(|other| end <= other.start || other.end <= start);
            if free && !is_misread(shape.kind, text, start, end) {
                found.push(Found { start, end, kind: shape.kind });
            }
        }
    }
    found.sort_unstable_by_key(|found| found.start);
    found
}

fn extent(captures: &Captures<'_>) -> Option<(usize, usize)> {
    let it = captures.name("it").or_else(|| captures.get(0))?;
    Some((it.start(), it.end()))
}

/// A site that somebody is sent to is no mailbox.
static NO_MAILBOX: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)^(?:look|shop|buy|order|us|online|visit|it|page|site|website|check|sign|log|in|up|are|is|available|that|them|one|here) at ",
    )
});

/// The shape of something that it is not: a word that looks like a plate, a national "ID" before a number, "a flat 20 dollar fee".
fn is_misread(kind: RedactedKind, text: &str, start: usize, end: usize) -> bool {
    match kind {
        Plate => text[start..end].chars().filter_map(number::digit).count() < PLATE_DIGITS,
        Email => NO_MAILBOX.is_match(&text[start..end]),
        AddressDetail => {
            written::counts_something(&text[end..])
                || text[..start].ends_with("a flat ")
                || matches!(&text[start..end], "一栋" | "一幢" | "一单元" | "两栋" | "1栋" | "1幢")
                    && (text[..start].ends_with(['这', '那', '哪', '每', '某', '整', '有'])
                        || text[end..].starts_with(['楼', '房', '别', '高', '写']))
        }
        _ => false,
    }
}

/// The shapes in a text, looked for one by one whatever it holds: what [`found_in`] must find too.
#[cfg(test)]
pub(super) fn found_without_hints(text: &str) -> Vec<Found> {
    found_by(text, |_| true)
}
