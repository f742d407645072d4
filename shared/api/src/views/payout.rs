//! A payout row, as JSON and as CSV.

use serde_json::{Value, json};
use tandem_domain::connection::Side;
use tandem_domain::ids::ClientId;
use tandem_domain::metadata::Metadata;
use tandem_domain::payout::{PaidState, Payout};

use crate::csv::{self, Cell};

const CSV_COLUMNS: [&str; 28] = [
    "id",
    "type",
    "role",
    "createdAt",
    "sourceClientId",
    "sourceName",
    "targetClientId",
    "targetName",
    "orderId",
    "subscriptionId",
    "periodNumber",
    "offerId",
    "offerName",
    "customerId",
    "paymentMethod",
    "currency",
    "gross",
    "sellerShareBasisPoints",
    "due",
    "paidStatus",
    "paidAt",
    "differsFromTerms",
    // Columns are added at the end only: programs read them by position.
    "externalSystemId",
    "grossDecimal",
    "dueDecimal",
    "metadata",
    "offerMetadata",
    "costCenter",
];

pub fn csv_header() -> String {
    csv::record(CSV_COLUMNS.map(Cell::text))
}

/// The caller's side of a row.
pub fn side(row: &Payout, caller: ClientId) -> Side {
    if row.source_client_id == caller {
        Side::Source
    } else {
        Side::Target
    }
}

pub fn payout(row: &Payout, caller: ClientId) -> Value {
    json!({
        "id": row.id,
        "type": row.payout_type,
        "role": side(row, caller),
        "source": {"clientId": row.source_client_id, "name": row.source_name},
        "target": {"clientId": row.target_client_id, "name": row.target_name},
        "orderId": row.order_id,
        "subscriptionId": row.subscription_id,
        "periodNumber": row.period_number,
        "offerId": row.offer_id,
        "offerName": row.offer_name,
        "customerId": row.customer_id,
        "paymentMethod": row.payment_method,
        "externalSystemId": row.external_system_id,
        "gross": row.gross,
        "sellerShareBasisPoints": row.seller_share_basis_points,
        "due": row.due,
        "differsFromTerms": row.differs_from_terms,
        "paidStatus": row.paid.status(),
        "paidAt": paid_at(row),
        "metadata": row.metadata,
        "offerMetadata": row.offer_metadata,
        "costCenter": row.cost_center,
        "createdAt": row.created_at,
    })
}

/// A line of the CSV. Amounts are whole minor units, as in the JSON, and decimals of the currency.
pub fn csv_line(row: &Payout, caller: ClientId) -> String {
    let cells: [Cell; CSV_COLUMNS.len()] = [
        Cell::text(row.id),
        Cell::text(row.payout_type.as_str()),
        Cell::text(side(row, caller)),
        Cell::text(row.created_at),
        Cell::text(row.source_client_id),
        Cell::text(&row.source_name),
        Cell::text(row.target_client_id),
        Cell::text(&row.target_name),
        Cell::text(row.order_id),
        Cell::text(row.subscription_id),
        Cell::number(row.period_number),
        Cell::text(row.offer_id),
        Cell::text(&row.offer_name),
        Cell::text(row.customer_id),
        Cell::text(row.payment_method.as_str()),
        Cell::text(row.gross.currency),
        Cell::number(row.gross.amount),
        Cell::number(row.seller_share_basis_points.0),
        Cell::number(row.due.amount),
        Cell::text(row.paid.status()),
        Cell::text(text_of(paid_at(row).as_ref())),
        Cell::text(row.differs_from_terms),
        Cell::text(text_of(row.external_system_id.as_ref())),
        Cell::decimal(row.gross),
        Cell::decimal(row.due),
        Cell::text(pairs(&row.metadata)),
        Cell::text(pairs(&row.offer_metadata)),
        Cell::text(text_of(row.cost_center.as_ref())),
    ];
    csv::record(cells)
}

/// JSON, or nothing.
fn pairs(metadata: &Metadata) -> String {
    if metadata.is_empty() {
        String::new()
    } else {
        json!(metadata).to_string()
    }
}

fn text_of(value: Option<&impl ToString>) -> String {
    value.map_or_else(String::new, ToString::to_string)
}

fn paid_at(row: &Payout) -> Option<tandem_domain::Timestamp> {
    match row.paid {
        PaidState::Open => None,
        PaidState::Paid { paid_at } => Some(paid_at),
    }
}
