//! The one DynamoDB table: keys, typed reads, lists, and transactions.
//!
//! Parts:
//! - [`keys`]: the keys and lists of all entities, by noun
//! - [`rows`]: rows that only the table needs (uniqueness guards, shares, idempotency records)
//! - [`read`]: consistent reads of one or several rows
//! - [`page`]: pages of lists, newest first, filtered and merged
//! - [`transaction`]: the only way to write, and `until_committed`, which repeats a decision after a conflict
//! - [`outbox`]: rows that are due
//! - [`imports`]: the rows that decide about imported items
//!
//! Rules: only this crate sees an `AttributeValue`. The key of a tenant's row cannot be built without naming the tenant, so
//! another tenant's row cannot be read by accident. Connections and payouts belong to two tenants; the methods that read them
//! take the caller and return nothing to others.
//!
//! Not guaranteed: most lists read global secondary indexes, which follow the table after some milliseconds. Lists of the
//! table itself are consistent.

mod conflict;
mod entity;
pub mod imports;
mod index_values;
pub mod keys;
mod list;
pub mod outbox;
pub mod page;
pub mod read;
pub mod rows;
pub mod shared;
pub mod transaction;

pub use conflict::{Conflict, TooManyConflicts};
pub use entity::{Entity, Key, RawKey};
pub use index_values::shards;
pub use list::List;
pub use page::Page;
pub use transaction::{CommitError, Transaction};

use aws_sdk_dynamodb::error::{DisplayErrorContext, SdkError};

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    client: aws_sdk_dynamodb::Client,
    table: String,
}

impl Store {
    /// Deadlines and retries are the client's.
    pub fn new(client: aws_sdk_dynamodb::Client, table: impl Into<String>) -> Self {
        Self {
            client,
            table: table.into(),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No answer, throttled, or an internal error, after the SDK's own retries. A later call may succeed.
    #[error("the table is not available: {0}")]
    Unavailable(String),
    #[error("row {key} is corrupt: {reason}")]
    Corrupt {
        /// Partition and sort key.
        key: String,
        reason: String,
    },
}

impl StoreError {
    pub(crate) fn unavailable<E, R>(error: SdkError<E, R>) -> Self
    where
        E: std::error::Error + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        Self::Unavailable(DisplayErrorContext(error).to_string())
    }
}
