//! Sends mails by Amazon SES, or keeps them for a test.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::types::{
    Body, Content, Destination, EmailContent, Message, MessageHeader, MessageTag,
};
use tandem_domain::mail::Mail;
use tandem_domain::text::EmailAddress;

use crate::rendered::{Rendered, render};

/// Why a mail was not sent. Never holds an address: SES names those in its messages, so only its codes are kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendMailError {
    /// SES answered with an error, e.g. `MessageRejected` or `TooManyRequestsException`.
    #[error("the mail service answered {code}")]
    Refused {
        /// The code of the answer.
        code: String,
    },
    /// No proper answer came; the mail may have been sent.
    #[error("the mail service gave no answer: {reason}")]
    NoAnswer {
        /// What happened instead.
        reason: &'static str,
    },
    /// The mail could not be put together.
    #[error("the mail could not be put together")]
    Unfit,
}

/// Sends mails. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Mailer(Way);

#[derive(Debug, Clone)]
enum Way {
    Ses {
        client: Client,
        sender: String,
        configuration_set: String,
    },
    Recording(Recorder),
}

impl Mailer {
    /// Sends by SES v2. The client brings deadlines; `sender` is a verified identity, with or without a display name;
    /// `configuration_set` says where SES tells what became of the mails.
    pub fn new(client: Client, sender: String, configuration_set: String) -> Self {
        Self(Way::Ses {
            client,
            sender,
            configuration_set,
        })
    }

    /// A stand-in for tests, and what it was told to send.
    pub fn recording() -> (Self, Recorder) {
        let recorder = Recorder::default();
        (Self(Way::Recording(recorder.clone())), recorder)
    }

    /// Renders a mail and sends it.
    ///
    /// # Errors
    /// See [`SendMailError`]. After [`SendMailError::NoAnswer`] another try may send it a second time.
    pub async fn send(&self, mail: &Mail) -> Result<(), SendMailError> {
        let rendered = render(mail).map_err(|_| SendMailError::Unfit)?;
        match &self.0 {
            Way::Ses {
                client,
                sender,
                configuration_set,
            } => send_by_ses(client, (sender, configuration_set), mail, rendered).await,
            Way::Recording(recorder) => recorder.take(mail, rendered),
        }
    }
}

async fn send_by_ses(
    client: &Client,
    (sender, configuration_set): (&str, &str),
    mail: &Mail,
    rendered: Rendered,
) -> Result<(), SendMailError> {
    let content = content(rendered).map_err(|_| SendMailError::Unfit)?;
    let tag = |(name, value): (&str, String)| MessageTag::builder().name(name).value(value).build();
    let tags: Vec<MessageTag> = mail
        .tags()
        .into_iter()
        .map(tag)
        .collect::<Result<_, _>>()
        .map_err(|_| SendMailError::Unfit)?;
    let request = client
        .send_email()
        .from_email_address(sender)
        .configuration_set_name(configuration_set)
        .set_email_tags((!tags.is_empty()).then_some(tags))
        .destination(
            Destination::builder()
                .to_addresses(with_ascii_domain(&mail.email))
                .build(),
        )
        .content(content);
    request.send().await.map(drop).map_err(|error| match error {
        SdkError::ServiceError(answer) => SendMailError::Refused {
            code: answer.err().code().unwrap_or("an unknown error").to_owned(),
        },
        SdkError::TimeoutError(_) => SendMailError::NoAnswer {
            reason: "timed out",
        },
        SdkError::DispatchFailure(_) => SendMailError::NoAnswer {
            reason: "not reached",
        },
        SdkError::ResponseError(_) => SendMailError::NoAnswer {
            reason: "the answer is unreadable",
        },
        _ => SendMailError::Unfit,
    })
}

fn content(mail: Rendered) -> Result<EmailContent, BuildError> {
    let utf8 = |text: String| Content::builder().data(text).charset("UTF-8").build();
    let body = Body::builder()
        .text(utf8(mail.text)?)
        .html(utf8(mail.html)?)
        .build();
    // RFC 3834: keeps out-of-office notes away.
    let automatic = MessageHeader::builder()
        .name("Auto-Submitted")
        .value("auto-generated")
        .build()?;
    let message = Message::builder()
        .subject(utf8(mail.subject)?)
        .body(body)
        .headers(automatic)
        .build();
    Ok(EmailContent::builder().simple(message).build())
}

// SES wants the part after the @ in Punycode.
fn with_ascii_domain(address: &EmailAddress) -> String {
    let text = address.as_str();
    let ascii = text
        .rsplit_once('@')
        .and_then(|(local, domain)| match url::Host::parse(domain) {
            Ok(url::Host::Domain(domain)) => Some(format!("{local}@{domain}")),
            _ => None,
        });
    ascii.unwrap_or_else(|| text.to_owned())
}

/// A mail that a [`Mailer::recording`] was told to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedMail {
    /// The mail.
    pub mail: Mail,
    /// As it would have been sent.
    pub rendered: Rendered,
}

/// What a [`Mailer::recording`] was told to send. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Recorder(Arc<Mutex<Recorded>>);

#[derive(Debug, Default)]
struct Recorded {
    mails: Vec<RecordedMail>,
    failures: u32,
}

impl Recorder {
    /// All mails sent so far, in order.
    pub fn mails(&self) -> Vec<RecordedMail> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .mails
            .clone()
    }

    /// Lets the next `times` tries fail; they are not recorded.
    pub fn fail_next(&self, times: u32) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .failures = times;
    }

    fn take(&self, mail: &Mail, rendered: Rendered) -> Result<(), SendMailError> {
        let mut recorded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if recorded.failures > 0 {
            recorded.failures -= 1;
            return Err(SendMailError::Refused {
                code: "TooManyRequestsException".to_owned(),
            });
        }
        recorded.mails.push(RecordedMail {
            mail: mail.clone(),
            rendered,
        });
        Ok(())
    }
}
