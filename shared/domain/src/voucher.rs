//! Vouchers: the single-use code by which a source client of another contracting company claims a sold subscription.
//!
//! The code is 100 random bits in Crockford's base32 (<https://www.crockford.com/base32.html>), in groups of five. It is
//! never stored: the table holds its hash, the callback holds it sealed.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{ClientId, ConnectionId, CustomerId, OrderId, SubscriptionId};
use crate::input::{FieldErrors, Object, Parsed, parsed, string};

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH: usize = 20;
const GROUP: usize = 5;

/// A voucher code, in its canonical form without groups. Shown only in the callback.
#[derive(Clone, PartialEq, Eq)]
pub struct VoucherCode(String);

impl VoucherCode {
    /// A code from random bits; the lowest 100 are used.
    pub fn from_bits(bits: u128) -> Self {
        let digit = |index: usize| char::from(ALPHABET[((bits >> (5 * index)) & 31) as usize]);
        Self((0..LENGTH).rev().map(digit).collect())
    }

    /// Reads a code as a person may type it: any case, with or without groups, `O` for zero, `I` or `L` for one.
    ///
    /// # Errors
    /// It has no 20 digits of the alphabet.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let text = string(value)?;
        let digits: Option<String> = text
            .chars()
            .filter(|c| !matches!(c, '-' | ' '))
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

    /// The canonical form, for hashing.
    pub fn canonical(&self) -> &str {
        &self.0
    }

    /// The form for people: groups of five.
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

/// SHA-256 of a canonical code, hex. A hundred random bits need no slow hash.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VoucherHash(pub String);

/// A fresh code and its hash.
#[derive(Debug, Clone)]
pub struct NewVoucher {
    /// To be told to the source.
    pub code: VoucherCode,
    /// To be stored.
    pub hash: VoucherHash,
}

/// Where a voucher stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "status"
)]
pub enum VoucherState {
    /// Can be redeemed.
    Issued,
    /// Was redeemed for a customer.
    Redeemed {
        /// Whose subscription it is now.
        customer_id: CustomerId,
        /// When.
        redeemed_at: Timestamp,
    },
    /// The sale was taken back before it was redeemed.
    Void {
        /// When.
        void_at: Timestamp,
    },
}

/// A voucher as it is stored, under its source client and hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Voucher {
    /// The source client, which alone may redeem it.
    pub client_id: ClientId,
    /// The hash of its code.
    pub hash: VoucherHash,
    /// What it gives.
    pub subscription_id: SubscriptionId,
    /// The order it comes from.
    pub order_id: OrderId,
    /// The connection it was sold by.
    pub connection_id: ConnectionId,
    /// Where it stands.
    #[serde(flatten)]
    pub state: VoucherState,
    /// When it was issued.
    pub created_at: Timestamp,
    /// Counts the changes, for optimistic locking.
    pub version: u64,
}

/// Why a voucher is not redeemed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RedeemError {
    /// Unknown, another client's, or void: the caller cannot tell which.
    #[error("there is no such voucher")]
    NotFound,
    /// It was redeemed for someone else.
    #[error("the voucher was redeemed for another customer")]
    OtherCustomer,
}

/// What redeeming a voucher does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redemption {
    /// The voucher as it is afterwards.
    First(Voucher),
    /// It was redeemed for this customer before; nothing changes.
    Again,
}

impl Voucher {
    /// Redeems it for a customer.
    ///
    /// # Errors
    /// It is void, or was redeemed for another customer.
    pub fn redeem(
        self,
        customer_id: CustomerId,
        now: Timestamp,
    ) -> Result<Redemption, RedeemError> {
        match self.state {
            VoucherState::Issued => {
                let state = VoucherState::Redeemed {
                    customer_id,
                    redeemed_at: now,
                };
                Ok(Redemption::First(Self { state, ..self }))
            }
            VoucherState::Redeemed {
                customer_id: before,
                ..
            } if before == customer_id => Ok(Redemption::Again),
            VoucherState::Redeemed { .. } => Err(RedeemError::OtherCustomer),
            VoucherState::Void { .. } => Err(RedeemError::NotFound),
        }
    }

    /// The voucher after its sale was taken back; a redeemed one stays redeemed.
    pub fn void(self, now: Timestamp) -> Option<Self> {
        matches!(self.state, VoucherState::Issued).then(|| Self {
            state: VoucherState::Void { void_at: now },
            ..self
        })
    }
}

/// Input of a redemption.
#[derive(Debug, Clone)]
pub struct RedeemRequest {
    /// Who gets the subscription.
    pub customer_id: CustomerId,
    /// The code.
    pub code: VoucherCode,
}

impl RedeemRequest {
    /// Reads `{customerId, voucherCode}`.
    ///
    /// # Errors
    /// Names each wrong member.
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

    proptest! {
        #[test]
        fn a_code_is_read_as_people_type_it(bits in any::<u128>()) {
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
    fn other_lengths_and_letters_are_no_code() {
        for text in [
            "",
            "7Q2M9",
            "7Q2M9-X4T0K-3HGWB-PZ5RU",
            "7Q2M9-X4T0K-3HGWB-PZ5RAA",
            "7Q2M9-X4T0K-3HGWB-PZ5Ré",
        ] {
            assert!(VoucherCode::parse(&json!(text)).is_err(), "{text}");
        }
    }
}
