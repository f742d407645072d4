//! E-mail addresses.

use std::borrow::Cow;
use std::fmt;

use email_address::Options;
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use super::{changes_the_display, is_invisible};
use crate::input::{FieldErrors, Parsed, string};

/// In octets, of the form with an ASCII domain (RFC 5321).
const MAX_OCTETS: usize = 254;

/// An e-mail address of RFC 5321 and RFC 6531: a part without quotes before the `@`, and a dotted domain of DNS (IDNA 2008).
/// Only a mail shows whether it is reachable.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EmailAddress(String);

impl EmailAddress {
    pub fn parse(value: &Value) -> Parsed<Self> {
        let text: String = string(value)?.trim().nfc().collect();
        let options = Options::default()
            .with_minimum_sub_domains(2)
            .without_domain_literal()
            .without_display_text();
        let has_other = text
            .chars()
            .any(|c| is_invisible(c) || changes_the_display(c) || matches!(c, '"' | '\\'));
        let ascii = with_ascii_domain(&text).filter(|ascii| ascii.len() <= MAX_OCTETS);
        let is_address = !has_other
            && ascii.is_some_and(|ascii| {
                email_address::EmailAddress::parse_with_options(&ascii, options).is_ok()
            });
        if is_address {
            Ok(Self(text))
        } else {
            Err(FieldErrors::one(
                "invalid_email",
                "expected an e-mail address such as name@example.com",
            ))
        }
    }

    /// An address to which Tandem sends mails. SES delivers only to ASCII before the `@`.
    pub fn parse_deliverable(value: &Value) -> Parsed<Self> {
        let address = Self::parse(value)?;
        match address.0.rsplit_once('@') {
            Some((local, _)) if local.is_ascii() => Ok(address),
            _ => Err(FieldErrors::one(
                "undeliverable_email",
                "mails cannot be delivered to an address with other characters than ASCII before the @; give another address, such as joerg@example.com for jörg@example.com",
            )),
        }
    }

    /// As given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// With the domain in the form of DNS, to deliver a mail.
    pub fn ascii(&self) -> String {
        // Earlier releases stored addresses that this release would refuse.
        with_ascii_domain(&self.0).unwrap_or_else(|| self.0.clone())
    }

    /// For comparison.
    pub fn folded(&self) -> String {
        self.ascii().to_lowercase()
    }

    /// The form by which earlier releases compared the address, if it differs: with the domain in letters.
    pub fn formerly_folded(&self) -> Option<String> {
        let folded = self.folded();
        let (local, domain) = folded.rsplit_once('@')?;
        let (domain, _) = Uts46::new().to_unicode(
            domain.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::CheckFirstLast,
        );
        let former = format!("{local}@{domain}");
        (former != folded).then_some(former)
    }
}

/// `None` unless the domain is one of DNS, with a top-level domain that is no number.
fn with_ascii_domain(address: &str) -> Option<String> {
    let (local, domain) = address.rsplit_once('@')?;
    let ascii: Cow<'_, str> = Uts46::new()
        .to_ascii(
            domain.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::CheckFirstLast,
            DnsLength::Verify,
        )
        .ok()?;
    let top = ascii.rsplit_once('.')?.1;
    top.bytes()
        .any(|b| b.is_ascii_alphabetic())
        .then(|| format!("{local}@{ascii}"))
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EmailAddress(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn parsed(text: &str) -> EmailAddress {
        EmailAddress::parse(&json!(text)).unwrap_or_else(|error| panic!("{text}: {error:?}"))
    }

    #[test]
    fn impossible_addresses_are_refused() {
        for text in [
            "",
            "a",
            "a@b",
            "a@b@c.de",
            "@b.de",
            "a@.de",
            "a@",
            "a b@c.de",
            "a@c.de\r\nBcc: x@y.de",
            "<a@c.de>",
            "Anna <a@c.de>",
            "a@x.de/path",
            "a@x.de?q",
            "a@x.de#f",
            "a@x.de:25",
            "a@a..",
            "a@a..de",
            "a@a.de.",
            "a@mailto:a",
            "mailto:a@x.de",
            "a:b@x.de",
            "a..b@x.de",
            ".a@x.de",
            "a.@x.de",
            "a(c)@x.de",
            "a,b@x.de",
            "\"a b\"@x.de",
            "a@-x.de",
            "a@x-.de",
            "a@x_y.de",
            "a@*.de",
            "a@[127.0.0.1]",
            "a@[IPv6:::1]",
            "a@127.0.0.1",
            "a@xn--a.de",
            "a@xn--.de",
            "a\u{3164}@x.de",
            "a\u{200b}@x.de",
            "a@x\u{2800}.de",
            "a\u{fffd}@x.de",
        ] {
            assert!(EmailAddress::parse(&json!(text)).is_err(), "{text}");
        }
        for (local, label) in [(64, 63), (1, 63), (64, 1)] {
            let text = |local: usize, label: usize| {
                format!("{}@{}.de", "a".repeat(local), "b".repeat(label))
            };
            assert!(EmailAddress::parse(&json!(text(local, label))).is_ok());
            assert!(EmailAddress::parse(&json!(text(local + 64, label))).is_err());
            assert!(EmailAddress::parse(&json!(text(local, label + 63))).is_err());
        }
        // 3 octets as a letter, more in the form of DNS: both count.
        let long = format!("a@{}de", "b\u{fc}cher-b\u{fc}cher-b\u{fc}cher.".repeat(10));
        assert!(EmailAddress::parse(&json!(long)).is_err());
    }

    #[test]
    fn usual_addresses_are_taken_as_given() {
        for text in [
            "Anna@Example.COM",
            "anna+tag@example.co.uk",
            "o'neil@example.com",
            "a.b_c-d@sub.example.museum",
            "{x}=%$!#&*/?^`|~@example.com",
            "k@b\u{fc}cher.example",
            "k@xn--bcher-kva.example",
            "j\u{f6}rg@verlag.de",
            "\u{7528}\u{6237}@\u{4f8b}\u{5b50}.\u{516c}\u{53f8}",
            "a@r3---sn.example",
            "a@1.example",
        ] {
            assert_eq!(parsed(text).as_str(), text);
        }
    }

    #[test]
    fn an_address_is_compared_in_the_form_of_dns() {
        for same in [
            ["Anna@Example.COM", "anna@example.com"],
            ["k@b\u{fc}cher.example", "k@xn--bcher-kva.example"],
            ["k@BU\u{308}CHER.example", "K@XN--BCHER-KVA.example"],
            ["k@b\u{fc}cher\u{3002}example", "k@b\u{fc}cher.example"],
            ["k@\u{ff42}\u{ff43}.example", "k@bc.example"],
        ] {
            let [a, b] = same.map(|text| parsed(text).folded());
            assert_eq!(a, b);
        }
        assert_eq!(
            parsed("K@B\u{fc}cher.example").ascii(),
            "K@xn--bcher-kva.example"
        );
        assert_ne!(
            parsed("k@stra\u{df}e.example").folded(),
            parsed("k@strasse.example").folded()
        );
    }

    #[test]
    fn earlier_releases_compared_domains_in_letters() {
        for text in ["k@b\u{fc}cher.example", "K@XN--bcher-kva.example"] {
            let former = parsed(text).formerly_folded();
            assert_eq!(former.as_deref(), Some("k@b\u{fc}cher.example"));
        }
        assert_eq!(parsed("Anna@Example.COM").formerly_folded(), None);
        let stored: EmailAddress = serde_json::from_value(json!("a@X.de/path")).expect("stored");
        assert_eq!(stored.folded(), "a@x.de/path");
    }

    #[test]
    fn a_client_gives_an_address_to_which_mails_are_delivered() {
        for text in ["j\u{f6}rg@verlag.de", "\u{7528}@example.com"] {
            let errors = EmailAddress::parse_deliverable(&json!(text)).expect_err(text);
            assert_eq!(errors.0[0].code, "undeliverable_email");
        }
        for text in ["joerg@verlag.de", "joerg@b\u{fc}cher.example"] {
            let address = EmailAddress::parse_deliverable(&json!(text)).expect(text);
            assert!(address.ascii().is_ascii());
        }
    }

    proptest! {
        #[test]
        fn an_accepted_address_has_one_domain_of_dns(text in "[a-zA-Z0-9.@:/_\u{fc}\u{df}\u{3002}\u{200d}-]{3,24}") {
            if let Ok(address) = EmailAddress::parse(&json!(text)) {
                let folded = address.folded();
                let (_, domain) = folded.rsplit_once('@').expect("one @");
                prop_assert!(domain.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b)), "{}", domain);
                prop_assert!(domain.split('.').all(|label| !label.is_empty()), "{}", domain);
                let again = EmailAddress::parse(&json!(folded)).expect("its own form");
                prop_assert_eq!(again.folded(), folded);
            }
        }
    }
}
