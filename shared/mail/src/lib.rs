//! Mails to clients.
//!
//! - `texts/` holds all texts, one Fluent catalogue per language; `templates/` only lays them out.
//! - [`render`] turns a [`Mail`](tandem_domain::mail::Mail) into subject, text and HTML. Partners choose their names, so
//!   names are untrusted: they cannot add markup, line breaks or text direction.
//! - [`Mailer`] sends a mail through a [`MailTransport`]: Amazon SES in production. SES receives structured content, so
//!   no text can become a header.
//!
//! Not guaranteed: that a mail is sent only once. A retry after a lost answer sends it again.

mod mailer;
mod outline;
mod rendered;
mod ses;
mod texts;

pub use mailer::{MailTransport, Mailer, SendMailError};
pub use rendered::{RenderError, RenderedMail, render};
pub use ses::SesTransport;
