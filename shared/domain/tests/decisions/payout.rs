//! The payout list and its statements.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;
use tandem_domain::connection::Side;
use tandem_domain::ids::{ClientId, PayoutId};
use tandem_domain::metadata::Metadata;
use tandem_domain::money::{BasisPoints, MAX_EXACT_AMOUNT, Money};
use tandem_domain::payment_method::PaymentMethod;
use tandem_domain::payout::{
    PaidState, Payout, PayoutError, PayoutSum, PayoutType, Statement, StatementError, StatementLine,
};

use crate::fixtures::{at, euro, id, money, name, now, yesterday, zone};

pub(crate) fn payout(payout_type: PayoutType, gross: Money) -> Payout {
    Payout {
        id: id(85),
        payout_type,
        source_client_id: id(11),
        source_name: name("Tagblatt 11"),
        target_client_id: id(12),
        target_name: name("Tagblatt 12"),
        order_id: id(50),
        subscription_id: id(70),
        period_number: 1,
        offer_id: id(61),
        offer_name: name("Digitalabo"),
        customer_id: id(40),
        payment_method: PaymentMethod::CreditCard,
        external_system_id: None,
        metadata: Metadata::default(),
        offer_metadata: Metadata::default(),
        cost_center: None,
        gross,
        seller_share_basis_points: BasisPoints(2_000),
        due: gross.after_share(BasisPoints(2_000)),
        differs_from_terms: false,
        paid: PaidState::Open,
        created_at: yesterday(),
        version: 1,
    }
}

#[test]
fn the_creditor_marks_a_row_paid_once() {
    let (source, target, stranger): (ClientId, ClientId, ClientId) = (id(11), id(12), id(13));
    for (payout_type, gross, creditor) in [
        (PayoutType::Payment, euro(1_000), source),
        (PayoutType::Payment, euro(0), source),
        (PayoutType::Refund, euro(-1_000), target),
        (PayoutType::Loss, euro(-1_000), target),
    ] {
        let open = payout(payout_type, gross);
        let paid = Payout {
            paid: PaidState::Paid {
                paid_at: yesterday(),
            },
            ..open.clone()
        };
        assert_eq!(open.creditor(), creditor, "{payout_type:?}");
        for by in [source, target, stranger] {
            if by == creditor {
                let marked = Payout {
                    paid: PaidState::Paid { paid_at: now() },
                    ..open.clone()
                };
                assert_eq!(open.clone().mark_paid(by, now()), Ok(Some(marked)));
                assert_eq!(
                    paid.clone().mark_paid(by, now()),
                    Ok(None),
                    "the first time counts"
                );
            } else {
                assert_eq!(
                    open.clone().mark_paid(by, now()),
                    Err(PayoutError::NotDueToCaller)
                );
                assert_eq!(
                    paid.clone().mark_paid(by, now()),
                    Err(PayoutError::NotDueToCaller)
                );
            }
        }
    }
}

#[test]
fn each_party_sees_the_other_as_partner() {
    let row = payout(PayoutType::Payment, euro(1));
    assert_eq!(
        (row.partner_of(id(11)), row.partner_of(id(12))),
        (id(12), id(11))
    );
}

#[test]
fn a_stored_paid_status_is_the_public_word() {
    for paid in [PaidState::Open, PaidState::Paid { paid_at: now() }] {
        assert_eq!(
            serde_json::json!(paid)["paidStatus"],
            paid.status().as_str()
        );
    }
}

fn lines(client: ClientId, rows: &[Payout]) -> Vec<StatementLine> {
    let mut statement = Statement::default();
    for row in rows {
        statement.add(client, &row.into());
    }
    statement.into_lines(rows).expect("the sums fit")
}

#[test]
fn sums_of_the_largest_rows_are_exact_or_refused() {
    let largest = payout(PayoutType::Payment, euro(MAX_EXACT_AMOUNT));
    let statement = |rows: usize| {
        let mut statement = Statement::default();
        (0..rows).for_each(|_| statement.add(id(11), &PayoutSum::from(&largest)));
        statement.into_lines(std::slice::from_ref(&largest))
    };
    let lines = statement(1_024).expect("the sums fit");
    assert_eq!(lines[0].gross, euro(1_024 * MAX_EXACT_AMOUNT));
    assert_eq!(statement(1_025), Err(StatementError::TooLarge));
}

#[test]
fn a_statement_sums_by_month_partner_role_and_currency() {
    let row = |gross: i64, currency: &str, created_at: &str| Payout {
        id: PayoutId::first_of(at(created_at)),
        created_at: at(created_at),
        ..payout(
            if gross < 0 {
                PayoutType::Refund
            } else {
                PayoutType::Payment
            },
            money(gross, currency),
        )
    };
    let turned = Payout {
        source_client_id: id(12),
        source_name: name("Tagblatt 12"),
        target_client_id: id(11),
        target_name: name("Tagblatt 11"),
        ..row(100, "EUR", "2026-07-01T00:00:00.001Z")
    };
    let rows = [
        row(1_000, "EUR", "2026-07-01T00:00:00Z"),
        row(-500, "EUR", "2026-07-31T23:59:59.999Z"),
        Payout {
            paid: PaidState::Paid { paid_at: now() },
            ..row(2_000, "EUR", "2026-07-02T00:00:00Z")
        },
        row(1_000, "EUR", "2026-08-01T00:00:00Z"),
        row(1_000, "CHF", "2026-07-01T00:00:00Z"),
        turned,
    ];
    let line = |month: &str, role, rows, gross, due, open| StatementLine {
        partner_client_id: id(12),
        partner_name: name("Tagblatt 12"),
        role,
        month: month.to_owned(),
        rows,
        gross,
        due,
        open,
    };
    let francs = |amount| money(amount, "CHF");
    let expected = [
        line("2026-07", Side::Target, 1, euro(100), euro(80), euro(80)),
        line(
            "2026-07",
            Side::Source,
            1,
            francs(1_000),
            francs(800),
            francs(800),
        ),
        line(
            "2026-07",
            Side::Source,
            3,
            euro(2_500),
            euro(2_000),
            euro(400),
        ),
        line(
            "2026-08",
            Side::Source,
            1,
            euro(1_000),
            euro(800),
            euro(800),
        ),
    ];
    assert_eq!(lines(id(11), &rows), expected);
}

#[test]
fn a_statement_has_the_months_of_its_zone() {
    let rows = [
        "2026-06-30T21:59:59Z",
        "2026-06-30T22:00:00Z",
        "2026-07-31T21:59:59Z",
    ]
    .map(|time| Payout {
        id: PayoutId::first_of(at(time)),
        created_at: at(time),
        ..payout(PayoutType::Payment, euro(100))
    });
    let mut statement = Statement::in_zone(zone("Europe/Berlin"));
    for row in &rows {
        statement.add(id(11), &row.into());
    }
    let lines = statement.into_lines(&rows).expect("the sums fit");
    let months: Vec<_> = lines
        .iter()
        .map(|line| (line.month.as_str(), line.rows))
        .collect();
    assert_eq!(months, [("2026-06", 1), ("2026-07", 2)]);
}

fn any_row() -> impl Strategy<Value = Payout> {
    let months = prop::sample::select(vec![
        "2026-06-30T23:59:59Z",
        "2026-07-01T00:00:00Z",
        "2027-07-15T12:00:00Z",
    ]);
    let currency = prop::sample::select(vec!["EUR", "CHF"]);
    let amounts = (-1_000_000_000_000..=1_000_000_000_000_i64, 0..=10_000_u16);
    (
        amounts,
        currency,
        months,
        20..23_u128,
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(
            |((amount, share), currency, month, partner, is_source, paid)| {
                let gross = money(amount, currency);
                let (source, target) = if is_source {
                    (11, partner)
                } else {
                    (partner, 11)
                };
                let created_at = month.parse::<Timestamp>().expect("a time");
                Payout {
                    id: PayoutId::first_of(created_at),
                    source_client_id: id(source),
                    target_client_id: id(target),
                    due: gross.after_share(BasisPoints(share)),
                    paid: if paid {
                        PaidState::Paid { paid_at: now() }
                    } else {
                        PaidState::Open
                    },
                    created_at,
                    ..payout(PayoutType::Payment, gross)
                }
            },
        )
}

/// The sums of rows or lines (count, gross, due, open) by the key of a line.
type Sums = BTreeMap<(String, String, bool, String), (u64, i64, i64, i64)>;

proptest! {
    #[test]
    fn a_statement_adds_up_to_its_rows(rows in prop::collection::vec(any_row(), 0..40)) {
        let client: ClientId = id(11);
        let mut expected = Sums::new();
        for row in &rows {
            let is_source = row.source_client_id == client;
            let partner = if is_source { row.target_client_id } else { row.source_client_id };
            let month = row.created_at.strftime("%Y-%m").to_string();
            let key = (month, partner.to_string(), is_source, row.gross.currency.to_string());
            let open = if row.paid == PaidState::Open { row.due.amount } else { 0 };
            let sums = expected.entry(key).or_default();
            *sums = (sums.0 + 1, sums.1 + row.gross.amount, sums.2 + row.due.amount, sums.3 + open);
        }
        let lines = lines(client, &rows);
        let mut found = Sums::new();
        for line in &lines {
            prop_assert_eq!((line.gross.currency, line.gross.currency), (line.due.currency, line.open.currency));
            let is_source = line.role == Side::Source;
            let key = (line.month.clone(), line.partner_client_id.to_string(), is_source, line.gross.currency.to_string());
            let sums = (line.rows, line.gross.amount, line.due.amount, line.open.amount);
            prop_assert!(found.insert(key, sums).is_none(), "each line once");
        }
        prop_assert_eq!(found, expected);
    }
}
