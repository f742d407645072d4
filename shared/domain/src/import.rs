//! Imports: orders of a leading third-party system are mirrored as orders and externally managed subscriptions.
//!
//! ```text
//!  accept                         begin                            last chunk done
//!  ------> promise: accepted ------------> running ------------------------------------> completed
//!          chunk:   waiting  --> in flight --> done                                      completedWithErrors
//!                      ^             |  |
//!                      +-- failed ---+  +--> stuck --(redrive)--> in flight
//! ```
//!
//! Parts: [`item`] reads what is sent, [`decide`] says what one item does, [`promise`] follows the whole, [`chunk`] the part of
//! it that one worker takes at a time.
//!
//! An item is decided against its mirror, which knows the promise that was applied last. Promise ids sort by the time of
//! acceptance, so the later accepted one wins whichever runs last: the overtaken item is `superseded`. What an item did is
//! one log entry, written with its effect; an item that has an entry for its promise is done.
//!
//! Not guaranteed: an order of imports that are accepted in the same millisecond, or by machines whose clocks differ by more than
//! what lies between; one of them wins, always the same. Nor that items of one promise run in their order: they have
//! different `externalSystemId`s, so it does not matter.

pub mod chunk;
pub mod decide;
pub mod item;
mod problem;
pub mod promise;

use jiff::SignedDuration;

/// The most items of one import.
pub const MOST_ITEMS: usize = 1_000;
/// Items of one chunk. Two rows for each of 40 chunks, the promise and an idempotency record are 82 of the 100 actions that
/// one transaction takes; and what decides about the items of a chunk is read in one or two round trips.
pub const CHUNK: usize = 25;
/// How long the log and what belongs to it is kept.
pub const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);
