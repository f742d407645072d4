//! The items of an import request: one order of the leading system each.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::external::External;
use crate::ids::{CustomerId, OfferId};
use crate::input::{FieldErrors, Object, Parsed, boolean, integer, parsed};
use crate::instant::{end, instant};
use crate::money::BasisPoints;
use crate::payment_method::PaymentMethod;
use crate::text::ExternalId;

use super::MAX_ITEMS;

const MAX_QUANTITY: i64 = 10_000;

/// The `endDate` of an item.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EndDate {
    /// Absent: the end stays as it is.
    #[default]
    Keep,
    /// `null`: the end is removed.
    Never,
    At(Timestamp),
}

impl EndDate {
    fn is_kept(&self) -> bool {
        *self == Self::Keep
    }
}

/// One order of the leading system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportItem {
    /// The order's id in the leading system.
    pub external_system_id: ExternalId,
    pub offer_id: OfferId,
    pub invoice_customer_id: CustomerId,
    pub quantity: u32,
    /// Start of the subscription.
    pub start_date: Timestamp,
    pub payment_method: PaymentMethod,
    /// End of the subscription.
    #[serde(skip_serializing_if = "EndDate::is_kept", default)]
    pub end_date: EndDate,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub order_date: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub delivery_customer_id: Option<CustomerId>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub discount_basis_points: Option<BasisPoints>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub current_payment_period_paid: Option<bool>,
}

impl ImportItem {
    /// Parses an item; the errors name each wrong member.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let external_system_id = object.required("externalSystemId", ExternalId::parse);
        let offer_id = object.required("offerId", parsed);
        let invoice_customer_id = object.required("invoiceCustomerId", parsed);
        let quantity = object.required("quantity", integer(1..=MAX_QUANTITY));
        let start_date = object.required("startDate", instant);
        let payment_method = object.required("paymentMethod", PaymentMethod::parse);
        let end_date = object.clearable("endDate", end).map(Option::flatten);
        let order_date = object.optional("orderDate", instant);
        let delivery_customer_id = object.optional("deliveryCustomerId", parsed);
        let discount_basis_points = object.optional("discountPercentage", parse_percentage);
        let current_payment_period_paid = object.optional("currentPaymentPeriodPaid", boolean);
        if let (Some(start), Some(Some(end))) = (start_date, end_date)
            && end < start
        {
            object.note(FieldErrors::at(
                "endDate",
                "before_start",
                "must not be before startDate",
            ));
        }
        object.finish(|| {
            Some(Self {
                external_system_id: external_system_id?,
                offer_id: offer_id?,
                invoice_customer_id: invoice_customer_id?,
                quantity: u32::try_from(quantity?).ok()?,
                start_date: start_date?,
                payment_method: payment_method?,
                end_date: end_date
                    .map_or(EndDate::Keep, |end| end.map_or(EndDate::Never, EndDate::At)),
                order_date,
                delivery_customer_id,
                discount_basis_points,
                current_payment_period_paid,
            })
        })
    }

    /// The members that order and subscription keep. Absent members keep their value from `before`.
    pub(crate) fn external(&self, before: Option<&External>) -> External {
        External {
            external_system_id: self.external_system_id.clone(),
            ordered_at: self.order_date.or_else(|| before?.ordered_at),
            delivery_customer_id: self
                .delivery_customer_id
                .or_else(|| before?.delivery_customer_id),
            discount_basis_points: self
                .discount_basis_points
                .or_else(|| before?.discount_basis_points),
            current_payment_period_paid: self
                .current_payment_period_paid
                .or_else(|| before?.current_payment_period_paid),
        }
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
            errors.0.extend(repeats.0);
            Err(errors)
        }
    }
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
