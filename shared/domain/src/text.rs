//! Texts of bounded length, in Unicode normalization form C, without control characters.

mod email;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use unicode_general_category::{GeneralCategory, get_general_category};
use unicode_normalization::UnicodeNormalization;

use crate::input::{FieldErrors, Parsed, string};

pub use email::EmailAddress;

/// A text of 1 to `MAX` characters (Unicode scalar values), NFC, trimmed, without control or bidirectional formatting
/// characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Text<const MAX: usize>(String);

/// The name of a company, client, offer, cart or person.
pub type Name = Text<200>;
pub type Description = Text<2000>;
/// An id from another system.
pub type ExternalId = Text<100>;

impl<const MAX: usize> Text<MAX> {
    /// Rejects empty texts, more than `MAX` characters, and characters that change the display.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let text: String = string(value)?.trim().nfc().collect();
        if text.is_empty() {
            return Err(FieldErrors::one("empty", "must not be empty"));
        }
        if text.chars().count() > MAX {
            return Err(FieldErrors::one(
                "too_long",
                format!("must have at most {MAX} characters"),
            ));
        }
        if text.chars().any(changes_the_display) {
            return Err(FieldErrors::one(
                "invalid_characters",
                "must not contain control, text direction or invisible characters",
            ));
        }
        if text.chars().all(|c| is_invisible(c) || is_mark(c)) {
            return Err(FieldErrors::one(
                "empty",
                "must contain a visible character",
            ));
        }
        Ok(Self(text))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a character changes the display of the text around it, or makes a different text look the same: control
/// characters, line separators, the bidirectional formatting characters of UAX #9, and characters without width (soft hyphen,
/// zero-width space, word joiner, tags). Zero-width joiners are allowed: emoji and several scripts need them.
pub fn changes_the_display(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
        || matches!(c, '\u{00AD}' | '\u{180E}' | '\u{200B}' | '\u{2060}'..='\u{206F}' | '\u{FFF9}'..='\u{FFFB}')
        || matches!(c, '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E007F}')
}

/// Whether a character shows nothing: white space, control and format characters, Unicode's other characters that are ignored by
/// default (such as variation selectors and the fillers of Hangul), and the blank Braille pattern.
pub fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            get_general_category(c),
            GeneralCategory::Control | GeneralCategory::Format
        )
        || matches!(
            c,
            '\u{034F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'
                ..='\u{180F}'
        )
        || matches!(
            c,
            '\u{2065}' | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FFA0}'
        )
        || matches!(c, '\u{FFF0}'..='\u{FFF8}' | '\u{1D159}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Whether a character only changes the one before it.
fn is_mark(c: char) -> bool {
    matches!(
        get_general_category(c),
        GeneralCategory::NonspacingMark
            | GeneralCategory::SpacingMark
            | GeneralCategory::EnclosingMark
    )
}

/// ISO 639-1, optionally with a region, e.g. `de` or `de-CH`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LanguageTag(String);

impl LanguageTag {
    pub fn parse(value: &Value) -> Parsed<Self> {
        let text = string(value)?;
        let (language, region) = text
            .split_once('-')
            .map_or((text, None), |(language, region)| (language, Some(region)));
        let formed = language.len() == 2
            && language.bytes().all(|b| b.is_ascii_lowercase())
            && region.is_none_or(|region| {
                region.len() == 2 && region.bytes().all(|b| b.is_ascii_uppercase())
            });
        if formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(FieldErrors::one(
                "invalid_language",
                "expected a language tag such as de or de-CH",
            ))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_are_trimmed_and_normalised() {
        assert_eq!(
            Name::parse(&json!("  Zu\u{308}rich "))
                .expect("valid")
                .as_str(),
            "Z\u{fc}rich"
        );
    }

    #[test]
    fn characters_that_change_the_display_are_refused() {
        for text in [
            "a\r\nb",
            "a\u{202e}b",
            "a\u{0}b",
            "a\u{2028}b",
            "a\u{200b}b",
            "a\u{ad}b",
            "a\u{2060}b",
            "a\u{e0041}b",
        ] {
            assert_eq!(
                Name::parse(&json!(text)).expect_err(text).0[0].code,
                "invalid_characters"
            );
        }
        for text in ["👩\u{200d}💻", "نمی\u{200c}خواهم"] {
            assert!(Name::parse(&json!(text)).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_text_has_a_visible_character() {
        for text in [
            "\u{3164}",
            "\u{2800}\u{2800}",
            "\u{fe0f}",
            "\u{115f}\u{1160}",
            "\u{ffa0}",
            "\u{200d}",
            "\u{200c}\u{34f}",
            "\u{17b4}",
            "\u{180b}",
            "\u{1d159}",
            "\u{e0100}",
            "\u{301}",
            "\u{20dd}\u{fe0e}",
            " \u{3000}\u{a0}\u{3164} ",
        ] {
            let errors = Name::parse(&json!(text)).expect_err(text);
            assert_eq!(errors.0[0].code, "empty", "{}", text.escape_unicode());
        }
        for text in [
            "x\u{fe0f}",
            "\u{2764}\u{fe0f}",
            "\u{1160}\u{ac00}",
            "\u{627}",
            "\u{5b57}",
            ".",
            "\u{20ac}",
        ] {
            assert!(Name::parse(&json!(text)).is_ok(), "{text}");
        }
    }

    #[test]
    fn languages_have_two_letters_and_maybe_a_region() {
        for text in ["de", "de-CH"] {
            assert!(LanguageTag::parse(&json!(text)).is_ok());
        }
        for text in ["", "DE", "deu", "de_CH", "de-ch", "de-"] {
            assert!(LanguageTag::parse(&json!(text)).is_err(), "{text}");
        }
    }
}
