//! Lays a mail out as text and as HTML.

use askama::Template;
use fluent_bundle::FluentArgs;
use tandem_domain::mail::Mail;

use crate::outline::{Outline, Part};
use crate::texts::{TextError, Texts};

/// A mail that is ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedMail {
    /// One line.
    pub subject: String,
    pub text: String,
    /// An HTML document with the same content as `text`.
    pub html: String,
}

#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    #[error(transparent)]
    Text(#[from] TextError),
    #[error("a mail template failed")]
    Template(#[from] askama::Error),
}

/// All texts are plain; the HTML template escapes them.
#[derive(Clone, Copy)]
struct Page<'a> {
    language: &'static str,
    subject: &'a str,
    greeting: &'a str,
    parts: &'a [Part<String>],
    footer: &'a str,
}

#[derive(Template)]
#[template(path = "mail.txt")]
struct TextPage<'a>(Page<'a>);

#[derive(Template)]
#[template(path = "mail.html")]
struct HtmlPage<'a>(Page<'a>);

/// Renders a mail in its language.
///
/// # Errors
/// The catalogue or a template does not fit the mail. Tests render every mail in every language.
pub fn render(mail: &Mail) -> Result<RenderedMail, RenderError> {
    let texts = Texts::of(mail.language);
    let Outline {
        message,
        args,
        parts,
    } = Outline::new_for(&mail.kind, texts)?;
    let subject = texts.format(message, "subject", &args)?;
    let parts = parts
        .into_iter()
        .map(|part| match part {
            Part::Paragraph(attribute) => {
                texts.format(message, attribute, &args).map(Part::Paragraph)
            }
            Part::Call(call) => Ok(Part::Call(call)),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let mut layout = FluentArgs::new();
    layout.set("client", mail.client_id.to_string());
    let page = Page {
        language: texts.tag,
        subject: &subject,
        greeting: &texts.format("layout", "greeting", &layout)?,
        parts: &parts,
        footer: &texts.format("layout", "footer", &layout)?,
    };
    let (text, html) = (TextPage(page).render()?, HtmlPage(page).render()?);
    Ok(RenderedMail {
        subject,
        text,
        html,
    })
}
