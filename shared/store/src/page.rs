//! Pages of lists: newest first, filtered by the domain's rules.
//!
//! The indexes hold keys only. So a page queries the partitions of its lists, merges their keys, and reads the rows by these keys,
//! consistently: a row that is missing was deleted. Lists of the table itself have one partition, whose query returns the rows.
//!
//! A position is the sort key of the last row that was read. Rows that a filter drops are read too, so one page reads at most
//! [`MAX_EXAMINED`] rows or its limit; it may then be short, even empty, and still have a next page.

use std::collections::VecDeque;

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future;

use crate::entity::{Entity, Item, RawKey, Row, string};
use crate::list::{Index, List};
use crate::{Store, StoreError};

/// Rows that a filtered page reads, at most.
pub const MAX_EXAMINED: usize = 2_000;
/// Rows that each further read of a filtered page reads.
const FETCHED: usize = 200;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<E> {
    /// Newest first.
    pub items: Vec<E>,
    /// The position after this page; `None` at the end of the list.
    pub next: Option<String>,
}

impl<E> Page<E> {
    /// All rows that there are.
    pub fn whole(items: Vec<E>) -> Self {
        Self { items, next: None }
    }
}

/// A partition of a list while it is read.
struct Partition<'a, E> {
    list: &'a List<E>,
    name: String,
    /// Queried and not yet taken, newest first.
    found: VecDeque<Found>,
    /// The position of the last query.
    before: Option<String>,
    has_ended: bool,
}

struct Found {
    sort: String,
    item: Item,
}

impl<E> Partition<'_, E> {
    /// Whether the newest row that is left is known.
    fn is_known(&self) -> bool {
        self.has_ended || !self.found.is_empty()
    }
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

    /// One page of several lists, merged by their sort keys.
    pub async fn merged_page<E: Entity>(
        &self,
        lists: &[List<E>],
        after: Option<&str>,
        limit: usize,
        keep: impl Fn(&E) -> bool + Send + Sync,
    ) -> Result<Page<E>, StoreError> {
        let mut partitions = partitions_of(lists, after);
        let mut kept: Vec<(String, E)> = Vec::new();
        let mut seen = 0;
        loop {
            let wanted = if seen == 0 { limit + 1 } else { FETCHED };
            let found = self.newest(&mut partitions, wanted).await?;
            let has_ended = found.len() < wanted;
            seen += found.len();
            let last = found.last().map(|found| found.sort.clone());
            for (sort, row) in self.rows_of(lists, found).await? {
                let row = E::of_row(Row(row))?;
                if !keep(&row) {
                    continue;
                }
                if kept.len() == limit {
                    let next = kept.last().map(|(sort, _)| sort.clone());
                    return Ok(page(kept, next));
                }
                kept.push((sort, row));
            }
            if has_ended {
                return Ok(page(kept, None));
            }
            if seen >= MAX_EXAMINED {
                return Ok(page(kept, last));
            }
        }
    }

    /// Takes the next rows of all partitions, newest first; fewer than `wanted` only at the end.
    async fn newest<E: Entity>(
        &self,
        partitions: &mut [Partition<'_, E>],
        wanted: usize,
    ) -> Result<Vec<Found>, StoreError> {
        let mut taken = Vec::with_capacity(wanted);
        while taken.len() < wanted {
            let left = wanted - taken.len();
            // Twice the expected share: random ids rarely fill one partition further.
            let fetch = match partitions.len() {
                1 => left,
                count => 2 * left.div_ceil(count) + 1,
            };
            let unknown = partitions.iter_mut().filter(|each| !each.is_known());
            future::try_join_all(unknown.map(|partition| self.fill(partition, fetch))).await?;
            while taken.len() < wanted && partitions.iter().all(Partition::is_known) {
                let newest = partitions
                    .iter_mut()
                    .filter(|partition| !partition.found.is_empty())
                    .max_by(|a, b| a.found[0].sort.cmp(&b.found[0].sort));
                let Some(newest) = newest else {
                    return Ok(taken);
                };
                taken.extend(newest.found.pop_front());
            }
        }
        Ok(taken)
    }

    async fn fill<E>(
        &self,
        partition: &mut Partition<'_, E>,
        fetch: usize,
    ) -> Result<(), StoreError> {
        let found = self.query(partition, fetch).await?;
        partition.has_ended = found.len() < fetch;
        if let Some(last) = found.last() {
            partition.before = Some(last.sort.clone());
        }
        partition.found.extend(found);
        Ok(())
    }

    /// The rows of index entries, in their order, without rows that were deleted since.
    async fn rows_of<E>(
        &self,
        lists: &[List<E>],
        found: Vec<Found>,
    ) -> Result<Vec<(String, Item)>, StoreError> {
        if lists.iter().all(|list| list.index == Index::Table) {
            let row = |found: Found| (found.sort, found.item);
            return Ok(found.into_iter().map(row).collect());
        }
        let keys: Vec<_> = found
            .into_iter()
            .filter_map(|found| Some((found.sort, RawKey::of(&found.item)?)))
            .collect();
        let mut rows = self
            .read_rows(keys.iter().map(|(_, key)| key.clone()).collect())
            .await?;
        let row = |(sort, key)| Some((sort, rows.take(&key)?));
        Ok(keys.into_iter().filter_map(row).collect())
    }

    /// Up to `limit` rows before a position; fewer only at the end of the list.
    async fn query<E>(
        &self,
        partition: &Partition<'_, E>,
        limit: usize,
    ) -> Result<Vec<Found>, StoreError> {
        let list = partition.list;
        let (index, pk, sk) = match list.index {
            Index::Table => (None, "pk", "sk"),
            Index::Gsi1 => (Some("gsi1"), "gsi1pk", "gsisk"),
            Index::Gsi2 => (Some("gsi2"), "gsi2pk", "gsisk"),
        };
        let mut rows = Vec::new();
        let mut upper = [partition.before.as_deref(), list.upper.as_deref()]
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
                .expression_attribute_values(":pk", AttributeValue::S(partition.name.clone()))
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
                let sort = string(&item, sk).unwrap_or_default();
                if Some(&sort) != high.as_ref() {
                    upper = Some(sort.clone());
                    rows.push(Found { sort, item });
                }
            }
            if rows.len() >= limit || !more {
                rows.truncate(limit);
                return Ok(rows);
            }
        }
    }
}

fn partitions_of<'a, E>(lists: &'a [List<E>], after: Option<&str>) -> Vec<Partition<'a, E>> {
    let partitions = |list: &'a List<E>| {
        let names = list.partitions().into_iter();
        names.map(move |name| Partition {
            list,
            name,
            found: VecDeque::new(),
            before: after.map(str::to_owned),
            has_ended: false,
        })
    };
    lists.iter().flat_map(partitions).collect()
}

fn page<E>(kept: Vec<(String, E)>, next: Option<String>) -> Page<E> {
    Page {
        items: kept.into_iter().map(|(_, row)| row).collect(),
        next,
    }
}
