//! The rules of Tandem as pure functions, readable without knowing AWS.
//!
//! Each rule is a method on a value: a connection is accepted, a cart is checked, a purchase is decided, a delivery is
//! scheduled. This crate has no clock, no randomness, no async and no I/O: the time is an argument, ids and voucher codes come
//! from an [`IdSource`].
//!
//! Modules by subject:
//! - values: [`ids`], [`request_id`], [`money`], [`text`], [`metadata`], [`zone`], [`period`], [`payment_method`]
//! - input, all errors at once: [`input`], [`json`], [`instant`]
//! - identity and access: [`tenancy`], [`scope`], [`customer`], [`erasure`]
//! - joint sales: [`connection`], [`invitation_limit`], [`offer`], [`terms`], [`sharing`], [`cart`], [`purchase`], [`order`],
//!   [`subscription`], [`after_sale`], [`paid_period`], [`voucher`], [`voucher_guesses`], [`payout`]
//! - orders of other systems: [`external`], [`import`]
//! - callbacks and mails: [`callback`], [`callback_url`], [`public_address`], [`endpoint_health`], [`event_endpoint`], [`replay`], [`requested_callbacks`], [`mail`], [`invitation_mail`]

pub mod after_sale;
pub mod callback;
pub mod callback_headers;
pub mod callback_url;
pub mod cart;
pub mod connection;
pub mod customer;
pub mod endpoint_health;
pub mod erasure;
pub mod event_endpoint;
pub mod external;
pub mod ids;
pub mod import;
pub mod input;
pub mod instant;
pub mod invitation_limit;
pub mod invitation_mail;
pub mod json;
pub mod mail;
pub mod metadata;
pub mod money;
pub mod offer;
pub mod order;
pub mod paid_period;
pub mod payment_method;
pub mod payout;
pub mod period;
pub mod public_address;
pub mod purchase;
pub mod replay;
pub mod request_id;
pub mod requested_callbacks;
pub mod scope;
pub mod sealed;
pub mod sharing;
pub mod subscription;
pub mod sweep;
pub mod tenancy;
pub mod terms;
pub mod text;
pub mod voucher;
pub mod voucher_guesses;
mod window;
mod words;
pub mod zone;

pub use jiff::Timestamp;

/// The source of ids and voucher codes, which keeps randomness out of the domain.
pub trait IdSource {
    /// A new UUIDv7 (RFC 9562), later than the ones before it.
    fn uuid(&mut self) -> uuid::Uuid;
    /// A new voucher code of 100 random bits for a source client, with its hash.
    fn voucher(&mut self, source: ids::ClientId) -> voucher::NewVoucher;
}
