//! Each write is a transaction, all of its rows or none, or a conditional put if it has one row (`one_row.rs`).
//!
//! A new row must not exist; a replaced row must still have the version that was read. A conflict names the rows that did not meet
//! their condition, so that the caller can read them again and repeat its decision. A transaction keeps its `ClientRequestToken`
//! over all sends, so a lost answer causes neither a second write nor a false conflict. The SDK sends a transaction again that was
//! throttled, or that met another transaction (`cancelled.rs`).

use std::collections::HashMap;

use aws_sdk_dynamodb::error::{DisplayErrorContext, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem, Update,
};
use jiff::Timestamp;
use tandem_domain::ids::is_id;
use tandem_domain::request_id::RequestId;
use uuid::Uuid;

use crate::cancelled::{Cancelled, is_conflict};
use crate::entity::{Entity, Item, Key, RawKey, to_item};
use crate::{Conflict, Store, StoreError};

/// DynamoDB's limit for one transaction.
pub const MAX_ACTIONS: usize = 100;
/// The member with the id of the request from which a row follows.
const REQUEST: &str = "request";

#[derive(Debug, Clone)]
enum Write {
    Create(Item),
    CreateOver { item: Item, now: Timestamp },
    Replace { item: Item, version: u64 },
    Delete,
    Remove { version: u64 },
    Require,
    Unchanged { version: u64 },
    RemoveFromDueIndex,
}

/// The state in which the row must be.
#[derive(Debug)]
pub(crate) struct Condition {
    pub(crate) expression: &'static str,
    pub(crate) names: Option<HashMap<String, String>>,
    pub(crate) values: Option<Item>,
}

impl Write {
    /// The row, if it is written whole.
    fn item(&self) -> Option<&Item> {
        match self {
            Self::Create(item) | Self::CreateOver { item, .. } | Self::Replace { item, .. } => {
                Some(item)
            }
            _ => None,
        }
    }

    /// Whether it changes the row, and is more than a condition.
    fn is_change(&self) -> bool {
        !matches!(self, Self::Require | Self::Unchanged { .. })
    }

    fn condition(&self) -> Condition {
        let of = |expression| Condition {
            expression,
            names: None,
            values: None,
        };
        let number = |name: &str, number: String| {
            Some(HashMap::from([(
                name.to_owned(),
                AttributeValue::N(number),
            )]))
        };
        match self {
            Self::Create(_) => of("attribute_not_exists(pk)"),
            Self::CreateOver { now, .. } => Condition {
                values: number(":now", now.as_second().to_string()),
                ..of("attribute_not_exists(pk) OR expiresAt < :now")
            },
            Self::Replace { version, .. }
            | Self::Remove { version }
            | Self::Unchanged { version } => Condition {
                names: Some(HashMap::from([(
                    "#version".to_owned(),
                    "version".to_owned(),
                )])),
                values: number(":version", version.to_string()),
                ..of("#version = :version")
            },
            Self::Delete | Self::Require | Self::RemoveFromDueIndex => of("attribute_exists(pk)"),
        }
    }
}

/// Writes that are committed together.
#[derive(Debug, Clone, Default)]
pub struct Transaction {
    writes: Vec<(RawKey, Write)>,
    /// The places of the new rows that keep the id of their request.
    keeping: Vec<usize>,
}

impl Transaction {
    /// Writes a row that must not exist yet.
    pub fn create<E: Entity>(&mut self, value: &E) -> Result<(), StoreError> {
        if E::KEEPS_REQUEST {
            self.keeping.push(self.writes.len());
        }
        self.push(value.key().raw(), Write::Create(to_item(value, 1)?));
        Ok(())
    }

    /// Writes a row that must not exist yet, or that has expired and DynamoDB has not deleted yet.
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

    /// Replaces a row that still has the version that was read, and increments the version.
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

    /// Deletes a row, which must exist.
    pub fn delete<E: Entity>(&mut self, key: &Key<E>) {
        self.push(key.raw(), Write::Delete);
    }

    /// Deletes a row that still has the version that was read.
    pub fn remove<E: Entity>(&mut self, value: &E) {
        self.push(
            value.key().raw(),
            Write::Remove {
                version: value.version(),
            },
        );
    }

    /// Requires that a row exists. Only for rows that few transactions touch: transactions on the same row conflict.
    pub fn require<E: Entity>(&mut self, key: &Key<E>) {
        self.push(key.raw(), Write::Require);
    }

    /// Requires that a row still has this version, because the other writes depend on it. Only for rows that few transactions
    /// touch, as above.
    pub fn unchanged<E: Entity>(&mut self, key: &Key<E>, version: u64) {
        self.push(key.raw(), Write::Unchanged { version });
    }

    /// Takes a corrupt row, which must exist, out of the `due` index. All other members stay for the person who repairs the row.
    pub fn remove_from_due_index(&mut self, key: &RawKey) {
        self.push(key, Write::RemoveFromDueIndex);
    }

    /// Names the request from which the rows follow: the new ones that keep its id get it, unless they name another. Call it after
    /// the last row.
    pub fn caused_by(&mut self, request: Option<&RequestId>) -> Result<(), StoreError> {
        let Some(request) = request else {
            return Ok(());
        };
        let corrupt = |key: &RawKey, reason: String| StoreError::Corrupt {
            key: key.to_string(),
            reason,
        };
        for place in &self.keeping {
            if let Some((key, Write::Create(item))) = self.writes.get_mut(*place) {
                let id = serde_dynamo::to_attribute_value(request);
                let id = id.map_err(|error| corrupt(key, error.to_string()))?;
                item.entry(REQUEST.to_owned()).or_insert(id);
            }
        }
        Ok(())
    }

    /// The ids in the keys of the rows that are written or deleted, each once, in their order.
    pub fn ids(&self) -> Vec<&str> {
        let mut ids = Vec::new();
        let changed = self.writes.iter().filter(|(_, write)| write.is_change());
        for (key, _) in changed {
            let id = key.pk.rsplit('#').next().filter(|id| is_id(id));
            ids.extend(id.filter(|id| !ids.contains(id)));
        }
        ids
    }

    /// How many more writes fit, beside the record of an `Idempotency-Key`.
    pub fn room(&self) -> usize {
        (MAX_ACTIONS - 1).saturating_sub(self.writes.len())
    }

    /// Whether DynamoDB refuses the writes, together with the record of an `Idempotency-Key`.
    pub fn is_too_large(&self) -> bool {
        self.writes.len() > MAX_ACTIONS - 1
    }

    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    fn push(&mut self, key: &RawKey, write: Write) {
        self.writes.push((key.clone(), write));
    }
}

#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Rows did not meet their conditions, or another transaction was writing them. Nothing was written; see
    /// [`Store::until_committed`].
    #[error("{} row(s) changed meanwhile", .0.0.len())]
    Conflict(Conflict),
    /// The call failed. The transaction may have been written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CommitError {
    /// Whether the row of this key caused the conflict.
    pub fn concerns<E>(&self, key: &Key<E>) -> bool {
        matches!(self, Self::Conflict(conflict) if conflict.concerns(key))
    }
}

impl Store {
    /// Writes all rows or none. An empty transaction makes no call; one new or replaced row is a put (`one_row.rs`).
    pub async fn commit(&self, transaction: Transaction) -> Result<(), CommitError> {
        if let [(key, write)] = transaction.writes.as_slice()
            && let Some(item) = write.item()
        {
            return self.put(key, item.clone(), write.condition()).await;
        }
        if transaction.is_empty() {
            return Ok(());
        }
        let mut keys = Vec::with_capacity(transaction.writes.len());
        let mut actions = Vec::with_capacity(transaction.writes.len());
        for (key, write) in transaction.writes {
            actions.push(self.action(&key, write)?);
            keys.push(key);
        }
        let throttled = self.throttled();
        let sent = self
            .client
            .transact_write_items()
            .set_transact_items(Some(actions))
            // One token for all sends: if an earlier send took effect and its answer was lost, a later one succeeds without effect.
            .client_request_token(Uuid::now_v7().to_string())
            .send()
            .await;
        sent.map(|_| ()).map_err(|error| {
            let throttled = self.throttled() > throttled;
            refused(error, &keys, throttled)
        })
    }

    fn action(&self, key: &RawKey, write: Write) -> Result<TransactWriteItem, StoreError> {
        let condition = write.condition();
        let action = TransactWriteItem::builder();
        let action = match write {
            Write::Create(item) | Write::CreateOver { item, .. } | Write::Replace { item, .. } => {
                let put = Put::builder()
                    .table_name(&self.table)
                    .set_item(Some(item))
                    .condition_expression(condition.expression)
                    .set_expression_attribute_names(condition.names)
                    .set_expression_attribute_values(condition.values);
                action.put(built(put.build())?)
            }
            Write::Delete | Write::Remove { .. } => {
                let delete = Delete::builder()
                    .table_name(&self.table)
                    .set_key(Some(key.to_item()))
                    .condition_expression(condition.expression)
                    .set_expression_attribute_names(condition.names)
                    .set_expression_attribute_values(condition.values);
                action.delete(built(delete.build())?)
            }
            Write::Require | Write::Unchanged { .. } => {
                let check = ConditionCheck::builder()
                    .table_name(&self.table)
                    .set_key(Some(key.to_item()))
                    .condition_expression(condition.expression)
                    .set_expression_attribute_names(condition.names)
                    .set_expression_attribute_values(condition.values);
                action.condition_check(built(check.build())?)
            }
            Write::RemoveFromDueIndex => {
                let update = Update::builder()
                    .table_name(&self.table)
                    .set_key(Some(key.to_item()))
                    .update_expression("REMOVE dueShard, sweepAt")
                    .condition_expression(condition.expression);
                action.update(built(update.build())?)
            }
        };
        Ok(action.build())
    }
}

fn built<T>(result: Result<T, aws_sdk_dynamodb::error::BuildError>) -> Result<T, StoreError> {
    result.map_err(|error| StoreError::Unavailable(error.to_string()))
}

/// The meaning of a failed transaction. `throttled`: the table throttled calls while the transaction was sent, so a call that ran
/// out of time was most likely throttled as well.
fn refused(
    error: SdkError<
        TransactWriteItemsError,
        aws_smithy_runtime_api::client::orchestrator::HttpResponse,
    >,
    keys: &[RawKey],
    throttled: bool,
) -> CommitError {
    let cancelled = match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            let reasons = cancelled.cancellation_reasons();
            Cancelled::of(reasons).map(|meaning| (meaning, reasons))
        }
        _ => None,
    };
    let Some((meaning, reasons)) = cancelled else {
        return StoreError::of(error).or_throttled(throttled).into();
    };
    match meaning {
        Cancelled::ConditionFailed | Cancelled::Busy => {
            let conflicts = keys
                .iter()
                .zip(reasons)
                .filter(|(_, reason)| is_conflict(reason));
            CommitError::Conflict(Conflict(conflicts.map(|(key, _)| key.clone()).collect()))
        }
        Cancelled::Throttled => {
            StoreError::Throttled(DisplayErrorContext(error).to_string()).into()
        }
        Cancelled::Invalid => StoreError::Rejected(DisplayErrorContext(error).to_string()).into(),
    }
}
