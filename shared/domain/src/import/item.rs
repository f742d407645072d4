//! The items of an import request: one order of the leading system each.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{CustomerId, OfferId};
use crate::input::{FieldErrors, Object, Parsed, boolean, integer, parsed};
use crate::instant::{end, instant};
use crate::money::BasisPoints;
use crate::payment_method::PaymentMethod;
use crate::text::ExternalId;

use super::MAX_ITEMS;
use super::change::{Change, stored_end};

const MAX_QUANTITY: i64 = 10_000;
/// A well-formed date that is not in the years 1970 to 9998.
const OUT_OF_RANGE: Timestamp = Timestamp::MAX;

/// One order of the leading system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportItem {
    /// The order's id in the leading system.
    pub external_system_id: ExternalId,
    #[serde(flatten)]
    pub members: Members,
}

/// The members of an item but its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Members {
    pub offer_id: OfferId,
    pub invoice_customer_id: CustomerId,
    pub quantity: u32,
    /// Start of the subscription.
    pub start_date: Timestamp,
    pub payment_method: PaymentMethod,
    /// End of the subscription.
    #[serde(with = "stored_end", skip_serializing_if = "Change::is_kept", default)]
    pub end_date: Change<Timestamp>,
    #[serde(skip_serializing_if = "Change::is_kept", default)]
    pub order_date: Change<Timestamp>,
    #[serde(skip_serializing_if = "Change::is_kept", default)]
    pub delivery_customer_id: Change<CustomerId>,
    #[serde(skip_serializing_if = "Change::is_kept", default)]
    pub discount_basis_points: Change<BasisPoints>,
    #[serde(skip_serializing_if = "Change::is_kept", default)]
    pub current_payment_period_paid: Change<bool>,
}

impl ImportItem {
    /// The members that `null` clears.
    pub const CLEARABLE: &[&str] = &[
        "endDate",
        "orderDate",
        "deliveryCustomerId",
        "discountPercentage",
        "currentPaymentPeriodPaid",
    ];

    /// Parses an item; the errors name each wrong member.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let external_system_id = object.required("externalSystemId", ExternalId::parse);
        let offer_id = object.required("offerId", parsed);
        let invoice_customer_id = object.required("invoiceCustomerId", parsed);
        let quantity = object.required("quantity", integer(1..=MAX_QUANTITY));
        let start_date = object.required("startDate", |value| any_year(instant(value)));
        let payment_method = object.required("paymentMethod", PaymentMethod::parse);
        let end_date = object.clearable("endDate", |value| {
            end(value).or_else(|errors| any_year(Err(errors)).map(Some))
        });
        let order_date = object.clearable("orderDate", |value| any_year(instant(value)));
        let delivery_customer_id = object.clearable("deliveryCustomerId", parsed);
        let discount_basis_points = object.clearable("discountPercentage", parse_percentage);
        let current_payment_period_paid = object.clearable("currentPaymentPeriodPaid", boolean);
        object.finish(|| {
            let members = Members {
                offer_id: offer_id?,
                invoice_customer_id: invoice_customer_id?,
                quantity: u32::try_from(quantity?).ok()?,
                start_date: start_date?,
                payment_method: payment_method?,
                end_date: Change::of(end_date.map(Option::flatten)),
                order_date: Change::of(order_date),
                delivery_customer_id: Change::of(delivery_customer_id),
                discount_basis_points: Change::of(discount_basis_points),
                current_payment_period_paid: Change::of(current_payment_period_paid),
            };
            Some(Self {
                external_system_id: external_system_id?,
                members,
            })
        })
    }
}

impl Members {
    pub fn has_date_out_of_range(&self) -> bool {
        [
            Some(self.start_date),
            self.end_date.value(),
            self.order_date.value(),
        ]
        .contains(&Some(OUT_OF_RANGE))
    }

    /// The customers that the item names.
    pub fn customers(&self) -> impl Iterator<Item = CustomerId> {
        std::iter::once(self.invoice_customer_id).chain(self.delivery_customer_id.value())
    }
}

/// Parses the body of an import: `{"items": [...]}`, 1 to [`MAX_ITEMS`] items with different `externalSystemId`s. The errors name
/// each wrong member of each item.
pub fn parse_items(value: &Value) -> Parsed<Vec<ImportItem>> {
    let mut object = Object::read(value)?;
    let items = object.required("items", list_of_items);
    object.finish(|| items)
}

fn list_of_items(value: &Value) -> Parsed<Vec<ImportItem>> {
    let items = crate::input::list(1..=MAX_ITEMS, ImportItem::parse)(value);
    // The request itself is searched for repeated ids, so that they are reported together with all other errors.
    let repeats = repeats(value);
    match (items, repeats.0.is_empty()) {
        (Ok(items), true) => Ok(items),
        (Ok(_), false) => Err(repeats),
        (Err(mut errors), _) => {
            errors.0.extend(impossible_dates(value).0);
            errors.0.extend(repeats.0);
            Err(errors)
        }
    }
}

/// A date outside of the accepted years fails its item, and not the import.
fn any_year(parsed: Parsed<Timestamp>) -> Parsed<Timestamp> {
    parsed.or_else(|errors| {
        if errors.0.iter().all(|error| error.code == "out_of_range") {
            Ok(OUT_OF_RANGE)
        } else {
            Err(errors)
        }
    })
}

/// The dates that would fail their items alone. They are named only if the import is rejected for other reasons.
fn impossible_dates(value: &Value) -> FieldErrors {
    let mut errors = FieldErrors::default();
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        for name in ["startDate", "endDate", "orderDate"] {
            let read = |value| match name {
                "endDate" => end(value).map(drop),
                _ => instant(value).map(drop),
            };
            if let Some(Err(wrong)) = item.get(name).map(read)
                && wrong.0.iter().all(|error| error.code == "out_of_range")
            {
                let at = format!("[{index}].{name}");
                errors.0.extend(wrong.under(&at).0);
            }
        }
        let date = |name| item.get(name).and_then(|date| instant(date).ok());
        if let (Some(start), Some(end)) = (date("startDate"), date("endDate"))
            && end < start
        {
            let detail = "must not be before startDate";
            let at = format!("[{index}].endDate");
            errors
                .0
                .extend(FieldErrors::at(at, "before_start", detail).0);
        }
    }
    errors
}

fn repeats(value: &Value) -> FieldErrors {
    let mut seen: HashMap<ExternalId, usize> = HashMap::new();
    let mut errors = FieldErrors::default();
    let items = value
        .as_array()
        .filter(|items| items.len() <= MAX_ITEMS)
        .into_iter()
        .flatten();
    for (index, item) in items.enumerate() {
        let Some(id) = item
            .get("externalSystemId")
            .and_then(|id| ExternalId::parse(id).ok())
        else {
            continue;
        };
        if let Some(first) = seen.get(&id) {
            let detail =
                format!("items[{first}] has the same externalSystemId; send one item for each");
            errors.0.extend(
                FieldErrors::at(format!("[{index}].externalSystemId"), "repeated", detail).0,
            );
        } else {
            seen.insert(id, index);
        }
    }
    errors
}

/// Parses a JSON number from 0 to 100 with at most two decimals, such as `12.5`, from its text, without float arithmetic.
fn parse_percentage(value: &Value) -> Parsed<BasisPoints> {
    let number = value.as_number().ok_or_else(|| {
        FieldErrors::one("not_a_number", "expected a number from 0 to 100, e.g. 12.5")
    })?;
    let text = number.to_string();
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    let decimals = decimals.trim_end_matches('0');
    let out_of_range = || FieldErrors::one("out_of_range", "must be from 0 to 100");
    if !whole.bytes().all(|b| b.is_ascii_digit()) || !decimals.bytes().all(|b| b.is_ascii_digit()) {
        // Negative, or so large or small that its text has an exponent.
        return Err(out_of_range());
    }
    if decimals.len() > 2 {
        return Err(FieldErrors::one(
            "too_precise",
            "must have at most two decimals",
        ));
    }
    let points = format!("{whole}{decimals:0<2}")
        .parse::<u16>()
        .ok()
        .filter(|points| *points <= 10_000);
    points.map(BasisPoints).ok_or_else(out_of_range)
}
