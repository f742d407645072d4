//! The one DynamoDB table: keys, typed reads, lists, and transactions.
//!
//! Parts:
//! - [`keys`]: the keys and lists of all entities, by noun
//! - [`rows`]: rows that only the table needs (uniqueness guards, shares, idempotency records)
//! - [`read`]: consistent reads of one or several rows
//! - [`page`]: pages of lists, newest first, filtered and merged
//! - `key_says`: members that a row's key already says, which are not stored
//! - `one_row`: commits of one row
//! - [`payout_sums`]: the amounts of many payout rows, from the indexes alone
//! - [`transaction`]: all writes but the sweep's mark, and `until_committed`, which repeats a decision after a conflict
//! - `cancelled`: the reasons for which DynamoDB rejects a write, and their retries
//! - [`outbox`]: rows that are due, and the sweep's mark
//! - [`vouchers`]: subscriptions by the hash of their voucher
//! - [`imports`]: the rows that decide about imported items
//! - `sold`: orders and subscriptions by id, sold or imported
//! - [`packed`]: members that are stored deflated
//!
//! Rules: only this crate sees an `AttributeValue`. The key of a tenant's row cannot be built without naming the tenant, so
//! another tenant's row cannot be read by accident. Connections and payouts belong to two tenants; the methods that read them
//! take the caller and return nothing to others.
//!
//! Not guaranteed: most lists read global secondary indexes, which follow the table after some milliseconds, so a new row may be
//! missing. The rows themselves are read consistently, and lists of the table itself are consistent.

mod backoff;
mod cancelled;
mod conflict;
mod entity;
pub mod imports;
mod index_values;
mod key_says;
pub mod keys;
#[cfg(test)]
mod later_release;
mod list;
mod one_row;
pub mod outbox;
pub mod packed;
pub mod page;
pub mod payout_sums;
pub mod read;
pub mod rows;
pub mod shared;
mod sold;
pub mod transaction;
pub mod vouchers;

pub use conflict::{Conflict, TooManyConflicts};
pub use entity::{Entity, Key, RawKey};
pub use index_values::shards;
pub use list::List;
pub use page::Page;
pub use read::Prefetched;
pub use transaction::{CommitError, Transaction};

use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

use crate::cancelled::{Cancelled, RetryCancelled, Throttles};

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    client: aws_sdk_dynamodb::Client,
    table: String,
    throttles: Throttles,
}

impl Store {
    /// Deadlines and retries are the client's. It also retries cancelled transactions that may succeed unchanged.
    pub fn new(client: aws_sdk_dynamodb::Client, table: impl Into<String>) -> Self {
        let throttles = Throttles::default();
        let config = client.config().to_builder();
        let config = config
            .retry_classifier(RetryCancelled)
            .interceptor(throttles.clone());
        Self {
            client: aws_sdk_dynamodb::Client::from_conf(config.build()),
            table: table.into(),
            throttles,
        }
    }

    /// How many attempts of this store's calls DynamoDB has throttled. Clones count together.
    pub fn throttled(&self) -> u64 {
        self.throttles.count()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No answer, or an internal error, after the SDK's own retries. A later call may succeed.
    #[error("the table is not available: {0}")]
    Unavailable(String),
    /// Throttled, after the SDK's own retries. A later call may succeed; many calls at once make it worse.
    #[error("DynamoDB throttles the table: {0}")]
    Throttled(String),
    /// DynamoDB rejects the call. This is a bug: no repetition can succeed.
    #[error("DynamoDB rejects the call: {0}")]
    Rejected(String),
    #[error("row {key} is corrupt: {reason}")]
    Corrupt {
        /// Partition and sort key.
        key: String,
        reason: String,
    },
}

impl StoreError {
    pub(crate) fn of<E, R>(error: SdkError<E, R>) -> Self
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        let meaning = cancelled::meaning(&error);
        let text = DisplayErrorContext(error).to_string();
        match meaning {
            Some(Cancelled::Throttled) => Self::Throttled(text),
            Some(Cancelled::Invalid) => Self::Rejected(text),
            _ => Self::Unavailable(text),
        }
    }

    /// A call that ran out of time while DynamoDB throttled calls was most likely throttled as well.
    pub(crate) fn or_throttled(self, throttled: bool) -> Self {
        match self {
            Self::Unavailable(text) if throttled => Self::Throttled(text),
            error => error,
        }
    }
}
