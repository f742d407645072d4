//! Rows that are due.
//!
//! A row with open work has `dueShard` and `sweepAt`, from when the sweep sends a message for it. Both are removed when the work is
//! done, so the `due` index holds open work only. The row's own `dueAt` says from when the work may be done; the sweep does not
//! read it. One partition of an index takes 1,000 writes a second. A purchase with a callback that is delivered at the first
//! attempt writes twice into the index: an insert, and a removal at the end. Ten thousand such purchases a second are 20,000
//! writes over 64 shards: 313 each. The sweep's marks add 134 in a minute with a backlog.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tandem_domain::sweep::NextPage;

use crate::entity::{Item, RawKey, string};
use crate::index_values::milliseconds;
use crate::key_says::add;
use crate::{Store, StoreError};

/// The key of a row with open work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    pub pk: String,
    /// Sort key of the row; it begins with the kind of work: `callback`, `mail`, `replay`, `chunk#007`.
    pub sk: String,
}

impl Due {
    /// Reads the keys of a record of the table's stream.
    pub fn of_stream_keys(keys: &serde_dynamo::Item) -> Option<Self> {
        let text = |name: &str| match keys.get(name) {
            Some(serde_dynamo::AttributeValue::S(text)) => Some(text.clone()),
            _ => None,
        };
        Some(Self {
            pk: text("pk")?,
            sk: text("sk")?,
        })
    }

    /// The tenant in the row's key.
    pub fn tenant(&self) -> &str {
        self.pk.split('#').next().unwrap_or_default()
    }
}

/// The names in a callback's row of the rows that its worker also reads. In a message they are a hint, for one read instead of two:
/// the row decides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beside {
    /// `con_…`; `None` for the client's own endpoint.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub connection: Option<String>,
    /// `cco_…#cus_…`
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub concerned: Option<String>,
}

impl Beside {
    /// Reads the image of a callback's row in a record of the table's stream; `None` for other rows.
    pub fn of_stream_image(due: &Due, row: &serde_dynamo::Item) -> Option<Self> {
        let text = |name: &str| match row.get(name) {
            Some(serde_dynamo::AttributeValue::S(text)) => Some(text.clone()),
            _ => None,
        };
        (due.sk == "callback").then(|| Self {
            connection: text("connectionId"),
            concerned: text("concerned"),
        })
    }
}

/// When the work of a stream record's row may be done; `None` if the row does not wait.
pub fn due_at(row: &serde_dynamo::Item) -> Option<Timestamp> {
    match row.get("dueAt") {
        Some(serde_dynamo::AttributeValue::S(text)) => text.parse().ok(),
        _ => None,
    }
}

/// Whether a stream record is of the sweep's mark: the sweep has sent the row's message.
pub fn is_swept(row: &serde_dynamo::Item) -> bool {
    row.contains_key(SWEPT_AT)
}

/// When the sweep last handled the row. The next commit of the row removes it.
const SWEPT_AT: &str = "sweptAt";

/// A row whose `sweepAt` has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swept {
    pub due: Due,
    /// As read: the mark has no effect on a row that another writer has changed since.
    pub sweep_at: Timestamp,
}

/// Rows of a shard, the oldest first.
#[derive(Debug, Default)]
pub struct SweptPage {
    pub rows: Vec<Swept>,
    /// Whether the shard has more rows, and where they begin.
    next: Option<Item>,
}

impl SweptPage {
    pub fn has_more(&self) -> bool {
        self.next.is_some()
    }
}

impl Store {
    /// Rows of a shard whose `sweepAt` has come, the oldest first; after another page, if any.
    pub async fn due(
        &self,
        shard: &str,
        now: Timestamp,
        page: &NextPage,
        after: Option<SweptPage>,
    ) -> Result<SweptPage, StoreError> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let mut query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("due")
            .key_condition_expression("dueShard = :shard AND sweepAt <= :now")
            .expression_attribute_values(":shard", text(shard))
            .expression_attribute_values(":now", milliseconds(now))
            .set_limit(page.limit.and_then(|limit| i32::try_from(limit).ok()))
            .set_exclusive_start_key(after.and_then(|after| after.next));
        let mut filter = Vec::new();
        for (number, tenant) in page.without.iter().enumerate() {
            filter.push(format!("NOT begins_with(pk, :t{number})"));
            query = query.expression_attribute_values(format!(":t{number}"), text(tenant));
        }
        let filter = (!filter.is_empty()).then(|| filter.join(" AND "));
        let answer = query.set_filter_expression(filter).send().await;
        let answer = answer.map_err(StoreError::of)?;
        Ok(SweptPage {
            rows: answer.items().iter().filter_map(swept_of).collect(),
            next: answer.last_evaluated_key,
        })
    }

    /// Moves a row's `sweepAt` after its message was sent, unless another writer changed the row since it was read. The version
    /// stays, so a worker's commit does not fail because of the mark; it replaces the mark.
    ///
    /// Returns since when the row's work was due, which the call reads at no cost; `None` if the row was changed or does not say it.
    pub async fn mark_swept(
        &self,
        swept: &Swept,
        again_at: Timestamp,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let key = RawKey {
            pk: swept.due.pk.clone(),
            sk: swept.due.sk.clone(),
        };
        let marked = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key.to_item()))
            .update_expression("SET sweepAt = :again, sweptAt = :now")
            .condition_expression("sweepAt = :read AND attribute_exists(dueShard)")
            .expression_attribute_values(":again", milliseconds(again_at))
            .expression_attribute_values(":now", milliseconds(now))
            .expression_attribute_values(":read", milliseconds(swept.sweep_at))
            .return_values(ReturnValue::AllOld)
            .send()
            .await;
        let error = match marked {
            Ok(answer) => return Ok(answer.attributes.and_then(|row| due_at_of(row, &key))),
            Err(error) => error,
        };
        match error.as_service_error() {
            Some(
                UpdateItemError::ConditionalCheckFailedException(_)
                | UpdateItemError::TransactionConflictException(_),
            ) => Ok(None),
            _ => Err(StoreError::of(error)),
        }
    }
}

/// The `dueAt` of a row; that of a new callback is in its key.
fn due_at_of(mut row: Item, key: &RawKey) -> Option<Timestamp> {
    if key.sk == "callback" {
        add(&mut row, key, &["dueAt"]);
    }
    string(&row, "dueAt")?.parse().ok()
}

fn swept_of(item: &Item) -> Option<Swept> {
    let RawKey { pk, sk } = RawKey::of(item)?;
    let sweep_at = item.get("sweepAt")?.as_n().ok()?.parse().ok()?;
    Some(Swept {
        due: Due { pk, sk },
        sweep_at: Timestamp::from_millisecond(sweep_at).ok()?,
    })
}
