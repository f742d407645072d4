//! The rows of the table, read and written without the store.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde_json::Value;
use tandem_domain::ids::CallbackId;
use tandem_store::outbox::Due;

use super::InProcess;
use crate::attempts::attempts_of;
use crate::stage::Row;

impl InProcess {
    /// The rows with open work, with the time from which a worker may do it, in the order of these times.
    pub fn due(&self) -> Vec<(Timestamp, Due)> {
        let text = |row: &Value, name: &str| row[name].as_str().map(str::to_owned);
        let due = |row: Value| {
            let _ = row.get("dueShard")?;
            let at = text(&row, "leaseUntil").or_else(|| text(&row, "dueAt"));
            let at = match at {
                // The id says when a new callback is due.
                None if row["sk"] == "callback" && row.get("status").is_some() => {
                    let id = text(&row, "pk")?.split_once('#')?.1.parse::<CallbackId>();
                    id.ok()?.time()
                }
                Some(at) => at.parse().expect("a time"),
                // A corrupt row.
                None => Timestamp::from_millisecond(row["sweepAt"].as_i64()?).expect("a time"),
            };
            let (pk, sk) = (text(&row, "pk")?, text(&row, "sk")?);
            Some((at, Due { pk, sk }))
        };
        let mut rows: Vec<_> = self.table.dump().into_iter().filter_map(due).collect();
        rows.sort_by_key(|(at, _)| *at);
        rows
    }

    /// The rows whose work may be done now.
    pub fn due_now(&self) -> Vec<Due> {
        let now = self.clock.now();
        let due = self.due().into_iter();
        due.take_while(|(at, _)| *at <= now)
            .map(|(_, due)| due)
            .collect()
    }

    /// Moves the clock to the next due row, and returns the rows that are due then; none if none waits.
    pub fn advance_to_next_due(&self) -> Vec<Due> {
        let due = self.due();
        let Some((first, _)) = due.first() else {
            return Vec::new();
        };
        let now = self.clock.now().max(*first);
        self.clock.advance(now.duration_since(self.clock.now()));
        self.due_now()
    }

    /// The rows whose sort key begins with a text.
    pub fn rows_of(&self, sort_key: &str) -> Vec<Value> {
        let is_of = |row: &Value| {
            row["sk"]
                .as_str()
                .is_some_and(|sk| sk.starts_with(sort_key))
        };
        self.table.dump().into_iter().filter(is_of).collect()
    }

    /// The number of attempts in the logs of all callbacks.
    pub fn logged_attempts(&self) -> usize {
        let (callbacks, attempts) = (self.rows_of("callback"), self.rows_of("attempt#"));
        let logged = callbacks
            .iter()
            .filter_map(Value::as_object)
            .map(|callback| attempts_of(callback, &attempts).len());
        logged.sum()
    }

    /// Replaces an attribute of a row, and returns the old value.
    pub async fn overwrite(
        &self,
        pk: &str,
        sk: &str,
        name: &str,
        value: AttributeValue,
    ) -> AttributeValue {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let (client, table) = (&self.table.client, &self.table.table_name);
        let get = client.get_item().table_name(table);
        let get = get.key("pk", text(pk)).key("sk", text(sk));
        let mut row = get.send().await.expect("read").item.expect("a row");
        // The key alone says the owner.
        let owner = || text(pk.split('#').next().unwrap_or_default());
        let before = row.remove(name).unwrap_or_else(owner);
        let update = client.update_item().table_name(table);
        let update = update
            .key("pk", text(pk))
            .key("sk", text(sk))
            .update_expression("SET #name = :value")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#name", name)
            .expression_attribute_values(":value", value);
        update.send().await.expect("written");
        before
    }

    pub(super) fn rows_with(&self, texts: &[&str]) -> Vec<Row> {
        let text = |value: Value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        let row = |row: Value| match row {
            Value::Object(attributes) => attributes
                .into_iter()
                .map(|(name, value)| (name, text(value)))
                .collect(),
            other => panic!("not a row: {other}"),
        };
        let rows = self.table.dump().into_iter().map(row);
        rows.filter(|row: &Row| {
            row.values()
                .any(|value| texts.iter().any(|text| value.contains(text)))
        })
        .collect()
    }
}
