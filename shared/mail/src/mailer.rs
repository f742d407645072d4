//! Renders a mail and hands it to a transport.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use tandem_domain::mail::Mail;

use crate::rendered::{RenderedMail, render};

/// Holds no address: the messages of SES quote addresses, so only its error codes are kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendMailError {
    /// SES returned an error code, e.g. `MessageRejected` or `TooManyRequestsException`.
    #[error("the mail service rejected the mail: {code}")]
    Rejected { code: String },
    /// The mail may have been sent.
    #[error("the mail service did not answer: {reason}")]
    NoAnswer { reason: &'static str },
    #[error("the mail could not be built")]
    Build,
}

/// Carries rendered mails to their recipients.
pub trait MailTransport: fmt::Debug + Send + Sync {
    fn send<'a>(
        &'a self,
        mail: &'a Mail,
        rendered: RenderedMail,
    ) -> BoxFuture<'a, Result<(), SendMailError>>;
}

/// Sends mails. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Mailer(Arc<dyn MailTransport>);

impl Mailer {
    pub fn with_transport(transport: impl MailTransport + 'static) -> Self {
        Self(Arc::new(transport))
    }

    /// Renders a mail and sends it.
    ///
    /// # Errors
    /// The mail was not sent. After [`SendMailError::NoAnswer`] a retry may send it a second time.
    pub async fn send(&self, mail: &Mail) -> Result<(), SendMailError> {
        let rendered = render(mail).map_err(|_| SendMailError::Build)?;
        self.0.send(mail, rendered).await
    }
}
