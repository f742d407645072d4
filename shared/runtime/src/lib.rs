//! Everything a function needs to start and run: settings, AWS clients with deadlines, logs, the clock, and random ids.
//!
//! Functions build all of it once, during initialisation; a missing setting fails the start with its name.

pub mod aws;
pub mod batch;
pub mod cached_secret;
pub mod callback_body;
pub mod canary;
pub mod clock;
pub mod dead_letter_handler;
mod http_client;
pub mod logs;
pub mod metrics;
pub mod random_ids;
pub mod settings;
pub mod spans;

pub use cached_secret::CachedSecret;
pub use clock::Clock;
pub use dead_letter_handler::DeadLetterHandler;
pub use random_ids::RandomIds;
