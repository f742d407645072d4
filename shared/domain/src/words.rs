//! Enums that are words on the wire and in stored rows: each word is written once.

/// Defines an enum with the word of each variant. Generates the serde names, `ALL`, `as_str`, `from_word`, `Display` and
/// `parse`, which reads input and lists all words in its error.
macro_rules! words {
    ($(
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)*
        }
    )*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, ::serde::Serialize, ::serde::Deserialize)]
        $vis enum $name {
            $($(#[$variant_meta])* #[serde(rename = $word)] $variant,)*
        }

        #[allow(dead_code, reason = "not every enum needs every function")]
        impl $name {
            $vis const ALL: [Self; [$($word),*].len()] = [$(Self::$variant),*];

            $vis fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            $vis fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }

            $vis fn parse(value: &::serde_json::Value) -> $crate::input::Parsed<Self> {
                $crate::input::one_of(&[$(($word, Self::$variant)),*])(value)
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )*};
}

pub(crate) use words;

#[cfg(test)]
mod tests {
    use serde_json::json;

    words! {
        enum Colour {
            Red = "red",
            DarkBlue = "dark-blue",
        }
    }

    #[test]
    fn a_word_is_the_same_wherever_it_is_written() {
        for colour in Colour::ALL {
            let word = colour.as_str();
            assert_eq!(colour.to_string(), word);
            assert_eq!(json!(colour), json!(word));
            assert_eq!(serde_json::from_value(json!(word)).ok(), Some(colour));
            assert_eq!(Colour::from_word(word), Some(colour));
            assert_eq!(Colour::parse(&json!(word)), Ok(colour));
        }
    }

    #[test]
    fn an_unknown_word_is_refused_with_the_known_ones() {
        assert_eq!(Colour::from_word("blue"), None);
        let errors = Colour::parse(&json!("blue")).expect_err("unknown");
        assert_eq!(errors.0[0].code, "unknown_value");
        assert_eq!(errors.0[0].detail, "must be one of: red, dark-blue");
    }
}
