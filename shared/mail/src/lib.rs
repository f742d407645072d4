//! Mails to clients: their texts in German and English, and the way they are sent.
//!
//! - [`render`] turns a [`Mail`](tandem_domain::mail::Mail) into subject, text and HTML. Names come from partners and are
//!   not trusted: they cannot bring markup, line breaks or text direction with them.
//! - [`Mailer`] hands a mail to Amazon SES, as structured content only: headers are never put together from texts.
//!
//! Not guaranteed: that a mail is sent once. Whoever repeats a try whose answer was lost sends it twice.

mod english;
mod german;
mod mailer;
mod rendered;
mod ses;
mod words;

pub use mailer::{MailTransport, Mailer, SendMailError};
pub use rendered::{RenderedMail, render};
pub use ses::SesTransport;
