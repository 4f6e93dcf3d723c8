//! What the journal says, without the file.

use std::collections::BTreeMap;
use std::fmt;

use super::name::{Name, number, partition, place};
use crate::ledger::Partition;

/// A worker that crashes again and again leaves suspects of partitions that it no longer has. More than these
/// are not remembered; the oldest offsets go first.
const MOST_SUSPECTS: usize = 1_000;

/// What is known of a call that is delivered (again).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing against it.
    Ordinary,
    /// The process ended while it was judged: it is judged alone.
    Suspect,
    /// The process ended once too often: it is not begun any more.
    Condemned,
}

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// An analyst starts it.
    Begun(Name),
    /// The analyst has it no longer.
    Left(Name),
    /// It has a judgement, published or about to be.
    Judged(Name),
    /// So often had the process ended while it was judged.
    Crashed(Name, u32),
    /// Kafka has forgotten everything of the partition below this offset.
    Committed(Partition, i64),
    /// The partition went to another worker.
    Revoked(Partition),
    /// Everything in hand is left to others.
    Drained,
}

impl Record {
    /// Reads a line; `None` where it is none of ours, or was cut.
    pub(super) fn read(line: &str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let words = &mut words;
        let record = match words.next()? {
            "begun" => Self::Begun(Name::read(words)?),
            "left" => Self::Left(Name::read(words)?),
            "judged" => Self::Judged(Name::read(words)?),
            "crashed" => {
                let times = number(words)?;
                Self::Crashed(Name::read(words)?, times)
            }
            "committed" => {
                let (partition, offset) = place(words)?;
                Self::Committed(partition, offset)
            }
            "revoked" => Self::Revoked(partition(words)?),
            "drained" => Self::Drained,
            _ => return None,
        };
        // The last word tells that the line is whole.
        (words.next() == Some(".") && words.next().is_none()).then_some(record)
    }

    /// What takes it back.
    pub(super) fn undone(&self) -> Self {
        match self {
            Self::Begun(name) => Self::Left(name.clone()),
            other => other.clone(),
        }
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begun(name) => write!(f, "begun {name}")?,
            Self::Left(name) => write!(f, "left {name}")?,
            Self::Judged(name) => write!(f, "judged {name}")?,
            Self::Crashed(name, times) => write!(f, "crashed {times} {name}")?,
            Self::Committed(partition, offset) => {
                write!(f, "committed {} {} {offset}", partition.topic, partition.number)?;
            }
            Self::Revoked(partition) => write!(f, "revoked {} {}", partition.topic, partition.number)?,
            Self::Drained => f.write_str("drained")?,
        }
        f.write_str(" .")
    }
}

/// What is known of one delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Known {
    in_hand: bool,
    judged: bool,
    crashes: u32,
}

/// What the journal says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct State {
    calls: BTreeMap<Name, Known>,
}

impl State {
    /// Takes a record.
    pub fn apply(&mut self, record: &Record) {
        match record {
            Record::Begun(name) => self.change(name, |known| known.in_hand = true),
            Record::Left(name) => self.change(name, |known| known.in_hand = false),
            Record::Judged(name) => self.change(name, |known| {
                (known.judged, known.in_hand) = (true, false);
            }),
            Record::Crashed(name, times) => self.change(name, |known| known.crashes = *times),
            Record::Committed(partition, offset) => {
                self.calls.retain(|name, _| name.partition != *partition || name.offset >= *offset);
            }
            Record::Revoked(partition) => self.calls.retain(|name, known| {
                if name.partition == *partition {
                    (known.in_hand, known.judged) = (false, false);
                }
                known.is_worth_keeping()
            }),
            Record::Drained => self.calls.retain(|_, known| {
                known.in_hand = false;
                known.is_worth_keeping()
            }),
        }
    }

    /// Whether a record says anything new: most commits do not concern a call that is remembered.
    pub fn is_changed_by(&self, record: &Record) -> bool {
        match record {
            Record::Committed(partition, offset) => {
                self.calls.keys().any(|name| name.partition == *partition && name.offset < *offset)
            }
            Record::Revoked(partition) => self.calls.keys().any(|name| name.partition == *partition),
            Record::Drained => self.calls.values().any(|known| known.in_hand),
            Record::Begun(_) | Record::Left(_) | Record::Judged(_) | Record::Crashed(..) => true,
        }
    }

    /// The process ended: whatever was in hand is a suspect. How many that were.
    pub fn crash(&mut self) -> usize {
        let mut crashed = 0;
        for known in self.calls.values_mut().filter(|known| known.in_hand) {
            (known.in_hand, known.crashes) = (false, known.crashes.saturating_add(1));
            crashed += 1;
        }
        while self.suspects() > MOST_SUSPECTS {
            self.calls.pop_first();
        }
        crashed
    }

    /// Calls against which something is known.
    pub fn suspects(&self) -> usize {
        self.calls.values().filter(|known| known.crashes > 0).count()
    }

    /// What becomes of a call. One that has a judgement, published or not, is never condemned: its ending
    /// would be taken back.
    pub fn standing(&self, name: &Name, most_crashes: u32) -> Standing {
        match self.calls.get(name) {
            Some(known) if known.crashes >= most_crashes && !known.judged => Standing::Condemned,
            Some(known) if known.crashes > 0 => Standing::Suspect,
            _ => Standing::Ordinary,
        }
    }

    /// The shortest journal that says the same.
    pub fn records(&self) -> Vec<Record> {
        let mut records = Vec::new();
        for (name, known) in &self.calls {
            if known.crashes > 0 {
                records.push(Record::Crashed(name.clone(), known.crashes));
            }
            if known.judged {
                records.push(Record::Judged(name.clone()));
            }
            if known.in_hand {
                records.push(Record::Begun(name.clone()));
            }
        }
        records
    }

    fn change(&mut self, name: &Name, change: impl FnOnce(&mut Known)) {
        let mut known = self.calls.get(name).copied().unwrap_or_default();
        change(&mut known);
        if known.is_worth_keeping() {
            self.calls.insert(name.clone(), known);
        } else {
            self.calls.remove(name);
        }
    }
}

impl Known {
    fn is_worth_keeping(self) -> bool {
        self != Self::default()
    }
}
