//! The statement and the CSV, with the rows and filters of the list.

use serde_json::json;
use tandem_api::paging::Paging;
use tandem_api::views::payout as view;
use tandem_api::{Answer, App, ClientCaller, Code, Problem, Request};
use tandem_domain::ids::ClientId;
use tandem_domain::payout::{Payout, Statement};

use crate::filter::Filter;

/// Rows per read.
const BATCH: usize = 1_000;
/// Most reads for one statement, including rows that its filter excludes. They take at most some 20 of the HTTP API's 30 s.
const MAX_READS: usize = 200;
/// Most rows in one part of the CSV.
const CSV_ROWS: usize = 10_000;
/// Bytes after which a part of the CSV ends. A Lambda answer has at most 6 MB and holds the CSV as a JSON string, which is at most
/// twice as long.
const CSV_BYTES: usize = 2_500_000;

/// Sums the rows by partner, role, month and currency.
pub(crate) async fn statement(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let mut query = request.query();
    let filter = Filter::read(&mut query);
    query.finish()?;
    let (mut statement, mut reads) = (Statement::default(), 0);
    for collection in filter.collections(caller.id) {
        let mut after = None::<String>;
        loop {
            let keep = |row: &Payout| filter.keeps(caller.id, row);
            let page = app
                .store
                .page(&collection, after.as_deref(), BATCH, keep)
                .await?;
            reads += 1;
            page.items
                .iter()
                .for_each(|row| statement.add(caller.id, row));
            match page.next {
                None => break,
                Some(_) if reads >= MAX_READS => {
                    let detail = format!(
                        "the filter matches more than {} rows; limit the time by from and before",
                        MAX_READS * BATCH
                    );
                    return Err(Problem::new(Code::InvalidQuery, detail));
                }
                next => after = next,
            }
        }
    }
    let lines = statement
        .into_lines()
        .map_err(|error| Problem::new(Code::InvalidQuery, error.to_string()))?;
    Ok(Answer::ok(json!({"lines": lines})))
}

/// The rows as CSV. A longer list is split into parts; the `Link` header names the next one.
pub(crate) async fn export(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let mut query = request.query();
    let filter = Filter::read(&mut query);
    let filters = query.encoded_filters();
    let paging = Paging::read_up_to(app, request, query, CSV_ROWS, CSV_ROWS)?;
    let keep = |row: &Payout| filter.keeps(caller.id, row);
    let page = app
        .store
        .merged_page(
            &filter.collections(caller.id),
            paging.after.as_deref(),
            paging.limit,
            keep,
        )
        .await?;
    let (text, cut) = lines(&page.items, caller.id, CSV_BYTES);
    let link = cut.or(page.next).map(|position| {
        let cursor = paging.cursor(app, &position);
        format!(
            "</v1/payouts/export?{filters}limit={}&cursor={cursor}>; rel=\"next\"",
            paging.limit
        )
    });
    Ok(Answer::csv(text, link))
}

/// The CSV of as many rows as fit, at least one, and the position of the last one if rows remain.
fn lines(rows: &[Payout], caller: ClientId, bytes: usize) -> (String, Option<String>) {
    let mut text = view::csv_header();
    for (written, row) in rows.iter().enumerate() {
        if written > 0 && text.len() > bytes {
            return (text, Some(rows[written - 1].id.to_string()));
        }
        text.push_str(&view::csv_line(row, caller));
    }
    (text, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: u8) -> Payout {
        let id = |prefix: &str| format!("{prefix}_0190b8f5c6f77c3ab0a1c2d3e4f506{number:02}");
        let euro = json!({"amount": 1_000, "currency": "EUR"});
        let row = json!({
            "id": id("pay"), "type": "PAYMENT", "paidStatus": "OPEN", "version": 1, "createdAt": "2026-07-01T12:00:00Z",
            "sourceClientId": id("cli"), "sourceName": "Bergwelt", "targetClientId": id("cli"), "targetName": "Stadtblick",
            "orderId": id("ord"), "subscriptionId": id("sub"), "periodNumber": 1, "offerId": id("off"), "offerName": "Digital",
            "customerId": id("cus"), "paymentMethod": "TWINT", "gross": euro, "sellerShareBasisPoints": 0, "due": euro,
        });
        serde_json::from_value(row).expect("a row")
    }

    #[test]
    fn a_full_part_ends_with_the_position_of_its_last_row() {
        let rows = [row(1), row(2), row(3)];
        let parts = |bytes| {
            let (text, cut) = lines(&rows, rows[0].source_client_id, bytes);
            (text.lines().count() - 1, cut)
        };
        assert_eq!(parts(usize::MAX), (3, None));
        assert_eq!(
            parts(view::csv_header().len() + 1),
            (1, Some(rows[0].id.to_string()))
        );
        assert_eq!(parts(0), (1, Some(rows[0].id.to_string())));
    }
}
