//! Deflates texts before they are sealed (RFC 1951, with a preset dictionary), and keeps secrets out of the deflated part.
//!
//! A deflated text is as long as it is unlike what it repeats. If a text held a secret beside words that an attacker chooses,
//! its length would say how much these words resemble the secret. Secrets are therefore cut out of the text and stored beside
//! the deflated rest:
//!
//! ```text
//! number of secrets | (place, length, secret) for each | deflated rest
//!      1 octet      |    2      1                       |
//! ```

use tandem_deflate::{MAX_INFLATED, deflate, inflate};

use crate::data_key::Purpose;
use crate::seal::OpenError;

/// A text that is sealed as it is.
pub(crate) const PLAIN: u8 = 0;
/// The longest text that is deflated: no stored text is longer, and no opened one becomes longer.
pub(crate) const MAX_TEXT: usize = MAX_INFLATED;

/// The dictionaries by number, from 1. Never change one: texts that were deflated with it could no longer be read. A new one is
/// appended, and [`dictionary_of`] selects it.
const DICTIONARIES: [&[u8]; 3] = [
    include_bytes!("../dictionaries/1.txt"),
    include_bytes!("../dictionaries/2.txt"),
    include_bytes!("../dictionaries/3.txt"),
];

/// The number of the dictionary for new texts; `None` if texts of this purpose are not deflated.
///
/// Receivers choose the answers to callbacks, and may repeat a voucher code in them.
fn dictionary_of(purpose: Purpose) -> Option<u8> {
    match purpose {
        Purpose::CallbackBody => Some(1),
        Purpose::PersonalData => Some(2),
        Purpose::IdempotentAnswer => Some(3),
        Purpose::SigningSecret
        | Purpose::CallbackHeaders
        | Purpose::Cursor
        | Purpose::PersonalKey
        | Purpose::ReceivedAnswer
        | Purpose::Canary => None,
    }
}

/// A text to seal.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    pub octets: &'a [u8],
    /// The secrets in the text: voucher codes, signing secrets, API keys. Their lengths show, their content does not.
    pub secrets: &'a [&'a [u8]],
}

/// The form of the text, and its octets in this form. Plain, unless the text is shorter in another form.
pub(crate) fn pack(purpose: Purpose, text: &Text<'_>) -> (u8, Vec<u8>) {
    let packed = dictionary_of(purpose).and_then(|number| Some((number, deflated(number, text)?)));
    match packed {
        Some((number, octets)) if octets.len() < text.octets.len() => (number, octets),
        _ => (PLAIN, text.octets.to_vec()),
    }
}

/// The octets of the text.
pub(crate) fn unpack(form: u8, octets: Vec<u8>) -> Result<Vec<u8>, OpenError> {
    if form == PLAIN {
        return Ok(octets);
    }
    let dictionary = dictionary(form).ok_or(OpenError::UnknownDictionary(form))?;
    let (secrets, deflated) = cut_out(&octets).ok_or(OpenError::Malformed)?;
    let mut text = inflate(dictionary, deflated).ok_or(OpenError::Malformed)?;
    for (place, secret) in secrets {
        if place > text.len() {
            return Err(OpenError::Malformed);
        }
        text.splice(place..place, secret.iter().copied());
    }
    Ok(text)
}

fn dictionary(number: u8) -> Option<&'static [u8]> {
    DICTIONARIES
        .get(usize::from(number).checked_sub(1)?)
        .copied()
}

/// `None` if the text is too long, if a secret is not found in it, or if it has a secret that is not named.
fn deflated(number: u8, text: &Text<'_>) -> Option<Vec<u8>> {
    if text.octets.len() > MAX_TEXT {
        return None;
    }
    let places = places(text)?;
    let mut octets = vec![u8::try_from(places.len()).ok()?];
    let (mut rest, mut end) = (Vec::with_capacity(text.octets.len()), 0);
    for (place, secret) in places {
        octets.extend(u16::try_from(place).ok()?.to_be_bytes());
        octets.push(u8::try_from(secret.len()).ok()?);
        octets.extend(secret);
        rest.extend(text.octets.get(end..place)?);
        end = place + secret.len();
    }
    rest.extend(text.octets.get(end..)?);
    if has_a_secret(&rest) {
        return None;
    }
    octets.extend(deflate(dictionary(number)?, &rest)?);
    Some(octets)
}

/// Whether a text has a signing secret, an API key or a voucher code. Whoever seals a text names its secrets; this finds those
/// that were forgotten.
fn has_a_secret(text: &[u8]) -> bool {
    let after = |beginning: &'static [u8]| {
        let places = text.windows(beginning.len()).enumerate();
        let found = places.filter(move |(_, part)| *part == beginning);
        found.map(move |(place, _)| text.get(place + beginning.len()).copied())
    };
    after(b"whsec_").chain(after(b"tdm_")).next().is_some()
        || after(b"\"voucherCode\":\"").any(|next| next != Some(b'"'))
}

/// Every occurrence of each secret, in order; `None` if a secret does not occur, or if two overlap.
fn places<'a>(text: &Text<'a>) -> Option<Vec<(usize, &'a [u8])>> {
    let mut places = Vec::new();
    for secret in text.secrets {
        let found =
            (0..text.octets.len()).filter(|place| text.octets[*place..].starts_with(secret));
        let before = places.len();
        places.extend(found.map(|place| (place, *secret)));
        if places.len() == before || secret.is_empty() {
            return None;
        }
    }
    places.sort_unstable();
    let overlap = |pair: &[(usize, &[u8])]| pair[0].0 + pair[0].1.len() > pair[1].0;
    (!places.windows(2).any(overlap)).then_some(places)
}

type CutOut<'a> = Vec<(usize, &'a [u8])>;

fn cut_out(octets: &[u8]) -> Option<(CutOut<'_>, &[u8])> {
    let (number, mut rest) = octets.split_first()?;
    let mut secrets = Vec::new();
    for _ in 0..*number {
        let (place, after) = rest.split_first_chunk()?;
        let (length, after) = after.split_first()?;
        let (secret, after) = after.split_at_checked(usize::from(*length))?;
        secrets.push((usize::from(u16::from_be_bytes(*place)), secret));
        rest = after;
    }
    Some((secrets, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::sha256_hex;
    use proptest::prelude::*;

    const SALE: &str = r#"{"connectionId":null,"customer":{"id":null},"offer":{"id":"off_019f1d038dc070008000000000000006","name":"Bergwelt digital"},"order":{"createdAt":null,"id":null,"paymentMethod":"TWINT"},"voucherCode":"7Q2M9-X4T0K-3HGWB-PZ5RA"}"#;
    const CODE: &str = "7Q2M9-X4T0K-3HGWB-PZ5RA";

    fn packed(octets: &[u8], secrets: &[&[u8]]) -> (u8, Vec<u8>) {
        pack(Purpose::CallbackBody, &Text { octets, secrets })
    }

    #[test]
    fn the_dictionaries_never_change() {
        let hashes = DICTIONARIES.map(|dictionary| sha256_hex(dictionary)[..16].to_owned());
        assert_eq!(
            hashes,
            ["68181a30ed0db14b", "81089fc1c4f87c53", "b32871b5845ebbdd"]
        );
    }

    #[test]
    fn a_text_is_deflated_around_its_secret() {
        let (form, octets) = packed(SALE.as_bytes(), &[CODE.as_bytes()]);
        assert_eq!(form, 1);
        assert!(octets.len() < SALE.len() / 2, "{}", octets.len());
        assert!(
            octets
                .windows(CODE.len())
                .any(|part| part == CODE.as_bytes())
        );
        assert_eq!(unpack(form, octets), Ok(SALE.as_bytes().to_vec()));
    }

    #[test]
    fn a_repeated_guess_of_a_secret_does_not_change_the_length() {
        let length = |guess: &str| {
            let text = SALE.replace("Bergwelt digital", guess);
            packed(text.as_bytes(), &[CODE.as_bytes()]).1.len()
        };
        let (half, other) = ("7Q2M9-X4T0K-AAAAA-AAAAA", "C4HJ5-T9WQ8-AAAAA-AAAAA");
        assert!(length(half).abs_diff(length(other)) <= 2);
        let beside = |guess: &str| {
            let text = SALE.replace("Bergwelt digital", guess);
            deflate(DICTIONARIES[0], text.as_bytes())
                .expect("deflated")
                .len()
        };
        assert!(
            beside(half) + 4 < beside(other),
            "a text with its secret inside would show it"
        );
    }

    #[test]
    fn a_text_without_its_secret_is_not_deflated() {
        assert_eq!(packed(SALE.as_bytes(), &[b"AAAAA"]).0, PLAIN);
        assert_eq!(packed(SALE.as_bytes(), &[b""]).0, PLAIN);
        let overlapping: &[&[u8]] = &[CODE.as_bytes(), b"PZ5RA"];
        assert_eq!(packed(SALE.as_bytes(), overlapping).0, PLAIN);
    }

    #[test]
    fn a_text_with_a_secret_that_is_not_named_is_not_deflated() {
        let secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDC2FVsBQIhrs=";
        let padding = SALE.replace(CODE, "");
        for (text, named) in [
            (SALE.to_owned(), CODE),
            (format!(r#"{padding}{{"secret":"{secret}"}}"#), secret),
            (format!(r#"{padding}{{"apiKey":"tdm_0"}}"#), "tdm_0"),
        ] {
            assert_eq!(packed(text.as_bytes(), &[]).0, PLAIN, "{text}");
            assert_eq!(packed(text.as_bytes(), &[named.as_bytes()]).0, 1, "{text}");
        }
        assert_eq!(packed(padding.as_bytes(), &[]).0, 1);
    }

    #[test]
    fn an_inflated_text_has_a_bound() {
        let longest = vec![b'a'; MAX_TEXT];
        let (form, octets) = packed(&longest, &[]);
        assert_eq!(form, 1);
        assert_eq!(unpack(form, octets).map(|text| text.len()), Ok(MAX_TEXT));
        assert_eq!(packed(&vec![b'a'; MAX_TEXT + 1], &[]).0, PLAIN);
        let bomb = deflate(DICTIONARIES[0], &vec![b'a'; MAX_TEXT + 1]).expect("deflated");
        let bomb = [&[0; 1], bomb.as_slice()].concat();
        assert_eq!(unpack(1, bomb), Err(OpenError::Malformed));
    }

    #[test]
    fn only_texts_that_become_shorter_are_deflated() {
        assert_eq!(packed(b"", &[]), (PLAIN, Vec::new()));
        assert_eq!(packed(b"q", &[]), (PLAIN, b"q".to_vec()));
        let answer = Text {
            octets: SALE.as_bytes(),
            secrets: &[],
        };
        assert_eq!(pack(Purpose::ReceivedAnswer, &answer).0, PLAIN);
        assert_eq!(unpack(9, vec![0; 9]), Err(OpenError::UnknownDictionary(9)));
    }

    proptest! {
        #[test]
        fn a_packed_text_unpacks(
            before in ".{0,300}", secret in "[A-Z0-9]{20}", after in "([a-z\":,]{0,40}){0,9}",
        ) {
            let text = format!("{before}{secret}{after}{secret}");
            let (form, octets) = packed(text.as_bytes(), &[secret.as_bytes()]);
            prop_assert_eq!(unpack(form, octets), Ok(text.into_bytes()));
        }

        #[test]
        fn unpacking_never_panics(form in 0_u8..5, octets in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = unpack(form, octets);
        }
    }
}
