//! Sends mails through Amazon SES.

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::types::{
    Body, Content, Destination, EmailContent, Message, MessageHeader, MessageTag,
};
use futures::future::BoxFuture;
use tandem_domain::mail::Mail;

use crate::mailer::{MailTransport, SendMailError};
use crate::rendered::RenderedMail;

#[derive(Debug)]
pub struct SesTransport {
    /// Its configuration sets the deadlines.
    pub client: Client,
    /// A verified identity, with or without a display name.
    pub sender: String,
    /// The configuration set that publishes the events of the mails.
    pub configuration_set: String,
}

impl MailTransport for SesTransport {
    fn send<'a>(
        &'a self,
        mail: &'a Mail,
        rendered: RenderedMail,
    ) -> BoxFuture<'a, Result<(), SendMailError>> {
        Box::pin(self.send_email(mail, rendered))
    }
}

impl SesTransport {
    async fn send_email(&self, mail: &Mail, rendered: RenderedMail) -> Result<(), SendMailError> {
        let content = content(rendered).map_err(|_| SendMailError::Build)?;
        let tags = tags(mail).map_err(|_| SendMailError::Build)?;
        let destination = Destination::builder()
            .to_addresses(mail.email.ascii())
            .build();
        self.client
            .send_email()
            .from_email_address(&self.sender)
            .configuration_set_name(&self.configuration_set)
            .set_email_tags((!tags.is_empty()).then_some(tags))
            .destination(destination)
            .content(content)
            .send()
            .await
            .map(drop)
            .map_err(send_mail_error)
    }
}

fn send_mail_error<E: ProvideErrorMetadata, R>(error: SdkError<E, R>) -> SendMailError {
    match error {
        SdkError::ServiceError(answer) => SendMailError::Rejected {
            code: answer.err().code().unwrap_or("unknown error").to_owned(),
        },
        SdkError::TimeoutError(_) => SendMailError::NoAnswer {
            reason: "the request timed out",
        },
        SdkError::DispatchFailure(_) => SendMailError::NoAnswer {
            reason: "the connection failed",
        },
        SdkError::ResponseError(_) => SendMailError::NoAnswer {
            reason: "the response could not be parsed",
        },
        _ => SendMailError::Build,
    }
}

fn tags(mail: &Mail) -> Result<Vec<MessageTag>, BuildError> {
    let tag = |(name, value): (&str, String)| MessageTag::builder().name(name).value(value).build();
    mail.tags().into_iter().map(tag).collect()
}

fn content(mail: RenderedMail) -> Result<EmailContent, BuildError> {
    let utf8 = |text: String| Content::builder().data(text).charset("UTF-8").build();
    let body = Body::builder()
        .text(utf8(mail.text)?)
        .html(utf8(mail.html)?)
        .build();
    // RFC 3834: prevents out-of-office replies.
    let auto_submitted = MessageHeader::builder()
        .name("Auto-Submitted")
        .value("auto-generated")
        .build()?;
    let message = Message::builder()
        .subject(utf8(mail.subject)?)
        .body(body)
        .headers(auto_submitted)
        .build();
    Ok(EmailContent::builder().simple(message).build())
}
