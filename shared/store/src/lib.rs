//! The one DynamoDB table: keys, typed reads, pages, and transactions.
//!
//! Parts:
//! - [`entity`]: what a stored value must tell of itself; each entity's keys stand in one place, in [`keys`], those of imports in
//!   [`import_keys`], those of what is counted in [`limit_keys`], those of erasures in [`erasure_keys`], that of an endpoint's
//!   health in [`endpoint_keys`], of a replay in [`replay_keys`]
//! - [`imports`]: what decides about imported items
//! - [`rows`]: rows that only the table needs (uniqueness guards, shares, idempotency records)
//! - [`read`]: single and batched consistent reads
//! - [`page`]: lists, newest first, filtered and merged
//! - [`transaction`]: all writes; the only way to write
//! - [`outbox`]: rows that are due
//!
//! Rules: only this crate sees an `AttributeValue`. A key of a tenant's row cannot be built without naming the tenant, so
//! a row of another tenant cannot be read by accident. What two tenants share (connections, payouts) is read by a method
//! that takes the caller and answers nothing to strangers.
//!
//! Not guaranteed: lists read global secondary indexes, which follow the table after some milliseconds.

mod conflict;
pub mod endpoint_keys;
pub mod entity;
pub mod erasure_keys;
pub mod import_keys;
pub mod imports;
pub mod keys;
pub mod limit_keys;
pub mod outbox;
pub mod page;
pub mod read;
pub mod replay_keys;
pub mod rows;
pub mod shared;
mod spread;
pub mod transaction;

pub use conflict::{Conflict, TooManyConflicts};
pub use entity::{Entity, Key, RawKey};
pub use page::{Collection, Page};
pub use transaction::{CommitError, Transaction};

use aws_sdk_dynamodb::error::{DisplayErrorContext, SdkError};

/// The table, and how to reach it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    client: aws_sdk_dynamodb::Client,
    table: String,
}

impl Store {
    /// A store on a table. The client brings deadlines and retries.
    pub fn new(client: aws_sdk_dynamodb::Client, table: impl Into<String>) -> Self {
        Self {
            client,
            table: table.into(),
        }
    }
}

/// The table did not answer properly. Nothing that the caller can mend; trying again may help.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No answer, throttled, or an internal error, after the SDK's own retries.
    #[error("the table is not available: {0}")]
    Unavailable(String),
    /// A row is not what it should be.
    #[error("row {key} is corrupt: {reason}")]
    Corrupt {
        /// Partition and sort key.
        key: String,
        /// What is wrong.
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
