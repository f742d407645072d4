//! The old vocabulary of the handler tests, until they are converted.

mod caller;
mod legacy;
mod world;

pub use crate::stage::InProcess as House;
pub use crate::stage::in_process::event_of;
pub use caller::{Answer, Who};
pub use world::{Merchant, Pair};
