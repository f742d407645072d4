//! Statements: the amounts of many payout rows, read from the indexes alone.
//!
//! The indexes of lists hold keys, and of payout rows also the members that a statement sums. So a statement makes one query for
//! each megabyte of index entries, of all partitions at the same time, and reads no rows. A mark of payment follows some
//! milliseconds late.

use aws_sdk_dynamodb::types::AttributeValue;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use tandem_domain::ids::ClientId;
use tandem_domain::payout::{Payout, PayoutSum};

use crate::entity::Item;
use crate::list::{Index, List};
use crate::{Store, StoreError};

/// Lower and higher than every id.
const LOWEST: &str = "!";
const HIGHEST: &str = "~";

impl Store {
    /// Passes the amounts of all rows of a client's list to `add`, in no order. Returns false if the list has more than `most`
    /// rows.
    pub async fn sum_payouts(
        &self,
        client: ClientId,
        list: &List<Payout>,
        most: usize,
        mut add: impl FnMut(&PayoutSum),
    ) -> Result<bool, StoreError> {
        let partitions = list.partitions().into_iter();
        let pages = partitions.map(|partition| self.entries(list, partition).boxed());
        let mut pages = stream::select_all(pages);
        let mut left = most;
        while let Some(page) = pages.try_next().await? {
            let Some(rest) = left.checked_sub(page.len()) else {
                return Ok(false);
            };
            left = rest;
            for entry in page {
                add(&decoded(client, entry)?);
            }
        }
        Ok(true)
    }

    /// The pages of a partition of a list.
    fn entries<'a>(
        &'a self,
        list: &'a List<Payout>,
        partition: String,
    ) -> impl Stream<Item = Result<Vec<Item>, StoreError>> + Send + 'a {
        stream::try_unfold(Some(None), move |start: Option<Option<Item>>| {
            let partition = partition.clone();
            async move {
                let Some(start) = start else {
                    return Ok(None);
                };
                let (mut entries, next) = self.entries_after(list, partition, start).await?;
                // BETWEEN includes its upper end.
                let is_end = |entry: &Item| {
                    entry.get("gsisk").and_then(|at| at.as_s().ok()) == list.upper.as_ref()
                };
                entries.retain(|entry| list.upper.is_none() || !is_end(entry));
                Ok(Some((entries, next.map(Some))))
            }
        })
    }

    async fn entries_after(
        &self,
        list: &List<Payout>,
        partition: String,
        start: Option<Item>,
    ) -> Result<(Vec<Item>, Option<Item>), StoreError> {
        let (index, pk, partner) = match list.index {
            Index::Gsi2 => ("gsi2", "gsi2pk", "sourceClientId"),
            _ => ("gsi1", "gsi1pk", "targetClientId"),
        };
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let low = Some(list.lower.as_str()).filter(|low| !low.is_empty());
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(index)
            .key_condition_expression("#pk = :pk AND gsisk BETWEEN :low AND :high")
            .expression_attribute_names("#pk", pk)
            .expression_attribute_values(":pk", AttributeValue::S(partition))
            .expression_attribute_values(":low", text(low.unwrap_or(LOWEST)))
            .expression_attribute_values(":high", text(list.upper.as_deref().unwrap_or(HIGHEST)))
            .projection_expression(format!("gsisk, #type, paidStatus, gross, due, {partner}"))
            .expression_attribute_names("#type", "type")
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(StoreError::of)?;
        Ok((answer.items.unwrap_or_default(), answer.last_evaluated_key))
    }
}

fn decoded(client: ClientId, mut entry: Item) -> Result<PayoutSum, StoreError> {
    // The entry names the partner.
    for side in ["sourceClientId", "targetClientId"] {
        let own = || AttributeValue::S(client.to_string());
        entry.entry(side.to_owned()).or_insert_with(own);
    }
    if let Some(id) = entry.remove("gsisk") {
        entry.insert("id".to_owned(), id);
    }
    serde_dynamo::from_item(entry).map_err(|error| StoreError::Corrupt {
        key: "an index entry of a payout row".to_owned(),
        reason: error.to_string(),
    })
}
