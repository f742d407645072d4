//! All writes are transactions: all of their rows or none.
//!
//! A new row must not exist; a replaced row must have the version that was read. What fails tells which rows stood in the
//! way, so that the caller can read them again and decide anew. The SDK sends one `ClientRequestToken` with all its tries, so
//! an answer lost on the wire does not write twice.

use aws_sdk_dynamodb::error::{DisplayErrorContext, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem, Update,
};
use jiff::Timestamp;

use crate::entity::{Entity, Item, Key, RawKey, to_item};
use crate::{Conflict, Store, StoreError};

/// DynamoDB's bound for one transaction.
pub const MOST_ACTIONS: usize = 100;

#[derive(Debug, Clone)]
enum Write {
    Create(Item),
    CreateOver { item: Item, now: Timestamp },
    Replace { item: Item, version: u64 },
    Delete,
    Remove { version: u64 },
    Require,
    Unchanged { version: u64 },
    Quiet,
}

/// Writes that happen together.
#[derive(Debug, Clone, Default)]
pub struct Transaction {
    writes: Vec<(RawKey, Write)>,
}

impl Transaction {
    /// A row that must not exist yet.
    ///
    /// # Errors
    /// The value cannot be stored.
    pub fn create<E: Entity>(&mut self, value: &E) -> Result<(), StoreError> {
        self.push(value.key().raw(), Write::Create(to_item(value, 1)?));
        Ok(())
    }

    /// A row that must not exist yet, or has expired although DynamoDB has not deleted it.
    ///
    /// # Errors
    /// The value cannot be stored.
    pub fn create_over_expired<E: Entity>(
        &mut self,
        value: &E,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.push(
            value.key().raw(),
            Write::CreateOver {
                item: to_item(value, 1)?,
                now,
            },
        );
        Ok(())
    }

    /// A row that was read and is changed; its version is counted up.
    ///
    /// # Errors
    /// The value cannot be stored.
    pub fn replace<E: Entity>(&mut self, value: &E) -> Result<(), StoreError> {
        let version = value.version();
        self.push(
            value.key().raw(),
            Write::Replace {
                item: to_item(value, version + 1)?,
                version,
            },
        );
        Ok(())
    }

    /// A row that is to go; it must exist.
    pub fn delete<E: Entity>(&mut self, key: &Key<E>) {
        self.push(key.raw(), Write::Delete);
    }

    /// A row that was read and is to go; it must still have the version that was read.
    pub fn remove<E: Entity>(&mut self, value: &E) {
        self.push(
            value.key().raw(),
            Write::Remove {
                version: value.version(),
            },
        );
    }

    /// A row that must exist. Only for rows that few others touch: transactions on one row hinder each other.
    pub fn require<E: Entity>(&mut self, key: &Key<E>) {
        self.push(key.raw(), Write::Require);
    }

    /// A row that was read and on which the other writes rest; it must still have the version that was read. Only for rows that
    /// few others touch, as above.
    pub fn unchanged<E: Entity>(&mut self, key: &Key<E>, version: u64) {
        self.push(key.raw(), Write::Unchanged { version });
    }

    /// A row that cannot be read is no longer due; it must exist. The rest of it stays for people to look at, also `dueAt`: the row
    /// leaves the index without its shard alone, and its state may need the time once the row is mended.
    pub fn quiet(&mut self, key: &RawKey) {
        self.push(key, Write::Quiet);
    }

    /// Whether nothing is to be written.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    fn push(&mut self, key: &RawKey, write: Write) {
        self.writes.push((key.clone(), write));
    }
}

/// Why a transaction did not happen.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Rows were not as expected, or another transaction was on them. Nothing was written: read again and decide anew.
    #[error("{} row(s) changed meanwhile", .0.0.len())]
    Conflict(Conflict),
    /// The table did not answer properly. It may have written; only a repeat with the same idempotency key can tell.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CommitError {
    /// Whether this row stood in the way.
    pub fn concerns<E>(&self, key: &Key<E>) -> bool {
        matches!(self, Self::Conflict(conflict) if conflict.concerns(key))
    }
}

/// How often a transaction is sent if other ones are on its rows at that moment.
const MOST_SENDS: usize = 4;

impl Store {
    /// Writes all or nothing. An empty transaction is done at once. One that is refused only because another one is under way on
    /// its rows has not been looked at: it is sent again as it is, since what it rests on may well hold.
    ///
    /// # Errors
    /// Rows stood in the way, or the table is not available.
    pub async fn commit(&self, transaction: Transaction) -> Result<(), CommitError> {
        if transaction.is_empty() {
            return Ok(());
        }
        let mut keys = Vec::with_capacity(transaction.writes.len());
        let mut actions = Vec::with_capacity(transaction.writes.len());
        for (key, write) in transaction.writes {
            actions.push(self.action(&key, write)?);
            keys.push(key);
        }
        for _ in 1..MOST_SENDS {
            match self.send(actions.clone(), &keys).await {
                Err(Refusal::Busy(_)) => {}
                other => return Ok(other?),
            }
        }
        Ok(self.send(actions, &keys).await?)
    }

    async fn send(&self, actions: Vec<TransactWriteItem>, keys: &[RawKey]) -> Result<(), Refusal> {
        let sent = self
            .client
            .transact_write_items()
            .set_transact_items(Some(actions))
            .send()
            .await;
        sent.map(|_| ()).map_err(|error| refused(error, keys))
    }

    fn action(&self, key: &RawKey, write: Write) -> Result<TransactWriteItem, StoreError> {
        let number = |number: u64| AttributeValue::N(number.to_string());
        let put = |item: Item| Put::builder().table_name(&self.table).set_item(Some(item));
        let action = TransactWriteItem::builder();
        let action = match write {
            Write::Create(item) => action.put(built(
                put(item)
                    .condition_expression("attribute_not_exists(pk)")
                    .build(),
            )?),
            Write::CreateOver { item, now } => action.put(built(
                put(item)
                    .condition_expression("attribute_not_exists(pk) OR expiresAt < :now")
                    .expression_attribute_values(
                        ":now",
                        AttributeValue::N(now.as_second().to_string()),
                    )
                    .build(),
            )?),
            Write::Replace { item, version } => action.put(built(
                put(item)
                    .condition_expression("#version = :version")
                    .expression_attribute_names("#version", "version")
                    .expression_attribute_values(":version", number(version))
                    .build(),
            )?),
            Write::Delete => action.delete(built(
                Delete::builder()
                    .table_name(&self.table)
                    .set_key(Some(key.to_item()))
                    .condition_expression("attribute_exists(pk)")
                    .build(),
            )?),
            Write::Remove { version } => action.delete(built(
                Delete::builder()
                    .table_name(&self.table)
                    .set_key(Some(key.to_item()))
                    .condition_expression("#version = :version")
                    .expression_attribute_names("#version", "version")
                    .expression_attribute_values(":version", number(version))
                    .build(),
            )?),
            Write::Require => action.condition_check(built(
                ConditionCheck::builder()
                    .table_name(&self.table)
                    .set_key(Some(key.to_item()))
                    .condition_expression("attribute_exists(pk)")
                    .build(),
            )?),
            Write::Unchanged { version } => action.condition_check(built(
                ConditionCheck::builder()
                    .table_name(&self.table)
                    .set_key(Some(key.to_item()))
                    .condition_expression("#version = :version")
                    .expression_attribute_names("#version", "version")
                    .expression_attribute_values(":version", number(version))
                    .build(),
            )?),
            Write::Quiet => action.update(built(
                Update::builder()
                    .table_name(&self.table)
                    .set_key(Some(key.to_item()))
                    .update_expression("REMOVE dueShard")
                    .condition_expression("attribute_exists(pk)")
                    .build(),
            )?),
        };
        Ok(action.build())
    }
}

fn built<T>(result: Result<T, aws_sdk_dynamodb::error::BuildError>) -> Result<T, StoreError> {
    result.map_err(|error| StoreError::Unavailable(error.to_string()))
}

/// Why a transaction was not written.
enum Refusal {
    /// Nothing but other transactions on these rows.
    Busy(Conflict),
    Other(CommitError),
}

impl From<Refusal> for CommitError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Busy(conflict) => Self::Conflict(conflict),
            Refusal::Other(error) => error,
        }
    }
}

fn refused(
    error: SdkError<
        TransactWriteItemsError,
        aws_smithy_runtime_api::client::orchestrator::HttpResponse,
    >,
    keys: &[RawKey],
) -> Refusal {
    if let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) =
        error.as_service_error()
    {
        let codes: Vec<&str> = canceled
            .cancellation_reasons()
            .iter()
            .map(|reason| reason.code().unwrap_or("None"))
            .collect();
        let in_the_way = |code: &str| {
            matches!(
                code,
                "ConditionalCheckFailed" | "TransactionConflict" | "DuplicateItem"
            )
        };
        if codes.iter().all(|code| *code == "None" || in_the_way(code)) {
            let conflict = Conflict(
                keys.iter()
                    .zip(&codes)
                    .filter(|(_, code)| in_the_way(code))
                    .map(|(key, _)| key.clone())
                    .collect(),
            );
            let busy = codes
                .iter()
                .all(|code| matches!(*code, "None" | "TransactionConflict"));
            return if busy {
                Refusal::Busy(conflict)
            } else {
                Refusal::Other(CommitError::Conflict(conflict))
            };
        }
    }
    Refusal::Other(CommitError::Store(StoreError::Unavailable(
        DisplayErrorContext(error).to_string(),
    )))
}
