//! The promise: an accepted import and its progress.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::callback::{Announcement, EventType};
use crate::ids::{ClientId, CompanyId, PromiseId};
use crate::request_id::RequestId;

use super::chunk::{Chunk, ChunkItems};
use super::decide::ItemResult;
use super::item::ImportItem;
use super::{CHUNK, KEPT, count};

/// The number of items with each result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    pub created: u32,
    pub updated: u32,
    pub unchanged: u32,
    pub superseded: u32,
    pub failed: u32,
}

impl Counts {
    pub fn add(&mut self, result: ItemResult) {
        match result {
            ItemResult::Created => self.created += 1,
            ItemResult::Updated => self.updated += 1,
            ItemResult::Unchanged => self.unchanged += 1,
            ItemResult::Superseded => self.superseded += 1,
            ItemResult::Failed => self.failed += 1,
        }
    }

    pub fn sum(self) -> u32 {
        self.created + self.updated + self.unchanged + self.superseded + self.failed
    }

    fn remove(&mut self, result: ItemResult) {
        let count = match result {
            ItemResult::Created => &mut self.created,
            ItemResult::Updated => &mut self.updated,
            ItemResult::Unchanged => &mut self.unchanged,
            ItemResult::Superseded => &mut self.superseded,
            ItemResult::Failed => &mut self.failed,
        };
        *count = count.saturating_sub(1);
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PromiseState {
    /// No chunk was begun yet.
    Accepted,
    Running,
    Completed,
    /// All items were processed; some failed.
    CompletedWithErrors,
}

/// An accepted import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Promise {
    pub id: PromiseId,
    pub client_id: ClientId,
    /// The items name customers of this contracting company.
    pub company_id: CompanyId,
    /// The place of the promise among imports that overtake each other. A retry has the rank of the import that it repeats, so
    /// imports accepted since then win.
    pub rank: PromiseId,
    pub items: u32,
    pub chunks: u32,
    /// The promise whose failed items this one repeats.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retry_of: Option<PromiseId>,
    /// Results of the finished chunks.
    pub counts: Counts,
    pub chunks_done: u32,
    /// The numbers of the chunks that are dead letters.
    #[serde(rename = "stuckChunks", skip_serializing_if = "Vec::is_empty", default)]
    pub dead_letters: Vec<u32>,
    /// The request from which the import follows.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request: Option<RequestId>,
    pub accepted_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub started_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub finished_at: Option<Timestamp>,
    pub version: u64,
}

/// The rows of a new import.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    pub promise: Promise,
    pub chunks: Vec<(Chunk, ChunkItems)>,
}

impl Promise {
    /// Accepts an import of 1 to [`super::MAX_ITEMS`] items.
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
            dead_letters: Vec::new(),
            request: None,
            accepted_at: now,
            started_at: None,
            finished_at: None,
            version: 1,
        };
        Accepted { promise, chunks }
    }

    pub fn state(&self) -> PromiseState {
        match (self.started_at, self.finished_at) {
            (_, Some(_)) if self.counts.failed > 0 => PromiseState::CompletedWithErrors,
            (_, Some(_)) => PromiseState::Completed,
            (Some(_), None) => PromiseState::Running,
            (None, None) => PromiseState::Accepted,
        }
    }

    /// The number of items in unfinished chunks.
    pub fn pending(&self) -> u32 {
        self.items.saturating_sub(self.counts.sum())
    }

    /// Whether the promise can still be read. DynamoDB deletes expired rows days later.
    pub fn is_kept(&self, now: Timestamp) -> bool {
        self.accepted_at
            .checked_add(KEPT)
            .is_ok_and(|end| now <= end)
    }

    /// Marks the promise as running; `None` if it is running already.
    pub fn begin(self, now: Timestamp) -> Option<Self> {
        self.started_at.is_none().then_some(Self {
            started_at: Some(now),
            ..self
        })
    }

    pub fn chunk_done(mut self, number: u32, counts: Counts, now: Timestamp) -> Self {
        self.dead_letters.retain(|dead| *dead != number);
        self.counts = self.counts.plus(counts);
        self.chunks_done += 1;
        self.finished_at = (self.chunks_done >= self.chunks).then_some(now);
        self
    }

    /// Counts another result of an item of a finished chunk.
    #[must_use]
    pub fn revised(mut self, before: ItemResult, after: ItemResult) -> Self {
        self.counts.remove(before);
        self.counts.add(after);
        self
    }

    /// Lists a chunk as a dead letter; `None` if the promise lists it already.
    pub fn chunk_dead(mut self, number: u32) -> Option<Self> {
        if self.dead_letters.contains(&number) {
            return None;
        }
        self.dead_letters.push(number);
        self.dead_letters.sort_unstable();
        Some(self)
    }

    /// The `import.completed` event of a finished promise.
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

    /// The items of dead letters, as ranges of their numbers, both ends included.
    pub fn dead_items(&self) -> Vec<Value> {
        let range = |number: &u32| {
            let first = number * count(CHUNK);
            let last = (first + count(CHUNK)).min(self.items).saturating_sub(1);
            json!({"from": first, "to": last})
        };
        self.dead_letters.iter().map(range).collect()
    }
}
