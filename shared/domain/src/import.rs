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
//! Parts: [`item`] parses the items, [`decide`] decides the effect of one item, [`promise`] tracks the whole import, [`chunk`] the
//! part of it that one worker takes at a time.
//!
//! An item is decided against its mirror, which names the latest promise that was applied. Promise ids sort by the time of
//! acceptance, so the later accepted promise wins, whichever runs last; the overtaken item is `superseded`. The effect of an item
//! and its log entry are written together, so an item with an entry for its promise is done.
//!
//! Not guaranteed: the order of imports that are accepted in the same millisecond, or by machines whose clocks differ by more than
//! the time between them; one of them wins, always the same one. The items of one promise run in any order; their
//! `externalSystemId`s differ, so the order has no effect.

pub mod chunk;
pub mod decide;
pub mod item;
mod problem;
pub mod promise;

use jiff::SignedDuration;

pub const MAX_ITEMS: usize = 1_000;
/// Items of one chunk. Two rows for each of 40 chunks, the promise and an idempotency record are 82 of the 100 actions of
/// one transaction; and the rows that decide about a chunk's items are read in one or two round trips.
pub const CHUNK: usize = 25;
/// Retention of the log and of all rows of an import.
pub const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// A number of items or chunks; at most [`MAX_ITEMS`].
pub(crate) fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
