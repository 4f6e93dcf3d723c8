//! The columns with a meaning of their own, and the fields of an event that no column can give.

use callqa_proto::wire::{ChannelLayout, Direction, EndedBy, Purpose};

/// Only `file` must be there, and any cell may be empty.
pub const COLUMNS: [&str; 18] = [
    "file",
    "call_id",
    "purpose",
    "interaction_id",
    "queue",
    "agent_id",
    "customer_id",
    "direction",
    "started_at",
    "answered_at",
    "ended_by",
    "language",
    "agent_language",
    "customer_language",
    "auto_announced",
    "layout",
    "opted_out",
    "answered_by_machine",
];
/// Why a call is sent.
pub const PURPOSES: &[(&str, Purpose)] = &[
    ("live", Purpose::Live),
    ("backfill", Purpose::Backfill),
    ("reprocess", Purpose::Reprocess),
    ("test", Purpose::Test),
];
/// Who called whom.
pub const DIRECTIONS: &[(&str, Direction)] =
    &[("inbound", Direction::Inbound), ("outbound", Direction::Outbound), ("unknown", Direction::Unknown)];
/// Who hung up.
pub const ENDED_BY: &[(&str, EndedBy)] = &[
    ("agent", EndedBy::Agent),
    ("customer", EndedBy::Customer),
    ("line", EndedBy::Line),
    ("unknown", EndedBy::Unknown),
];
/// Which track carries whom.
pub const LAYOUTS: &[(&str, ChannelLayout)] = &[
    ("agent-first", ChannelLayout::AgentFirst),
    ("customer-first", ChannelLayout::CustomerFirst),
    ("mono", ChannelLayout::Mono),
];
/// The other fields of an event, and what to do instead: as a label such a field would have no effect, and nobody
/// would notice.
const NO_COLUMNS: [(&str, &str); 8] = [
    ("tenant", "give --tenant on the command line in its place"),
    ("revision", "leave it out: every recording is sent as revision 0"),
    ("supersedes", "leave it out: every recording is sent as revision 0"),
    ("legs", "write a column agent_id in its place"),
    ("holds", "leave it out, or send events of your own (proto/README.md)"),
    ("channel_layout", "write a column layout in its place: agent-first, customer-first or mono"),
    ("recording", "write a column file in its place"),
    ("labels", "write a column for each label in its place"),
];

/// Names under which others export what a known column gives.
const OTHER_NAMES: [(&str, &str); 11] = [
    ("agent", "agent_id"),
    ("agent_lang", "agent_language"),
    ("channel_layout", "layout"),
    ("customer", "customer_id"),
    ("customer_lang", "customer_language"),
    ("lang", "language"),
    ("opt_out", "opted_out"),
    ("start_time", "started_at"),
    ("started", "started_at"),
    ("time", "started_at"),
    ("timestamp", "started_at"),
];
/// In a shorter name one letter makes another word: `file`, `tile`.
const SHORTEST_SLIP: usize = 5;

/// A column's name: a known one in lower case, a label's as it is written, because rulebooks name it exactly so.
pub fn name(written: &str) -> String {
    let lower = written.to_lowercase();
    let is_known = COLUMNS.contains(&lower.as_str()) || instead(&lower).is_some();
    if is_known { lower } else { written.to_owned() }
}

/// What to do instead of a column with the name of a field that no column can give.
pub fn instead(column: &str) -> Option<&'static str> {
    NO_COLUMNS.iter().find(|(field, _)| *field == column).map(|(_, instead)| *instead)
}

/// The known column that a label was probably meant to be: the same name with other case, spaces or marks, with one
/// letter wrong, or one of [`OTHER_NAMES`].
pub fn nearly(label: &str) -> Option<&'static str> {
    let mark = |c: char| if c.is_alphanumeric() { c } else { '_' };
    let name = label.chars().map(mark).collect::<String>().to_lowercase();
    let bare = |name: &str| name.replace('_', "");
    let is_same = |known: &str| bare(known) == bare(&name);
    let is_slip = |known: &str| {
        known.len() >= SHORTEST_SLIP
            && name.chars().next() == known.chars().next()
            && strsim::osa_distance(&name, known) == 1
    };
    let other = OTHER_NAMES.iter().find(|(other, _)| is_same(other)).map(|&(_, known)| known);
    other.or_else(|| COLUMNS.into_iter().find(|known| is_same(known) || is_slip(known)))
}
