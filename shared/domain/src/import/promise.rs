//! The promise: an import that was accepted, and how far it is.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::callback::{Announcement, EventType};
use crate::ids::{ClientId, CompanyId, PromiseId};

use super::chunk::{Chunk, ChunkItems};
use super::decide::ItemResult;
use super::item::ImportItem;
use super::{CHUNK, KEPT};

/// How often each result came out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the results' own names")]
pub struct Counts {
    pub created: u32,
    pub updated: u32,
    pub unchanged: u32,
    pub superseded: u32,
    pub failed: u32,
}

impl Counts {
    /// Counts one result.
    pub fn add(&mut self, result: ItemResult) {
        match result {
            ItemResult::Created => self.created += 1,
            ItemResult::Updated => self.updated += 1,
            ItemResult::Unchanged => self.unchanged += 1,
            ItemResult::Superseded => self.superseded += 1,
            ItemResult::Failed => self.failed += 1,
        }
    }

    /// All results.
    pub fn sum(self) -> u32 {
        self.created + self.updated + self.unchanged + self.superseded + self.failed
    }

    fn plus(self, other: Self) -> Self {
        Self {
            created: self.created + other.created,
            updated: self.updated + other.updated,
            unchanged: self.unchanged + other.unchanged,
            superseded: self.superseded + other.superseded,
            failed: self.failed + other.failed,
        }
    }
}

/// Where a promise stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PromiseState {
    /// Nothing was done yet.
    Accepted,
    /// Some of it was done, or is being done.
    Running,
    /// All items had their effect.
    Completed,
    /// All items were looked at; some failed.
    CompletedWithErrors,
}

/// An accepted import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Promise {
    /// Id.
    pub id: PromiseId,
    /// Who imports.
    pub client_id: ClientId,
    /// The contracting company, whose customers the items name.
    pub company_id: CompanyId,
    /// As which promise it counts when imports overtake each other: a retry is as old as the import whose items it repeats, so
    /// that what was accepted since wins.
    pub rank: PromiseId,
    /// How many items.
    pub items: u32,
    /// How many chunks.
    pub chunks: u32,
    /// The promise whose failed items these are.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retry_of: Option<PromiseId>,
    /// Results of the chunks that are done.
    pub counts: Counts,
    /// How many chunks are done.
    pub chunks_done: u32,
    /// The numbers of chunks that no worker can handle; people must look.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub stuck_chunks: Vec<u32>,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// When its first chunk was begun.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub started_at: Option<Timestamp>,
    /// When its last chunk was done.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub finished_at: Option<Timestamp>,
    /// Counts the changes, for optimistic locking.
    pub version: u64,
}

/// All that accepting an import writes.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    /// The promise.
    pub promise: Promise,
    /// Its work.
    pub chunks: Vec<(Chunk, ChunkItems)>,
}

impl Promise {
    /// Accepts an import of 1 to [`super::MOST_ITEMS`] items.
    pub fn accept(
        id: PromiseId,
        (client_id, company_id): (ClientId, CompanyId),
        items: &[ImportItem],
        retry_of: Option<&Self>,
        now: Timestamp,
    ) -> Accepted {
        let chunks: Vec<_> = (0..)
            .zip(items.chunks(CHUNK))
            .map(|(number, items)| Chunk::new(client_id, id, number, items, now))
            .collect();
        let promise = Self {
            id,
            client_id,
            company_id,
            items: count(items.len()),
            chunks: count(chunks.len()),
            retry_of: retry_of.map(|promise| promise.id),
            rank: retry_of.map_or(id, |promise| promise.rank),
            counts: Counts::default(),
            chunks_done: 0,
            stuck_chunks: Vec::new(),
            accepted_at: now,
            started_at: None,
            finished_at: None,
            version: 1,
        };
        Accepted { promise, chunks }
    }

    /// Where it stands.
    pub fn state(&self) -> PromiseState {
        match (self.started_at, self.finished_at) {
            (_, Some(_)) if self.counts.failed > 0 => PromiseState::CompletedWithErrors,
            (_, Some(_)) => PromiseState::Completed,
            (Some(_), None) => PromiseState::Running,
            (None, None) => PromiseState::Accepted,
        }
    }

    /// Items of chunks that are not done.
    pub fn pending(&self) -> u32 {
        self.items.saturating_sub(self.counts.sum())
    }

    /// Whether it is still to be seen: it is kept for 90 days, whether the table deleted it or not.
    pub fn is_kept(&self, now: Timestamp) -> bool {
        self.accepted_at
            .checked_add(KEPT)
            .is_ok_and(|end| now <= end)
    }

    /// The promise when a worker begins one of its chunks; `None` if another one began before.
    pub fn begin(self, now: Timestamp) -> Option<Self> {
        self.started_at.is_none().then_some(Self {
            started_at: Some(now),
            ..self
        })
    }

    /// The promise after one of its chunks was done.
    pub fn chunk_done(mut self, number: u32, counts: Counts, now: Timestamp) -> Self {
        self.stuck_chunks.retain(|stuck| *stuck != number);
        self.counts = self.counts.plus(counts);
        self.chunks_done += 1;
        self.finished_at = (self.chunks_done >= self.chunks).then_some(now);
        self
    }

    /// The promise after one of its chunks was put aside; `None` if it says so already.
    pub fn chunk_stuck(mut self, number: u32) -> Option<Self> {
        if self.stuck_chunks.contains(&number) {
            return None;
        }
        self.stuck_chunks.push(number);
        self.stuck_chunks.sort_unstable();
        Some(self)
    }

    /// What a client with an event endpoint is told when it is done.
    pub fn announcement(&self) -> Option<Announcement> {
        let finished_at = self.finished_at?;
        Some(Announcement {
            client_id: self.client_id,
            connection_id: None,
            order_id: None,
            subscription_id: None,
            event: EventType::ImportCompleted,
            data: json!({
                "promiseId": self.id,
                "retryOf": self.retry_of,
                "state": self.state(),
                "itemCount": self.items,
                "counts": self.counts,
                "acceptedAt": self.accepted_at,
                "startedAt": self.started_at,
                "finishedAt": finished_at,
            }),
        })
    }

    /// The items of the chunks that were put aside, as ranges of their numbers, both ends included.
    pub fn stuck_items(&self) -> Vec<Value> {
        let range = |number: &u32| {
            let first = number * count(CHUNK);
            let last = (first + count(CHUNK)).min(self.items).saturating_sub(1);
            json!({"from": first, "to": last})
        };
        self.stuck_chunks.iter().map(range).collect()
    }
}

/// At most a thousand.
pub(crate) fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
