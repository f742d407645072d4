//! A payout row, as JSON and as CSV.

use serde_json::{Value, json};
use tandem_domain::connection::Side;
use tandem_domain::ids::ClientId;
use tandem_domain::payout::{PaidState, Payout};

pub const CSV_HEADER: &str = "id,type,role,createdAt,sourceClientId,sourceName,targetClientId,targetName,orderId,subscriptionId,\
periodNumber,offerId,offerName,customerId,paymentMethod,currency,gross,sellerShareBasisPoints,due,paidStatus,paidAt\r\n";

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
        "gross": row.gross,
        "sellerShareBasisPoints": row.seller_share_basis_points,
        "due": row.due,
        "paidStatus": row.paid.status(),
        "paidAt": paid_at(row),
        "createdAt": row.created_at,
    })
}

/// A line of the CSV. Amounts are whole minor units, as in the JSON.
pub fn csv_line(row: &Payout, caller: ClientId) -> String {
    let fields = [
        row.id.to_string(),
        row.payout_type.as_str().to_owned(),
        side(row, caller).to_string(),
        row.created_at.to_string(),
        row.source_client_id.to_string(),
        row.source_name.to_string(),
        row.target_client_id.to_string(),
        row.target_name.to_string(),
        row.order_id.to_string(),
        row.subscription_id.to_string(),
        row.period_number.to_string(),
        row.offer_id.to_string(),
        row.offer_name.to_string(),
        row.customer_id.to_string(),
        row.payment_method.as_str().to_owned(),
        row.gross.currency.to_string(),
        row.gross.amount.to_string(),
        row.seller_share_basis_points.0.to_string(),
        row.due.amount.to_string(),
        row.paid.status().to_string(),
        paid_at(row).map_or_else(String::new, |at| at.to_string()),
    ];
    let mut line = fields
        .iter()
        .map(|field| quoted(field))
        .collect::<Vec<_>>()
        .join(",");
    line.push_str("\r\n");
    line
}

fn paid_at(row: &Payout) -> Option<tandem_domain::Timestamp> {
    match row.paid {
        PaidState::Open => None,
        PaidState::Paid { paid_at } => Some(paid_at),
    }
}

/// RFC 4180 quoting. Text that a spreadsheet would run as a formula gets a leading apostrophe (OWASP, "CSV Injection"). Numbers
/// are safe.
fn quoted(field: &str) -> String {
    let formula =
        field.starts_with(['=', '+', '-', '@', '\t', '\r']) && field.parse::<i64>().is_err();
    let field = if formula {
        format!("'{field}")
    } else {
        field.to_owned()
    };
    if field.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn fields_are_quoted_and_never_formulas() {
        assert_eq!(quoted("a\"b,c"), "\"a\"\"b,c\"");
        assert_eq!(quoted("=1+1"), "'=1+1");
        assert_eq!(quoted("-1250"), "-1250");
    }
}
