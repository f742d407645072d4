//! What every function needs to start and to run: settings, AWS clients with deadlines, logs, the time, and randomness.
//!
//! Everything here is made once, while the function initialises, and a missing setting ends the start with its name.

pub mod announce;
pub mod aws;
pub mod batch;
pub mod clock;
pub mod dead_letter_handler;
pub mod held_secret;
pub mod logs;
pub mod random_ids;
pub mod settings;

pub use clock::Clock;
pub use dead_letter_handler::DeadLetterHandler;
pub use held_secret::HeldSecret;
pub use random_ids::RandomIds;
