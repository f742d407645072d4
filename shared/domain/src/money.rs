//! Money: whole minor units of an ISO 4217 currency, no floats.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::input::{FieldErrors, Object, Parsed, integer, string};

/// The largest price, in minor units. Times the largest quantity (10^4) and the most positions (20), it is 2 * 10^17 and
/// fits an `i64`.
pub const MAX_AMOUNT: i64 = 1_000_000_000_000;

/// The largest amount of an order or a payout row, in minor units: 2^53 - 1, the largest integer that every JSON library holds
/// exactly (RFC 8259, section 6).
pub const MAX_EXACT_AMOUNT: i64 = 9_007_199_254_740_991;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// Reads the code of a currency of ISO 4217 in which customers pay today, such as `EUR`.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let unknown = |detail| Err(FieldErrors::one("unknown_currency", detail));
        match iso_currency::Currency::from_code(string(value)?) {
            Some(currency) if is_current(currency) => Ok(Self(currency)),
            Some(_) => unknown(
                "the currency was withdrawn, or is no money that customers pay with; expected an ISO 4217 code such as EUR",
            ),
            None => unknown("expected an ISO 4217 code such as EUR"),
        }
    }
}

/// Whether customers pay with it today: no metal, unit of account, test code or fund, and not withdrawn. ISO 4217 lists VES and
/// VED for Venezuela.
fn is_current(currency: iso_currency::Currency) -> bool {
    currency == iso_currency::Currency::VES || currency.flags().is_empty()
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = String::deserialize(deserializer)?;
        iso_currency::Currency::from_code(&code)
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("unknown currency"))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Minor units (cents for EUR, yen for JPY); negative only for reversals.
    pub amount: i64,
    pub currency: Currency,
}

impl Money {
    /// Reads a price: `{"amount": 1250, "currency": "EUR"}`, from 0 to [`MAX_AMOUNT`].
    pub fn parse_price(value: &Value) -> Parsed<Self> {
        Self::parse_amount(value, 0..=MAX_AMOUNT)
    }

    /// Reads the total of an order, from 0 to [`MAX_EXACT_AMOUNT`].
    pub fn parse_total(value: &Value) -> Parsed<Self> {
        Self::parse_amount(value, 0..=MAX_EXACT_AMOUNT)
    }

    /// Reads an amount within bounds.
    pub fn parse_amount(value: &Value, bounds: std::ops::RangeInclusive<i64>) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let amount = object.required("amount", integer(bounds));
        let currency = object.required("currency", Currency::parse);
        object.finish(|| {
            Some(Self {
                amount: amount?,
                currency: currency?,
            })
        })
    }

    /// The amount with the decimals of its currency, such as `12.50`.
    pub fn decimal(self) -> String {
        let decimals = usize::from(self.currency.0.exponent().unwrap_or(0));
        let sign = if self.amount < 0 { "-" } else { "" };
        let digits = format!(
            "{:0>width$}",
            self.amount.unsigned_abs(),
            width = decimals + 1
        );
        let (whole, part) = digits.split_at(digits.len() - decimals);
        let point = if decimals == 0 { "" } else { "." };
        format!("{sign}{whole}{point}{part}")
    }

    /// At most 10^16 for a price and a quantity of up to 10,000, so the product cannot saturate.
    pub fn times(self, quantity: u32) -> Self {
        Self {
            amount: self.amount.saturating_mul(i64::from(quantity)),
            ..self
        }
    }

    pub fn negated(self) -> Self {
        Self {
            amount: -self.amount,
            ..self
        }
    }

    /// Adds the amounts of one currency. At most 20 products of [`Self::times`], i.e. 2 * 10^17, so the sum cannot saturate.
    pub fn plus(self, other: Self) -> Self {
        Self {
            amount: self.amount.saturating_add(other.amount),
            ..self
        }
    }

    /// Whether every JSON library holds the amount exactly.
    pub fn is_exact(self) -> bool {
        self.amount.unsigned_abs() <= MAX_EXACT_AMOUNT.unsigned_abs()
    }

    /// Subtracts a share (of a seller, or a discount), rounded half up to a minor unit: 12.5 % of 9.99 are 1.25, and 8.74
    /// remain. Symmetric around zero, so that a refund equals its payment to the cent.
    pub fn after_share(self, share: BasisPoints) -> Self {
        let gross = i128::from(self.amount.unsigned_abs());
        let kept = (gross * i128::from(share.0) + 5_000) / 10_000;
        let due = i64::try_from(gross - kept).unwrap_or(i64::MAX);
        Self {
            amount: if self.amount < 0 { -due } else { due },
            ..self
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}

/// Hundredths of a percent, 0 to 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BasisPoints(pub u16);

impl BasisPoints {
    pub fn parse(value: &Value) -> Parsed<Self> {
        integer(0..=10_000)(value).map(|points| Self(u16::try_from(points).unwrap_or(10_000)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn euro(amount: i64) -> Money {
        let currency = Currency::parse(&json!("EUR")).expect("known");
        Money { amount, currency }
    }

    #[test]
    fn shares_and_discounts_are_rounded_half_up() {
        for (amount, share, rest) in [
            (999, 2_000, 799),     // 199.8 -> 200
            (999, 1_250, 874),     // 124.875 -> 125
            (2_997, 2_000, 2_398), // 599.4 -> 599
            (1, 5_000, 0),         // 0.5 -> 1
            (1, 4_999, 1),         // 0.4999 -> 0
            (999, 0, 999),
            (999, 10_000, 0),
            (0, 5_000, 0),
        ] {
            let share = BasisPoints(share);
            assert_eq!(euro(amount).after_share(share), euro(rest), "{amount}");
            assert_eq!(euro(-amount).after_share(share), euro(-rest), "-{amount}");
        }
    }

    #[test]
    fn the_largest_products_and_sums_do_not_overflow() {
        let position = euro(MAX_AMOUNT).times(10_000);
        assert_eq!(position.amount, 10_i64.pow(16));
        let total = (0..20).fold(euro(0), |total, _| total.plus(position));
        assert_eq!(total.amount, 2 * 10_i64.pow(17));
        assert_eq!(total.after_share(BasisPoints(10_000)), euro(0));
        assert_eq!(total.negated().after_share(BasisPoints(0)), total.negated());
        assert!(euro(MAX_EXACT_AMOUNT).is_exact() && !euro(MAX_EXACT_AMOUNT + 1).is_exact());
    }

    #[test]
    fn decimals_are_those_of_the_currency() {
        for (amount, currency, decimal) in [
            (1_250, "EUR", "12.50"),
            (5, "EUR", "0.05"),
            (-5, "EUR", "-0.05"),
            (-1_250, "CHF", "-12.50"),
            (0, "EUR", "0.00"),
            (1_250, "JPY", "1250"),
            (-7, "JPY", "-7"),
            (1_250, "KWD", "1.250"),
            (i64::MIN, "EUR", "-92233720368547758.08"),
        ] {
            let currency = Currency::parse(&json!(currency)).expect("known");
            assert_eq!(Money { amount, currency }.decimal(), decimal);
        }
    }

    proptest! {
        #[test]
        fn a_decimal_has_the_digits_of_its_amount(amount in any::<i64>()) {
            let digits = euro(amount).decimal().replace('.', "");
            prop_assert_eq!(digits.parse::<i64>(), Ok(amount));
        }

        #[test]
        fn a_refund_undoes_its_payment(amount in 0..=MAX_AMOUNT, quantity in 1_u32..=10_000, share in 0_u16..=10_000) {
            let gross = euro(amount).times(quantity);
            let paid = gross.after_share(BasisPoints(share));
            let back = gross.negated().after_share(BasisPoints(share));
            prop_assert_eq!(paid.amount + back.amount, 0);
            prop_assert!(paid.amount >= 0 && paid.amount <= gross.amount);
        }
    }

    #[test]
    fn only_currencies_that_customers_pay_with_are_taken() {
        for code in [
            "EUR", "CHF", "JPY", "KWD", "XAF", "XOF", "XPF", "XCD", "XCG", "VES", "VED",
        ] {
            assert!(Currency::parse(&json!(code)).is_ok(), "{code}");
        }
        for code in [
            "XXX", "XTS", "XAU", "XDR", "XUA", "XAD", "CHE", "CLF", "USN", "HRK", "SLL", "ZWL",
            "CUC", "BGN", "ANG", "DEM", "LTL", "eur", "EU", "",
        ] {
            let errors = Currency::parse(&json!(code)).expect_err(code);
            assert_eq!(errors.0[0].code, "unknown_currency", "{code}");
        }
        // Stored prices stay readable.
        assert!(serde_json::from_value::<Currency>(json!("HRK")).is_ok());
    }

    #[test]
    fn a_price_names_all_that_is_wrong() {
        let errors =
            Money::parse_price(&json!({"amount": "1", "currency": "EUX"})).expect_err("wrong");
        let codes: Vec<_> = errors
            .0
            .iter()
            .map(|error| (error.field.as_str(), error.code))
            .collect();
        assert_eq!(
            codes,
            [
                ("amount", "not_an_integer"),
                ("currency", "unknown_currency")
            ]
        );
    }
}
