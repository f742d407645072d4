//! Vouchers: the single-use code by which a source client of another contracting company claims a sold subscription.
//!
//! The code is 100 random bits in Crockford's base32 (<https://www.crockford.com/base32.html>), in groups of five. It is never
//! stored: the source's row of the subscription has its hash, the callback has it sealed.
//!
//! A voucher has no state of its own. It is redeemed when the row is linked to a customer, and void when the sale was reversed
//! before.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use unicode_general_category::{GeneralCategory, get_general_category};

use crate::ids::CustomerId;
use crate::input::{FieldErrors, Object, Parsed, parsed, string};
use crate::subscription::{Life, Subscription};
use crate::text::is_invisible;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH: usize = 20;
const GROUP: usize = 5;

/// In canonical form, without groups. Only the callback contains it.
#[derive(Clone, PartialEq, Eq)]
pub struct VoucherCode(String);

impl VoucherCode {
    /// Uses the lowest 100 bits.
    pub fn from_bits(bits: u128) -> Self {
        let digit = |index: usize| char::from(ALPHABET[((bits >> (5 * index)) & 31) as usize]);
        Self((0..LENGTH).rev().map(digit).collect())
    }

    /// Reads a code as people type and paste it: any case, with or without groups, `O` for zero, `I` or `L` for one. White
    /// space, dashes and invisible characters do not matter.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let text = string(value)?;
        let digits: Option<String> = text
            .chars()
            .filter(|c| !is_separator(*c))
            .map(|c| match c.to_ascii_uppercase() {
                'O' => Some('0'),
                'I' | 'L' => Some('1'),
                digit if digit.is_ascii() && ALPHABET.contains(&(digit as u8)) => Some(digit),
                _ => None,
            })
            .collect();
        digits
            .filter(|digits| digits.len() == LENGTH)
            .map(Self)
            .ok_or_else(|| {
                FieldErrors::one(
                    "invalid_voucher_code",
                    "expected a code such as 7Q2M9-X4T0K-3HGWB-PZ5RA",
                )
            })
    }

    /// For hashing.
    pub fn canonical(&self) -> &str {
        &self.0
    }

    /// For people: groups of five.
    pub fn grouped(&self) -> String {
        self.0
            .as_bytes()
            .chunks(GROUP)
            .map(String::from_utf8_lossy)
            .collect::<Vec<_>>()
            .join("-")
    }
}

impl fmt::Debug for VoucherCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VoucherCode(..)")
    }
}

/// White space, invisible characters, Unicode's dashes, and characters that look like a dash.
fn is_separator(c: char) -> bool {
    (is_invisible(c) && (c.is_whitespace() || !c.is_control()))
        || get_general_category(c) == GeneralCategory::DashPunctuation
        || matches!(
            c,
            '\u{02D7}' | '\u{2043}' | '\u{2053}' | '\u{207B}' | '\u{208B}' | '\u{2212}'
        )
}

/// The first 128 bits of the SHA-256 of the source client's id and a canonical code, hex. A hundred random bits need no slow hash.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VoucherHash(pub String);

#[derive(Debug, Clone)]
pub struct NewVoucher {
    /// Sent to the source.
    pub code: VoucherCode,
    /// Stored.
    pub hash: VoucherHash,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RedeemError {
    /// Unknown, another client's, or void: the caller cannot distinguish them.
    #[error("the voucher does not exist")]
    NotFound,
    #[error("the voucher was redeemed for another customer")]
    OtherCustomer,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redemption {
    First(Subscription),
    /// The voucher was already redeemed for this customer; nothing changes.
    Repeated(Subscription),
}

impl Subscription {
    /// Links the source's row to the customer who redeems its voucher.
    pub fn redeem(
        self,
        customer_id: CustomerId,
        now: Timestamp,
    ) -> Result<Redemption, RedeemError> {
        match (self.customer_id, self.life) {
            (Some(linked), _) if linked == customer_id => Ok(Redemption::Repeated(self)),
            (Some(_), _) => Err(RedeemError::OtherCustomer),
            (None, Life::Refunded { .. } | Life::ChargedBack { .. }) => Err(RedeemError::NotFound),
            (None, Life::Active | Life::Cancelled { .. }) => {
                Ok(Redemption::First(self.linked_to(customer_id, now)))
            }
        }
    }
}

#[derive(Debug, Clone)]
pub struct RedeemRequest {
    /// The new owner of the subscription.
    pub customer_id: CustomerId,
    pub code: VoucherCode,
}

impl RedeemRequest {
    /// Reads `{customerId, voucherCode}`.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let customer_id = object.required("customerId", parsed::<CustomerId>);
        let code = object.required("voucherCode", VoucherCode::parse);
        object.finish(|| {
            Some(Self {
                customer_id: customer_id?,
                code: code?,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    /// Characters between the digits of a pasted code.
    const SEPARATORS: &[char] = &[
        '-',
        ' ',
        '\t',
        '\n',
        '\r',
        '\u{85}',
        '\u{a0}',
        '\u{ad}',
        '\u{1680}',
        '\u{2002}',
        '\u{2007}',
        '\u{2009}',
        '\u{200a}',
        '\u{200b}',
        '\u{200d}',
        '\u{200e}',
        '\u{2010}',
        '\u{2011}',
        '\u{2012}',
        '\u{2013}',
        '\u{2014}',
        '\u{2015}',
        '\u{2028}',
        '\u{202a}',
        '\u{202f}',
        '\u{205f}',
        '\u{2060}',
        '\u{2069}',
        '\u{2212}',
        '\u{3000}',
        '\u{301c}',
        '\u{fe0f}',
        '\u{fe58}',
        '\u{fe63}',
        '\u{feff}',
        '\u{ff0d}',
        '\u{e0020}',
    ];

    proptest! {
        #[test]
        fn a_code_is_parsed_as_people_paste_it(
            bits in any::<u128>(),
            separators in prop::collection::vec((prop::sample::select(SEPARATORS), 0..=LENGTH), 0..12),
        ) {
            let code = VoucherCode::from_bits(bits);
            let mut pasted: Vec<char> = code.canonical().chars().collect();
            for (separator, place) in separators {
                pasted.insert(place, separator);
            }
            let pasted: String = pasted.into_iter().collect();
            prop_assert_eq!(VoucherCode::parse(&json!(pasted)).expect("valid"), code);
        }

        #[test]
        fn a_code_is_parsed_as_people_type_it(bits in any::<u128>()) {
            let code = VoucherCode::from_bits(bits);
            let grouped = code.grouped();
            prop_assert_eq!(grouped.len(), 23);
            let typed = grouped.to_lowercase().replace('0', "o").replace('1', "l").replace('-', " ");
            prop_assert_eq!(VoucherCode::parse(&json!(typed)).expect("valid"), code);
        }
    }

    #[test]
    fn a_code_uses_exactly_its_lowest_hundred_bits() {
        assert_eq!(VoucherCode::from_bits(1 << 100), VoucherCode::from_bits(0));
        assert_ne!(VoucherCode::from_bits(1 << 99), VoucherCode::from_bits(0));
    }

    #[test]
    fn other_lengths_and_letters_are_not_a_code() {
        for text in [
            "",
            "7Q2M9",
            "7Q2M9-X4T0K-3HGWB-PZ5RU",
            "7Q2M9-X4T0K-3HGWB-PZ5RAA",
            "7Q2M9-X4T0K-3HGWB-PZ5Ré",
            "7Q2M9-X4T0K-3HGWB-PZ5R_A",
            "7Q2M9.X4T0K.3HGWB.PZ5RA",
            "7Q2M9-X4T0K-3HGWB-PZ5R\u{0}A",
            "7Q2M9-X4T0K-3HGWB-PZ5R\u{fffd}A",
            "7Q2M9-X4T0K-3HGWB-PZ5R\u{410}",
        ] {
            assert!(VoucherCode::parse(&json!(text)).is_err(), "{text}");
        }
    }
}
