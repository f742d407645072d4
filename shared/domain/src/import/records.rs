//! The results of the imports of one `externalSystemId`, as its row keeps them: a repeated item finds its own, and the log finds
//! the chunks that hold the others.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{ClientId, PromiseId};

use super::STORED;
use super::hash::ExternalHash;
use super::kept::Member;
use super::log::{ItemResult, Outcome};
use super::problem::ItemProblem;

/// The result of one import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The item's number in the import, 0 for the first.
    pub number: u32,
    pub outcome: Outcome,
    /// See [`LogEntry::revised_at`](super::decide::LogEntry::revised_at).
    pub revised_at: Option<Timestamp>,
}

/// Records that no longer fit into the row of their `externalSystemId`; written once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredPage", into = "StoredPage")]
pub struct RecordPage {
    pub client_id: ClientId,
    pub external_hash: ExternalHash,
    pub records: BTreeMap<PromiseId, Record>,
}

impl RecordPage {
    /// The latest promise, which is part of the key.
    pub fn last(&self) -> Option<PromiseId> {
        self.records.last_key_value().map(|(promise, _)| *promise)
    }

    pub fn expires_at(&self) -> Option<Timestamp> {
        self.last()?.time().checked_add(STORED).ok()
    }
}

/// `prm_… 17 created`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Short {
    pub(super) promise: PromiseId,
    number: u32,
    result: ItemResult,
}

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.promise, self.number, self.result)
    }
}

impl FromStr for Short {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(' ').collect();
        let short = match parts.as_slice() {
            [promise, number, result] => promise
                .parse()
                .ok()
                .zip(number.parse().ok())
                .zip(ItemResult::from_word(result)),
            _ => None,
        };
        let ((promise, number), result) = short.ok_or_else(|| "not a record".to_owned())?;
        Ok(Self {
            promise,
            number,
            result,
        })
    }
}

/// The members that most records do not have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Note {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    problem: Option<ItemProblem>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    superseded: Vec<Member>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    superseded_by: Option<PromiseId>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    revised_at: Option<Timestamp>,
}

pub(super) type Notes = BTreeMap<PromiseId, Note>;

impl Short {
    pub(super) fn of(promise: PromiseId, record: &Record) -> Self {
        Self {
            promise,
            number: record.number,
            result: record.outcome.result,
        }
    }

    pub(super) fn record(self, notes: &Notes) -> Record {
        let note = notes.get(&self.promise).cloned().unwrap_or_default();
        Record {
            number: self.number,
            outcome: Outcome {
                result: self.result,
                problem: note.problem,
                superseded: note.superseded,
                superseded_by: note.superseded_by,
            },
            revised_at: note.revised_at,
        }
    }
}

/// The notes of the records that need one.
pub(super) fn notes_of(records: &BTreeMap<PromiseId, Record>) -> Notes {
    let note = |record: &Record| Note {
        problem: record.outcome.problem,
        superseded: record.outcome.superseded.clone(),
        superseded_by: record.outcome.superseded_by,
        revised_at: record.revised_at,
    };
    records
        .iter()
        .map(|(promise, record)| (*promise, note(record)))
        .filter(|(_, note)| *note != Note::default())
        .collect()
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredPage {
    client_id: ClientId,
    external_hash: ExternalHash,
    records: Vec<String>,
    #[serde(skip_serializing_if = "Notes::is_empty", default)]
    notes: Notes,
}

impl From<RecordPage> for StoredPage {
    fn from(page: RecordPage) -> Self {
        let short =
            |(promise, record): (&PromiseId, &Record)| Short::of(*promise, record).to_string();
        Self {
            client_id: page.client_id,
            external_hash: page.external_hash,
            notes: notes_of(&page.records),
            records: page.records.iter().map(short).collect(),
        }
    }
}

impl TryFrom<StoredPage> for RecordPage {
    type Error = String;

    fn try_from(stored: StoredPage) -> Result<Self, String> {
        let record = |text: &String| {
            let short: Short = text.parse()?;
            Ok((short.promise, short.record(&stored.notes)))
        };
        Ok(Self {
            client_id: stored.client_id,
            external_hash: stored.external_hash,
            records: stored
                .records
                .iter()
                .map(record)
                .collect::<Result<_, String>>()?,
        })
    }
}
