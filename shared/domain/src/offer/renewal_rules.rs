//! The rules of an offer for what follows its sale. A sold subscription keeps them.

use serde::{Deserialize, Serialize};

use crate::input::{FieldErrors, Object, integer};
use crate::money::Money;

/// The most days of grace.
const MAX_GRACE_DAYS: i64 = 90;
/// The largest tolerance: twice the price.
const MAX_TOLERANCE: i64 = 100;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RenewalRules {
    /// Days for which a subscription gives access after the payment of its current period went back.
    #[serde(skip_serializing_if = "is_zero", default)]
    pub grace_days: u16,
    /// By how many percent of the price the amount of a renewal may differ from it; any amount if absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub renewal_amount_tolerance_percent: Option<u16>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature of serde")]
fn is_zero(days: &u16) -> bool {
    *days == 0
}

/// A change of the rules.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct RenewalRulesEdit {
    grace_days: Option<u16>,
    tolerance: Option<Option<u16>>,
}

impl RenewalRules {
    /// The member that `null` clears in an edit.
    pub const CLEARABLE: &'static str = "renewalAmountTolerancePercent";

    /// Reads `graceDays` and `renewalAmountTolerancePercent`, which only a subscription has.
    pub(super) fn read(object: &mut Object<'_>, is_single: bool) -> Self {
        let grace_days = object.optional("graceDays", days);
        let tolerance = object.optional(Self::CLEARABLE, tolerance);
        let given = [
            ("graceDays", grace_days.is_some()),
            (Self::CLEARABLE, tolerance.is_some()),
        ];
        for (name, _) in given.into_iter().filter(|(_, given)| is_single && *given) {
            object.note(not_for_single(name));
        }
        Self {
            grace_days: grace_days.unwrap_or_default(),
            renewal_amount_tolerance_percent: tolerance,
        }
    }

    /// The least and the largest amount of a renewal at these terms; `None` if any amount is allowed.
    pub fn range(self, terms: Money) -> Option<(Money, Money)> {
        let percent = i128::from(self.renewal_amount_tolerance_percent?);
        let price = i128::from(terms.amount);
        // The range holds all amounts within the percentage: a fraction of a minor unit does not widen it.
        let by = price * percent / 100;
        let money = |amount: i128| Money {
            amount: i64::try_from(amount).unwrap_or(i64::MAX),
            ..terms
        };
        Some((money(price - by), money(price + by)))
    }

    pub(super) fn edited(self, edit: RenewalRulesEdit) -> Self {
        Self {
            grace_days: edit.grace_days.unwrap_or(self.grace_days),
            renewal_amount_tolerance_percent: edit
                .tolerance
                .unwrap_or(self.renewal_amount_tolerance_percent),
        }
    }
}

impl RenewalRulesEdit {
    pub(super) fn read(object: &mut Object<'_>) -> Self {
        Self {
            grace_days: object.optional("graceDays", days),
            tolerance: object.clearable(RenewalRules::CLEARABLE, tolerance),
        }
    }

    /// Whether a member is set to a value.
    pub(super) fn sets(self) -> bool {
        self.grace_days.is_some() || matches!(self.tolerance, Some(Some(_)))
    }
}

pub(super) fn not_for_single(name: &'static str) -> FieldErrors {
    let detail = "only an offer of type subscription has this field";
    FieldErrors::at(name, "not_for_single", detail)
}

fn days(value: &serde_json::Value) -> crate::input::Parsed<u16> {
    integer(0..=MAX_GRACE_DAYS)(value).map(|days| u16::try_from(days).unwrap_or_default())
}

fn tolerance(value: &serde_json::Value) -> crate::input::Parsed<u16> {
    integer(0..=MAX_TOLERANCE)(value).map(|percent| u16::try_from(percent).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::money::MAX_EXACT_AMOUNT;

    fn rules(tolerance: Option<u16>) -> RenewalRules {
        RenewalRules {
            grace_days: 0,
            renewal_amount_tolerance_percent: tolerance,
        }
    }

    fn euro(amount: i64) -> Money {
        serde_json::from_value(json!({"amount": amount, "currency": "EUR"})).expect("money")
    }

    #[test]
    fn a_tolerance_is_a_range_around_the_price() {
        let range = |percent, price| rules(Some(percent)).range(euro(price));
        assert_eq!(range(10, 1_000), Some((euro(900), euro(1_100))));
        assert_eq!(range(10, 999), Some((euro(900), euro(1_098))));
        assert_eq!(range(0, 999), Some((euro(999), euro(999))));
        assert_eq!(range(100, 999), Some((euro(0), euro(1_998))));
        assert_eq!(rules(None).range(euro(999)), None);
    }

    proptest! {
        #[test]
        fn a_range_has_just_the_amounts_within_the_tolerance(
            price in 0..=MAX_EXACT_AMOUNT, percent in 0_u16..=100, amount in 0..=MAX_EXACT_AMOUNT,
        ) {
            let (least, most) = rules(Some(percent)).range(euro(price)).expect("a range");
            let within = |amount: i64| {
                i128::from(price.abs_diff(amount)) * 100 <= i128::from(price) * i128::from(percent)
            };
            for amount in [amount, least.amount, most.amount, least.amount - 1, most.amount + 1] {
                let is_in = (least.amount..=most.amount).contains(&amount);
                prop_assert_eq!(is_in, within(amount), "{}", amount);
            }
        }
    }
}
