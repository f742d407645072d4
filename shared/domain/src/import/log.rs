//! The import log: the result of each item of each promise.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{OfferId, OrderId, PromiseId, SubscriptionId};
use crate::text::ExternalId;
use crate::words::words;

use super::KEPT;
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

/// The result of one item of one promise, as the log shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    pub promise_id: PromiseId,
    /// The item's number in the import, 0 for the first.
    pub number: u32,
    pub external_system_id: ExternalId,
    pub offer_id: OfferId,
    pub outcome: Outcome,
    pub order_id: Option<OrderId>,
    pub subscription_id: Option<SubscriptionId>,
    pub processed_at: Timestamp,
    /// The time at which an import that was accepted earlier arrived and changed the result.
    pub revised_at: Option<Timestamp>,
}

/// The result of an item, and its reasons.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    pub result: ItemResult,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub problem: Option<ItemProblem>,
    /// The members that were not applied, because an import that was accepted later was applied first and set another value.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub superseded: Vec<Member>,
    /// The latest of these imports.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub superseded_by: Option<PromiseId>,
}

/// Another import's outcome that an item changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    pub promise_id: PromiseId,
    /// The item's number in that import.
    pub number: u32,
    pub outcome: Outcome,
}

impl Outcome {
    pub(super) fn of(result: ItemResult) -> Self {
        Self {
            result,
            problem: None,
            superseded: Vec::new(),
            superseded_by: None,
        }
    }

    pub(super) fn failed(problem: ItemProblem) -> Self {
        Self {
            problem: Some(problem),
            ..Self::of(ItemResult::Failed)
        }
    }
}

impl LogEntry {
    /// The entry is not shown after this time.
    pub fn kept_until(&self) -> Timestamp {
        self.processed_at
            .saturating_add(KEPT)
            .unwrap_or(Timestamp::MAX)
    }
}
