//! The import log: the result of each item of each promise.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{ClientId, OfferId, OrderId, PromiseId, SubscriptionId};
use crate::text::ExternalId;
use crate::words::words;

use super::KEPT;
use super::decide::ExternalHash;
use super::kept::Member;
use super::problem::ItemProblem;

words! {
    pub enum ItemResult {
        Created = "created",
        Updated = "updated",
        /// Order and subscription already have the item's values.
        Unchanged = "unchanged",
        /// Imports that were accepted later were applied first; they set all members of the item, or all that would have changed.
        Superseded = "superseded",
        Failed = "failed",
    }
}

/// The result of one item of one promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogEntry {
    pub client_id: ClientId,
    pub promise_id: PromiseId,
    /// The item's number in the import, 0 for the first.
    pub number: u32,
    pub external_system_id: ExternalId,
    pub external_hash: ExternalHash,
    pub offer_id: OfferId,
    pub result: ItemResult,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub problem: Option<ItemProblem>,
    /// The members that were not applied, because an import that was accepted later was applied first and set another value.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub superseded: Vec<Member>,
    /// The latest of these imports.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub superseded_by: Option<PromiseId>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub order_id: Option<OrderId>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subscription_id: Option<SubscriptionId>,
    pub processed_at: Timestamp,
    /// The time at which an import that was accepted earlier arrived and changed the result.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub revised_at: Option<Timestamp>,
    pub version: u64,
}

/// The result of an item, and its reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub result: ItemResult,
    pub problem: Option<ItemProblem>,
    pub superseded: Vec<Member>,
    pub superseded_by: Option<PromiseId>,
}

/// Another import's outcome that an item changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    pub promise_id: PromiseId,
    pub outcome: Outcome,
}

impl Outcome {
    pub(super) fn failed(problem: ItemProblem) -> Self {
        Self {
            result: ItemResult::Failed,
            problem: Some(problem),
            superseded: Vec::new(),
            superseded_by: None,
        }
    }
}

impl LogEntry {
    /// The entry is neither shown nor kept after this time.
    pub fn kept_until(&self) -> Timestamp {
        self.processed_at
            .saturating_add(KEPT)
            .unwrap_or(Timestamp::MAX)
    }

    pub(super) fn with(self, outcome: Outcome) -> Self {
        Self {
            result: outcome.result,
            problem: outcome.problem,
            superseded: outcome.superseded,
            superseded_by: outcome.superseded_by,
            ..self
        }
    }

    /// The entry after an import that was accepted earlier and arrived later.
    #[must_use]
    pub fn revised(self, outcome: Outcome, now: Timestamp) -> Self {
        Self {
            revised_at: Some(now),
            ..self.with(outcome)
        }
    }
}
