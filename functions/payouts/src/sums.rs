//! The statement and the CSV: the same rows as the list, with the same conditions.

use serde_json::json;
use tandem_api::paging::Paging;
use tandem_api::views::payout as view;
use tandem_api::{Answer, App, ClientCaller, Code, Problem, Request};
use tandem_domain::ids::ClientId;
use tandem_domain::payout::{Payout, Statement};

use crate::filter::Filter;

/// Rows read at once.
const BATCH: usize = 1_000;
/// Most reads for one statement, also of what its filter leaves out: at worst some twenty of the 30 s that the HTTP API waits.
const MOST_READS: usize = 200;
/// Most rows of one part of the CSV.
const CSV_ROWS: usize = 10_000;
/// Octets after which a part of the CSV ends. In a Lambda answer, which has at most 6 MB, it stands as a JSON string, at worst
/// twice as long.
const CSV_OCTETS: usize = 2_500_000;

/// Sums by partner, role, month and currency.
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
                Some(_) if reads >= MOST_READS => {
                    let detail = format!(
                        "more than {} rows to look through; bound the time by from and before",
                        MOST_READS * BATCH
                    );
                    return Err(Problem::new(Code::InvalidQuery, detail));
                }
                next => after = next,
            }
        }
    }
    Ok(Answer::ok(json!({"lines": statement.into_lines()})))
}

/// The rows as CSV; a longer list comes in parts, the next one named by the `Link` header.
pub(crate) async fn export(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let mut query = request.query();
    let filter = Filter::read(&mut query);
    let fixed = query.encoded_filters();
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
    let (text, cut) = lines(&page.items, caller.id, CSV_OCTETS);
    let link = cut.or(page.next).map(|position| {
        let cursor = paging.cursor(app, &position);
        format!(
            "</v1/payouts/export?{fixed}limit={}&cursor={cursor}>; rel=\"next\"",
            paging.limit
        )
    });
    Ok(Answer::csv(text, link))
}

/// The CSV of as many rows as fit, at least one; and the position of the last one, if rows are left over.
fn lines(rows: &[Payout], caller: ClientId, octets: usize) -> (String, Option<String>) {
    let mut text = view::CSV_HEADER.to_owned();
    for (written, row) in rows.iter().enumerate() {
        if written > 0 && text.len() > octets {
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
    fn a_part_that_is_full_ends_and_tells_where_the_next_one_goes_on() {
        let rows = [row(1), row(2), row(3)];
        let parts = |octets| {
            let (text, cut) = lines(&rows, rows[0].source_client_id, octets);
            (text.lines().count() - 1, cut)
        };
        assert_eq!(parts(usize::MAX), (3, None));
        assert_eq!(
            parts(view::CSV_HEADER.len() + 1),
            (1, Some(rows[0].id.to_string()))
        );
        assert_eq!(parts(0), (1, Some(rows[0].id.to_string())));
    }
}
