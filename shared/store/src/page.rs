//! Pages of lists: newest first, filtered by the domain's rules.
//!
//! A position is the sort key of the last row that was read. Rows that a filter drops are read too, so one page reads at most
//! [`MAX_EXAMINED`] rows of each list; it may then be short, even empty, and still have a next page.

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future;

use crate::entity::{Entity, Item, from_item, string};
use crate::list::{Index, List};
use crate::{Store, StoreError};

/// Rows that one page reads of each list, at most.
pub const MAX_EXAMINED: usize = 2_000;
/// Rows that each further query of a filtered page reads.
const FETCHED: usize = 200;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<E> {
    /// Newest first.
    pub items: Vec<E>,
    /// The position after this page; `None` at the end of the list.
    pub next: Option<String>,
}

struct Examined<E> {
    kept: Vec<(String, E)>,
    /// The sort key down to which all rows were read; `None` at the end of the list.
    horizon: Option<String>,
}

impl Store {
    /// At most `limit` rows that `keep` accepts, after the position `after`.
    pub async fn page<E: Entity>(
        &self,
        list: &List<E>,
        after: Option<&str>,
        limit: usize,
        keep: impl Fn(&E) -> bool + Send + Sync,
    ) -> Result<Page<E>, StoreError> {
        self.merged_page(std::slice::from_ref(list), after, limit, keep)
            .await
    }

    /// One page of several lists, read at the same time and merged by their sort keys.
    pub async fn merged_page<E: Entity>(
        &self,
        lists: &[List<E>],
        after: Option<&str>,
        limit: usize,
        keep: impl Fn(&E) -> bool + Send + Sync,
    ) -> Result<Page<E>, StoreError> {
        let mut kept: Vec<(String, E)> = Vec::new();
        // Below the highest horizon, at least one list was not read yet.
        let mut horizon: Option<String> = None;
        let examine = lists
            .iter()
            .map(|list| self.examine(list, after, limit, &keep));
        for examined in future::try_join_all(examine).await? {
            kept.extend(examined.kept);
            horizon = horizon.max(examined.horizon);
        }
        if let Some(horizon) = &horizon {
            kept.retain(|(sk, _)| sk >= horizon);
        }
        kept.sort_by(|(a, _), (b, _)| b.cmp(a));
        if kept.len() > limit {
            kept.truncate(limit);
            horizon = kept.last().map(|(sk, _)| sk.clone());
        }
        Ok(Page {
            items: kept.into_iter().map(|(_, row)| row).collect(),
            next: horizon,
        })
    }

    /// Reads rows until one more than `limit` is kept, the list ends, or [`MAX_EXAMINED`] rows were read.
    async fn examine<E: Entity>(
        &self,
        list: &List<E>,
        after: Option<&str>,
        limit: usize,
        keep: &(impl Fn(&E) -> bool + Send + Sync),
    ) -> Result<Examined<E>, StoreError> {
        let mut kept = Vec::new();
        let mut before = after.map(str::to_owned);
        let mut seen = 0;
        loop {
            let fetch = (limit + 1).max(if seen > 0 { FETCHED } else { 0 });
            let items = self.query(list, before.as_deref(), fetch).await?;
            let ended = items.len() < fetch;
            seen += items.len();
            for (sk, item) in items {
                let row: E = from_item(item)?;
                before = Some(sk.clone());
                if keep(&row) {
                    kept.push((sk, row));
                    if kept.len() > limit {
                        return Ok(Examined {
                            kept,
                            horizon: before,
                        });
                    }
                }
            }
            if ended {
                return Ok(Examined {
                    kept,
                    horizon: None,
                });
            }
            if seen >= MAX_EXAMINED {
                return Ok(Examined {
                    kept,
                    horizon: before,
                });
            }
        }
    }

    /// Up to `limit` rows before a position; fewer only at the end of the list.
    async fn query<E>(
        &self,
        list: &List<E>,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Item)>, StoreError> {
        let (index, pk, sk) = match list.index {
            Index::Table => (None, "pk", "sk"),
            Index::Gsi1 => (Some("gsi1"), "gsi1pk", "gsi1sk"),
            Index::Gsi2 => (Some("gsi2"), "gsi2pk", "gsi2sk"),
        };
        let mut rows = Vec::new();
        let mut upper = [before, list.upper.as_deref()]
            .into_iter()
            .flatten()
            .min()
            .map(str::to_owned);
        loop {
            // DynamoDB takes one condition on the sort key. BETWEEN includes both ends; the upper one is dropped below.
            let (condition, high) = match &upper {
                Some(upper) if *upper <= list.lower => return Ok(rows),
                Some(upper) => (
                    "#pk = :pk AND #sk BETWEEN :low AND :high",
                    Some(upper.clone()),
                ),
                None if list.lower.is_empty() => ("#pk = :pk", None),
                None => ("#pk = :pk AND #sk >= :low", None),
            };
            let wanted = limit - rows.len() + usize::from(high.is_some());
            let mut query = self
                .client
                .query()
                .table_name(&self.table)
                .set_index_name(index.map(str::to_owned))
                .key_condition_expression(condition)
                .expression_attribute_names("#pk", pk)
                .expression_attribute_values(":pk", AttributeValue::S(list.pk.clone()))
                .scan_index_forward(false)
                .consistent_read(list.index == Index::Table)
                .limit(i32::try_from(wanted).unwrap_or(i32::MAX));
            if condition.contains("#sk") {
                query = query.expression_attribute_names("#sk", sk);
            }
            if condition.contains(":low") {
                // An empty sort key value is not allowed; "!" is lower than every id and prefix.
                let low = if list.lower.is_empty() {
                    "!"
                } else {
                    &list.lower
                };
                query =
                    query.expression_attribute_values(":low", AttributeValue::S(low.to_owned()));
            }
            if let Some(high) = &high {
                query = query.expression_attribute_values(":high", AttributeValue::S(high.clone()));
            }
            let answer = query.send().await.map_err(StoreError::of)?;
            let more = answer.last_evaluated_key.is_some();
            for item in answer.items.unwrap_or_default() {
                let at = string(&item, sk).unwrap_or_default();
                if Some(&at) != high.as_ref() {
                    upper = Some(at.clone());
                    rows.push((at, item));
                }
            }
            if rows.len() >= limit || !more {
                rows.truncate(limit);
                return Ok(rows);
            }
        }
    }
}
