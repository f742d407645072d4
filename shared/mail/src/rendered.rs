//! Lays a mail out as text and as HTML.

use askama::Template;
use tandem_domain::mail::Mail;
use tandem_domain::tenancy::MailLanguage;
use tandem_domain::text::changes_the_display;

use crate::words::{Block, Words};
use crate::{english, german};

/// A mail, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedMail {
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// An HTML document that says the same.
    pub html: String,
}

#[derive(Template)]
#[template(path = "mail.txt")]
struct TextPage<'a>(Page<'a>);

#[derive(Template)]
#[template(path = "mail.html")]
struct HtmlPage<'a>(Page<'a>);

#[derive(Clone, Copy)]
struct Page<'a> {
    language: &'static str,
    greeting: &'static str,
    footer: &'a str,
    words: &'a Words,
}

/// Renders a mail in its language.
///
/// # Errors
/// Never, as far as the templates go: writing into a `String` does not fail.
pub fn render(mail: &Mail) -> Result<RenderedMail, askama::Error> {
    let client = mail.client_id;
    let (language, greeting, words, footer) = match mail.language {
        MailLanguage::De => (
            "de",
            "Guten Tag,",
            german::words(&mail.kind),
            format!(
                "Sie erhalten diese Nachricht, weil Ihre Adresse bei Tandem für den Mandanten {client} hinterlegt ist."
            ),
        ),
        MailLanguage::En => (
            "en",
            "Hello,",
            english::words(&mail.kind),
            format!(
                "You receive this message because Tandem has your address for client {client}."
            ),
        ),
    };
    let words = harmless(words);
    let page = Page {
        language,
        greeting,
        footer: &footer,
        words: &words,
    };
    let (text, html) = (TextPage(page).render()?, HtmlPage(page).render()?);
    Ok(RenderedMail {
        subject: words.subject,
        text,
        html,
    })
}

// Names are read without such characters; a row that came into the table some other way must not bring them into a header.
fn harmless(words: Words) -> Words {
    let clean = |text: String| {
        text.chars()
            .filter(|c| !changes_the_display(*c))
            .collect::<String>()
    };
    let clean_block = |block| match block {
        Block::Text(text) => Block::Text(clean(text)),
        Block::Call(call) => Block::Call(clean(call)),
    };
    Words {
        subject: clean(words.subject),
        blocks: words.blocks.into_iter().map(clean_block).collect(),
    }
}
