//! Encryption, hashing and authentication of stored secrets and cursors.
//!
//! Four kinds of data, four methods:
//! - Data that Tandem reads again (callback bodies, signing secrets, stored answers) is sealed: AES-256-GCM under keys that are
//!   derived from one secret, the [`DataKey`]. A sealed text is bound to a [`Purpose`] and to the row that stores it, so it cannot
//!   be moved to another row and opened there. Long texts are deflated before, without the secrets in them ([`Text`]).
//! - Personal data that Tandem must be able to erase is sealed in the same way under the person's own key
//!   ([`Sealer::personal`]). Without that key it cannot be read.
//! - Secrets that Tandem only compares ([`api_key`], voucher codes) are hashed. They have a hundred random bits or more, so one
//!   SHA-256 is enough: a dictionary is of no use.
//! - Cursors, which callers send back ([`cursor`]), have a MAC.
//!
//! Not guaranteed: secrecy of lengths, which depend on the content of deflated texts, and protection against an older sealed text that is written back to its own row. All random
//! values come from [`random`].

pub mod api_key;
mod base32;
pub mod cursor;
mod data_key;
mod hash;
mod packing;
mod personal;
pub mod random;
mod seal;
mod webhook_secret;

pub use data_key::{DataKey, Purpose, WeakDataKey};
pub use hash::{equal, sha256_hex, sha256_start};
pub use packing::Text;
pub use seal::{OpenError, Sealer};
pub use webhook_secret::new_webhook_secret;
