//! Rows that are due.
//!
//! A row with open work has `dueShard` and `sweepAt`, from when the sweep sends a message for it. Both are removed when the work is
//! done, so the `due` index holds open work only. The row's own `dueAt` says from when the work may be done; the sweep does not
//! read it. One partition of an index takes 1,000 writes a second. A purchase with a callback that is delivered at the first
//! attempt writes twice into the index: an insert, and a removal at the end. Ten thousand such purchases a second are 20,000
//! writes over 64 shards: 313 each.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::entity::{Item, RawKey, string};
use crate::index_values::milliseconds;
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

impl Store {
    /// Rows of a shard whose `sweepAt` has come, the oldest first.
    pub async fn due(
        &self,
        shard: &str,
        now: Timestamp,
        limit: i32,
    ) -> Result<Vec<Due>, StoreError> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("due")
            .key_condition_expression("dueShard = :shard AND sweepAt <= :now")
            .expression_attribute_values(":shard", AttributeValue::S(shard.to_owned()))
            .expression_attribute_values(":now", milliseconds(now))
            .limit(limit)
            .send()
            .await
            .map_err(StoreError::of)?;
        Ok(answer.items().iter().filter_map(due_of).collect())
    }
}

fn due_of(item: &Item) -> Option<Due> {
    string(item, "dueShard")?;
    RawKey::of(item).map(|RawKey { pk, sk }| Due { pk, sk })
}
