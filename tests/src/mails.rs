//! The mails that the stack sent.

use serde_json::Value;

use crate::stack::Stack;
use crate::wait::eventually;

/// A mail that was sent.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Who sent it.
    pub from: String,
    /// Who got it.
    pub to: Vec<String>,
    /// What it is about.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
}

impl Mail {
    fn read(message: &Value) -> Self {
        let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
        let to = message["To"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        Self {
            from: text("Source"),
            to: to
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            subject: text("Subject"),
            text: text("BodyText"),
            html: text("BodyHtml"),
        }
    }
}

/// All mails that were sent to an address, the oldest first.
///
/// # Panics
/// The stack does not tell its mails.
pub async fn mails_to(email: &str) -> Vec<Mail> {
    let url = &Stack::get().sent_mails_url;
    let http = reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("an HTTP client");
    let answer = http
        .get(url)
        .send()
        .await
        .unwrap_or_else(|error| panic!("{url}: no answer: {error:?}"));
    let sent: Value = answer
        .json()
        .await
        .unwrap_or_else(|error| panic!("{url}: no JSON: {error:?}"));
    let accounts = sent["messages"]
        .as_object()
        .unwrap_or_else(|| panic!("{url}: no messages: {sent}"));
    let messages = accounts.values().filter_map(Value::as_array).flatten();
    messages
        .map(Mail::read)
        .filter(|mail| mail.to.iter().any(|to| to == email))
        .collect()
}

/// The one mail to an address whose subject holds a text; waits for it.
///
/// # Panics
/// It does not come, or comes twice.
pub async fn mail_to(email: &str, subject: &str) -> Mail {
    let mut found = eventually(
        &format!("a mail to {email} about {subject:?}"),
        async || {
            let mails = mails_to(email).await;
            let fitting: Vec<Mail> = mails
                .iter()
                .filter(|mail| mail.subject.contains(subject))
                .cloned()
                .collect();
            if fitting.is_empty() {
                Err(format!(
                    "it has only {:?}",
                    mails.iter().map(|mail| &mail.subject).collect::<Vec<_>>()
                ))
            } else {
                Ok(fitting)
            }
        },
    )
    .await;
    assert_eq!(
        found.len(),
        1,
        "{email} was written to more than once about {subject:?}"
    );
    found.remove(0)
}
