//! Imports: orders of a leading third-party system are mirrored as orders and externally managed subscriptions.
//!
//! ```text
//!  accept                         begin                            last chunk done
//!  ------> promise: accepted ------------> running ------------------------------------> completed
//!          chunk:   waiting  --> in flight --> done                                      completedWithErrors
//!                      ^             |  |
//!                      +-- failed ---+  +--> dead letter --(redrive)--> in flight
//! ```
//!
//! Parts: [`item`] parses the items, [`decide`] decides the effect of one item, [`kept`] merges its members, [`history`] orders
//! the imports of one order, [`imported`] is its row with the [`records`] of their results, [`promise`] tracks the whole import,
//! [`chunk`] the part of it that one worker takes at a time.
//!
//! Promise ids sort by the time of acceptance. The state of an order is the replay of its imports in that order, whichever runs
//! last: each member has the value of the latest accepted import that names it, and each rule between members is judged on the
//! members that the order would have. An import that runs after a later accepted one takes its place before it, and the
//! members that the later one set are `superseded`. The effect of an item and the record of its result are written together, so an
//! item with a record for its promise is done. The chunk that finishes writes the results of all its items for the log.
//!
//! Not guaranteed: the order of imports that are accepted in the same millisecond, or by machines whose clocks differ by more than
//! the time between them; they have an order, always the same. The items of one promise run in any order; their
//! `externalSystemId`s differ, so the order has no effect.

pub mod change;
pub mod chunk;
pub mod decide;
mod hash;
pub mod history;
pub mod imported;
pub mod item;
pub mod kept;
mod log;
mod problem;
pub mod promise;
pub mod records;
mod rows;
mod stored;

use jiff::SignedDuration;

pub const MAX_ITEMS: usize = 1_000;
/// Items of one chunk. Two rows for each of 40 chunks, the promise and an idempotency record are 82 of the 100 actions of
/// one transaction; and the rows that decide about a chunk's items are read in one or two round trips.
pub const CHUNK: usize = 25;
/// Retention of an import and of its log.
pub const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);
/// Retention of the rows: a dead letter that is redriven within two weeks has its entries for [`KEPT`], too.
pub const STORED: SignedDuration = SignedDuration::from_hours((90 + 14) * 24);

/// A number of items or chunks; at most [`MAX_ITEMS`].
pub(crate) fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
