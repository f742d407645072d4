//! The table of the stack, read and written without the store.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};

use super::Stack;

/// A row: its attributes by name, each as text.
pub type Row = BTreeMap<String, String>;

pub(super) async fn rows_about(texts: &[&str]) -> Vec<Row> {
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

/// An attribute with a value that Tandem cannot read.
#[derive(Debug)]
pub struct Corrupted {
    pk: String,
    sk: String,
    name: String,
    before: AttributeValue,
}

/// Corrupts an attribute of a row.
pub async fn corrupt(pk: &str, sk: &str, name: &str) -> Corrupted {
    let before = replace(pk, sk, name, AttributeValue::Bool(true)).await;
    Corrupted {
        pk: pk.to_owned(),
        sk: sk.to_owned(),
        name: name.to_owned(),
        before,
    }
}

impl Corrupted {
    /// Restores the old value.
    pub async fn repair(self) {
        let _ = replace(&self.pk, &self.sk, &self.name, self.before).await;
    }
}

/// Replaces an attribute, and returns the old value.
async fn replace(pk: &str, sk: &str, name: &str, value: AttributeValue) -> AttributeValue {
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
        .expect("the old value")
}

/// Sorts the members of a map, so that equal values are equal texts.
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
