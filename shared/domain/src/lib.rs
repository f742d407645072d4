//! What Tandem decides, readable without knowing AWS.
//!
//! Every rule of the product lives here as a method on a value: a connection is accepted, a cart is checked, a
//! purchase is decided, a delivery is scheduled. Nothing in this crate reads a clock, draws a random number, waits
//! or talks to anything: the time comes in as `now`, ids and voucher codes come from a [`IdSource`].
//!
//! Parts, by what they are about:
//! - words: [`ids`], [`money`], [`text`], [`period`], [`payment_method`]
//! - reading input, all errors at once: [`input`], [`json`], [`instant`]
//! - who is who and may do what: [`tenancy`], [`scope`], [`customer`], [`erasure`]
//! - selling together: [`connection`], [`inviting`], [`offer`], [`sharing`], [`cart`], [`purchase`], [`order`], [`subscription`],
//!   [`after_sale`], [`voucher`], [`guessing`], [`payout`]
//! - mirroring another system: [`external`], [`import`]
//! - telling others: [`callback`], [`endpoint_health`], [`event_endpoint`], [`replay`], [`mail`], [`invitation_mail`]

pub mod after_sale;
pub mod callback;
pub mod callback_url;
pub mod cart;
pub mod connection;
pub mod customer;
pub mod endpoint_health;
pub mod erasure;
pub mod event_endpoint;
pub mod external;
pub mod guessing;
pub mod ids;
pub mod import;
pub mod input;
pub mod instant;
pub mod invitation_mail;
pub mod inviting;
pub mod json;
pub mod mail;
pub mod money;
pub mod offer;
pub mod order;
pub mod payment_method;
pub mod payout;
pub mod period;
pub mod purchase;
pub mod replay;
pub mod scope;
pub mod sharing;
pub mod subscription;
pub mod tenancy;
pub mod text;
pub mod voucher;
mod window;
mod words;

pub use jiff::Timestamp;

/// Where ids and voucher codes come from, so that the domain stays free of randomness.
pub trait IdSource {
    /// A fresh UUIDv7 (RFC 9562), later than the ones before it.
    fn uuid(&mut self) -> uuid::Uuid;
    /// A fresh voucher code of 100 random bits, with its hash.
    fn voucher(&mut self) -> voucher::NewVoucher;
}
