//! What is sent: one order of the leading system for each item.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::external::External;
use crate::ids::{CustomerId, OfferId};
use crate::input::{FieldErrors, Object, Parsed, boolean, integer, parsed};
use crate::instant::instant;
use crate::money::BasisPoints;
use crate::payment_method::PaymentMethod;
use crate::text::ExternalId;

use super::MOST_ITEMS;

/// The largest quantity.
const LARGEST_QUANTITY: i64 = 10_000;
/// The most errors that one answer names: eleven fields of each of a thousand items. What is sent with made-up fields only
/// must not make an answer too large for the gateway.
const MOST_ERRORS: usize = 11 * MOST_ITEMS;

/// What an item says of the subscription's end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EndDate {
    /// Nothing: it stays as it is.
    #[default]
    Keep,
    /// `null`: there is none.
    Never,
    /// It ends then.
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
    /// Its id there.
    pub external_system_id: ExternalId,
    /// What was sold.
    pub offer_id: OfferId,
    /// Who pays.
    pub invoice_customer_id: CustomerId,
    /// How many.
    pub quantity: u32,
    /// When the subscription starts.
    pub start_date: Timestamp,
    /// How it is paid.
    pub payment_method: PaymentMethod,
    /// When it ends.
    #[serde(skip_serializing_if = "EndDate::is_kept", default)]
    pub end_date: EndDate,
    /// When it was ordered.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub order_date: Option<Timestamp>,
    /// Who gets it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub delivery_customer_id: Option<CustomerId>,
    /// What is taken off the price.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub discount_basis_points: Option<BasisPoints>,
    /// Whether the period under way is paid.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub current_payment_period_paid: Option<bool>,
}

impl ImportItem {
    /// Reads an item.
    ///
    /// # Errors
    /// Names each wrong member.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let external_system_id = object.required("externalSystemId", ExternalId::parse);
        let offer_id = object.required("offerId", parsed);
        let invoice_customer_id = object.required("invoiceCustomerId", parsed);
        let quantity = object.required("quantity", integer(1..=LARGEST_QUANTITY));
        let start_date = object.required("startDate", instant);
        let payment_method = object.required("paymentMethod", PaymentMethod::parse);
        let end_date = object.clearable("endDate", instant);
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

    /// What is kept of it in the order and the subscription. What it does not say stays as it was.
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

/// Reads the body of an import: `{"items": [...]}`, 1 to [`MOST_ITEMS`] items with different `externalSystemId`s.
///
/// # Errors
/// Names each wrong member of each item, up to 11,000 of them.
pub fn parse_items(value: &Value) -> Parsed<Vec<ImportItem>> {
    let mut object = Object::read(value)?;
    let items = object.required("items", list_of_items);
    object.finish(|| items).map_err(bounded)
}

fn list_of_items(value: &Value) -> Parsed<Vec<ImportItem>> {
    let items = crate::input::list(1..=MOST_ITEMS, ImportItem::parse)(value);
    // Repeats are looked for in what was sent, so that they are named beside all other errors.
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
        .filter(|items| items.len() <= MOST_ITEMS)
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

fn bounded(mut errors: FieldErrors) -> FieldErrors {
    let more = errors.0.len().saturating_sub(MOST_ERRORS);
    if more > 0 {
        errors.0.truncate(MOST_ERRORS);
        errors.0.extend(
            FieldErrors::at(
                "items",
                "more_errors",
                format!("{more} more errors are not listed"),
            )
            .0,
        );
    }
    errors
}

/// Reads a JSON number from 0 to 100 with at most two decimals, such as `12.5`, from its text: no float is calculated with.
fn parse_percentage(value: &Value) -> Parsed<BasisPoints> {
    let number = value.as_number().ok_or_else(|| {
        FieldErrors::one("not_a_number", "expected a number from 0 to 100, e.g. 12.5")
    })?;
    let text = number.to_string();
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    let decimals = decimals.trim_end_matches('0');
    let out_of_range = || FieldErrors::one("out_of_range", "must be from 0 to 100");
    if !whole.bytes().all(|b| b.is_ascii_digit()) || !decimals.bytes().all(|b| b.is_ascii_digit()) {
        // Negative, or so large or small that it is written with an exponent.
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
