//! What the table holds, and rows of it that cannot be read.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};

use crate::stack::Stack;

/// A row: its attributes by name, each as text.
pub type Row = BTreeMap<String, String>;

/// All rows that hold one of some texts, e.g. a client's id, anywhere, in the order of their keys. Reads the whole table.
///
/// # Panics
/// The table cannot be read.
pub async fn rows_about(texts: &[&str]) -> Vec<Row> {
    let mut pages = client()
        .scan()
        .table_name(&Stack::get().table_name)
        .consistent_read(true)
        .into_paginator()
        .items()
        .send();
    let mut rows = Vec::new();
    while let Some(item) = pages.next().await {
        let row: Row = item
            .expect("the table can be read")
            .iter()
            .map(|(name, value)| (name.clone(), text(value)))
            .collect();
        if row
            .values()
            .any(|value| texts.iter().any(|text| value.contains(text)))
        {
            rows.push(row);
        }
    }
    rows.sort_by(|a, b| (a.get("pk"), a.get("sk")).cmp(&(b.get("pk"), b.get("sk"))));
    rows
}

/// An attribute that was made unreadable.
#[derive(Debug)]
pub struct Spoilt {
    pk: String,
    sk: String,
    name: String,
    before: AttributeValue,
}

/// Puts something into a row's attribute that Tandem cannot read.
///
/// # Panics
/// There is no such row or attribute.
pub async fn spoil(pk: &str, sk: &str, name: &str) -> Spoilt {
    let before = put(pk, sk, name, AttributeValue::Bool(true)).await;
    Spoilt {
        pk: pk.to_owned(),
        sk: sk.to_owned(),
        name: name.to_owned(),
        before,
    }
}

impl Spoilt {
    /// Puts back what was there.
    ///
    /// # Panics
    /// The row is gone.
    pub async fn mend(self) {
        let _ = put(&self.pk, &self.sk, &self.name, self.before).await;
    }
}

/// Replaces an attribute; gives what was there.
async fn put(pk: &str, sk: &str, name: &str, value: AttributeValue) -> AttributeValue {
    let call = client().update_item().table_name(&Stack::get().table_name);
    let call = call
        .key("pk", AttributeValue::S(pk.to_owned()))
        .key("sk", AttributeValue::S(sk.to_owned()));
    let call = call
        .update_expression("SET #name = :value")
        .condition_expression("attribute_exists(#name)");
    let call = call
        .expression_attribute_names("#name", name)
        .expression_attribute_values(":value", value);
    let answer = call
        .return_values(ReturnValue::UpdatedOld)
        .send()
        .await
        .expect("the row can be changed");
    answer
        .attributes
        .and_then(|mut old| old.remove(name))
        .expect("what was there")
}

/// The same value is the same text: the members of a map have no order of their own.
fn text(value: &AttributeValue) -> String {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => text.clone(),
        AttributeValue::L(values) => format!("{:?}", values.iter().map(text).collect::<Vec<_>>()),
        AttributeValue::M(members) => {
            format!(
                "{:?}",
                members
                    .iter()
                    .map(|(name, value)| (name, text(value)))
                    .collect::<BTreeMap<_, _>>()
            )
        }
        plain => format!("{plain:?}"),
    }
}

fn client() -> Client {
    let stack = Stack::get();
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(stack.region.clone()))
        .credentials_provider(Credentials::new(
            &stack.aws_access_key_id,
            &stack.aws_secret_access_key,
            None,
            None,
            "stack.json",
        ))
        .endpoint_url(&stack.aws_endpoint)
        .build();
    Client::from_conf(config)
}
