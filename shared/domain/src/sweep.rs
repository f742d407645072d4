//! The decisions of the sweep: from when on it sends a message for a row with open work, and for which rows in one round.
//!
//! The stream sends the first message of a row within a second of its commit, so the sweep leaves a new row alone for the
//! [`GRACE`]. A row that waits for a later attempt has none: if it is due in more than a quarter of an hour, nothing but the sweep
//! sends its message.

//!
//! After a message the sweep moves the row's time forward, so the next round reads other rows. Within a round, tenants take turns:
//! one tenant's backlog does not delay another tenant's rows.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

/// The time for which the sweep leaves a new row to the stream and its worker. Half a minute longer than the lease of a callback or
/// a mail, so that a lease taken within this half minute ends before the sweep looks, and does not move the row in the index.
pub const GRACE: SignedDuration = SignedDuration::from_secs(90);

/// The sweep's time of a new row that is due at this time.
pub fn of_new(due_at: Timestamp) -> Timestamp {
    due_at.saturating_add(GRACE).unwrap_or(Timestamp::MAX)
}

/// The sweep's time of a row that was due at this time and has its first lease.
pub fn of_first_lease(due_at: Timestamp, lease_until: Timestamp) -> Timestamp {
    of_new(due_at).max(lease_until)
}

/// Rows of a shard that the sweep sends in one round, each minute. All 64 shards together: 256,000, of which each costs three
/// write units (its row, and its entry in the index, removed and inserted).
pub const ROWS_OF_A_ROUND: usize = 4_000;
/// Rows that are enough to choose from.
const ENOUGH: usize = 2 * ROWS_OF_A_ROUND;
/// Rows of one tenant that are enough for a round. The next pages leave out a tenant that has as many: sixteen tenants at most, far
/// below the limits of an expression.
const ENOUGH_OF_A_TENANT: usize = 500;
/// Pages of a shard that are read in one round at most. Each reads a megabyte, some 8,000 rows.
const MOST_PAGES: usize = 80;

/// The end of the sweep's work on a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handover {
    /// A queue has the message.
    Sent,
    /// The queue did not take the message.
    NotSent,
    /// No queue takes rows of this kind.
    NoQueue,
}

impl Handover {
    /// When the sweep looks at the row again. A message that was sent is in a queue, or with a worker, whose lease sets a time of its
    /// own; the sweep sends another one only if the message was dropped or became a dead letter.
    pub fn again_at(self, now: Timestamp) -> Timestamp {
        let pause = match self {
            Self::Sent => SignedDuration::from_mins(10),
            Self::NotSent => SignedDuration::from_mins(1),
            Self::NoQueue => SignedDuration::from_hours(1),
        };
        now.saturating_add(pause).unwrap_or(Timestamp::MAX)
    }
}

/// The rows of a shard in one round, while they are read page by page, the oldest first.
#[derive(Debug)]
pub struct Round<R> {
    tenants: BTreeMap<String, Vec<R>>,
    rows: usize,
    pages: usize,
}

/// The next page to read.
#[derive(Debug, PartialEq, Eq)]
pub struct NextPage {
    /// Rows to read at most; `None` for as many as a page holds.
    pub limit: Option<usize>,
    /// Tenants whose rows are left out.
    pub without: Vec<String>,
}

impl<R> Default for Round<R> {
    fn default() -> Self {
        Self {
            tenants: BTreeMap::new(),
            rows: 0,
            pages: 0,
        }
    }
}

impl<R> Round<R> {
    /// Adds a page of rows with their tenants. Returns the page to read after it if the shard has more rows: the further pages are
    /// for tenants that have few rows so far.
    pub fn add(&mut self, page: Vec<(String, R)>) -> Option<NextPage> {
        self.pages += 1;
        self.rows += page.len();
        for (tenant, row) in page {
            self.tenants.entry(tenant).or_default().push(row);
        }
        let enough = self.pages >= MOST_PAGES || self.rows >= ENOUGH;
        (!enough).then(|| NextPage {
            limit: None,
            without: self.tenants_with_enough(),
        })
    }

    fn tenants_with_enough(&self) -> Vec<String> {
        let tenants = self.tenants.iter();
        let most = tenants.filter(|(_, rows)| rows.len() >= ENOUGH_OF_A_TENANT);
        most.map(|(tenant, _)| tenant.clone()).collect()
    }

    /// The rows to send, at most [`ROWS_OF_A_ROUND`]: of each tenant in turn the oldest.
    pub fn rows(self) -> Vec<R> {
        let mut tenants: Vec<_> = self.tenants.into_values().map(Vec::into_iter).collect();
        let mut chosen = Vec::with_capacity(self.rows.min(ROWS_OF_A_ROUND));
        while chosen.len() < ROWS_OF_A_ROUND && !tenants.is_empty() {
            tenants.retain_mut(|rows| {
                let row = rows.next();
                let more = row.is_some();
                chosen.extend(row);
                more
            });
        }
        chosen.truncate(ROWS_OF_A_ROUND);
        chosen
    }
}

impl NextPage {
    /// The first page of a round.
    pub fn first() -> Self {
        Self {
            limit: Some(ROWS_OF_A_ROUND),
            without: Vec::new(),
        }
    }
}
