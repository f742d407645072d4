//! The message catalogues: `texts/en.ftl` and `texts/de.ftl`.

use std::borrow::Cow;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use tandem_domain::tenancy::MailLanguage;
use tandem_domain::text::changes_the_display;

/// A text is missing in the catalogue, or one of its arguments was not given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the mail text {message}.{attribute} cannot be formatted: {cause}")]
pub struct TextError {
    message: String,
    attribute: String,
    cause: String,
}

/// The texts of one language.
pub(crate) struct Texts {
    /// For the `lang` attribute of HTML.
    pub(crate) tag: &'static str,
    bundle: FluentBundle<FluentResource>,
}

impl Texts {
    /// Parsed at first use, so that a cold start pays only for the language of its first mail.
    pub(crate) fn of(language: MailLanguage) -> &'static Self {
        static EN: LazyLock<Texts> =
            LazyLock::new(|| Texts::parse("en", include_str!("../texts/en.ftl")));
        static DE: LazyLock<Texts> =
            LazyLock::new(|| Texts::parse("de", include_str!("../texts/de.ftl")));
        match language {
            MailLanguage::En => &EN,
            MailLanguage::De => &DE,
        }
    }

    fn parse(tag: &'static str, source: &str) -> Self {
        let resource = FluentResource::try_new(source.to_owned())
            .unwrap_or_else(|(_, errors)| panic!("{tag}.ftl is invalid: {errors:?}"));
        let locale = tag.parse().expect("a language tag");
        let mut bundle = FluentBundle::new_concurrent(vec![locale]);
        // The isolation marks would be visible as boxes in some mail clients. Names are cleaned instead, see `clean`.
        bundle.set_use_isolating(false);
        // A paragraph of the catalogue spans several lines; the mail client wraps it.
        bundle.set_transform(Some(join_lines));
        bundle
            .add_resource(resource)
            .unwrap_or_else(|errors| panic!("{tag}.ftl repeats a message: {errors:?}"));
        Self { tag, bundle }
    }

    /// Formats `message.attribute`. The result is plain text.
    pub(crate) fn format(
        &self,
        message: &str,
        attribute: &str,
        args: &FluentArgs<'_>,
    ) -> Result<String, TextError> {
        let error = |cause: String| TextError {
            message: message.to_owned(),
            attribute: attribute.to_owned(),
            cause,
        };
        let found = self
            .bundle
            .get_message(message)
            .and_then(|message| message.get_attribute(attribute))
            .ok_or_else(|| error("not in the catalogue".to_owned()))?;
        let mut errors = Vec::new();
        let text = self
            .bundle
            .format_pattern(found.value(), Some(args), &mut errors)
            .into_owned();
        match errors.first() {
            None => Ok(text),
            Some(first) => Err(error(first.to_string())),
        }
    }
}

impl Texts {
    /// A number with the decimal mark of the language.
    pub(crate) fn decimal(&self, number: &str) -> Result<String, TextError> {
        let mark = self.format("layout", "decimal-mark", &FluentArgs::new())?;
        Ok(number.replace('.', &mark))
    }
}

fn join_lines(text: &str) -> Cow<'_, str> {
    if text.contains('\n') {
        text.replace('\n', " ").into()
    } else {
        text.into()
    }
}

/// Removes line breaks and changes of text direction. Names are parsed without them, but a row may hold any text, and the
/// subject becomes a header.
pub(crate) fn clean(value: &str) -> String {
    value.chars().filter(|c| !changes_the_display(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_argument_is_an_error() {
        for language in [MailLanguage::En, MailLanguage::De] {
            let texts = Texts::of(language);
            let none = FluentArgs::new();
            assert!(texts.format("invitation", "subject", &none).is_err());
            assert!(texts.format("invitation", "accept", &none).is_ok());
        }
    }

    #[test]
    fn a_missing_text_is_an_error() {
        let texts = Texts::of(MailLanguage::En);
        let none = FluentArgs::new();
        assert!(texts.format("invitation", "absent", &none).is_err());
        assert!(texts.format("absent", "subject", &none).is_err());
    }
}
