//! What must not be read in the table, and what must not be guessed.
//!
//! Four kinds of secret, four ways to keep them:
//! - *What Tandem reads again* (callback bodies, signing secrets, kept answers) is sealed: AES-256-GCM under keys that
//!   are derived from one secret, the [`DataKey`]. Whatever is sealed is bound to a [`Purpose`] and to the place where
//!   it is kept, so that it cannot be moved to another row and opened there.
//! - *What Tandem must be able to forget* (what is kept of a person) is sealed in the same way under a key of that person's
//!   own ([`Sealer::personal`]); without the key it is noise.
//! - *What Tandem only compares* ([`api_key`], voucher codes) is hashed. They hold a hundred random bits or more, so one
//!   SHA-256 is enough: there is no dictionary to try.
//! - *What Tandem gives out and takes back* ([`cursor`]) carries a MAC.
//!
//! Not guaranteed: secrecy of lengths, and that an older sealed text was not put back in the same row. Everything random
//! comes from [`random`].

pub mod api_key;
mod base32;
pub mod cursor;
mod data_key;
mod hash;
mod personal;
pub mod random;
mod seal;
mod webhook_secret;

pub use data_key::{DataKey, Purpose, WeakDataKey};
pub use hash::{equal, sha256_hex};
pub use seal::{OpenError, Sealer};
pub use webhook_secret::new_webhook_secret;
