//! The statement and the CSV, with the rows and filters of the list.

use serde_json::json;
use tandem_api::paging::Paging;
use tandem_api::views::payout as view;
use tandem_api::{Answer, App, ClientCaller, Code, Problem, Request};
use tandem_domain::ids::ClientId;
use tandem_domain::payout::{Payout, PayoutSum, Statement};
use tandem_store::{StoreError, keys};

use crate::filter::{Filter, zone_of};

/// Most rows of a list that a statement sums: a month of 100,000 payments a day, and some.
const MAX_SUMMED: usize = 4_000_000;
/// Rows per read of a statement about an order or a subscription, and the most reads.
const BATCH: usize = 1_000;
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
    let zone = zone_of(app, caller).await?;
    let filter = filter.in_zone(&zone);
    let mut statement = Statement::in_zone(zone);
    let is_whole = if filter.names_a_sale() {
        add_rows(app, caller.id, &filter, &mut statement).await?
    } else {
        add_sums(app, caller.id, &filter, &mut statement).await?
    };
    if !is_whole {
        let detail = "the filter matches too many rows; limit the time by from and before";
        return Err(Problem::new(Code::InvalidQuery, detail));
    }
    let keys = statement.newest().into_iter().map(keys::payout);
    let keys: Vec<_> = keys.collect();
    let mut newest = app.store.load_all(keys.clone()).await?;
    let newest: Vec<_> = keys.iter().filter_map(|key| newest.remove(key)).collect();
    let zone = statement.zone().clone();
    let lines = statement
        .into_lines(&newest)
        .map_err(|error| Problem::new(Code::InvalidQuery, error.to_string()))?;
    Ok(Answer::ok(json!({"timeZone": zone, "lines": lines})))
}

/// Adds the amounts of all rows. Returns false if the rows are too many.
async fn add_sums(
    app: &App,
    caller: ClientId,
    filter: &Filter,
    statement: &mut Statement,
) -> Result<bool, StoreError> {
    for list in filter.collections(caller) {
        let add = |row: &PayoutSum| {
            if filter.sums(caller, row) {
                statement.add(caller, row);
            }
        };
        if !app
            .store
            .sum_payouts(caller, &list, MAX_SUMMED, add)
            .await?
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Adds the rows of an order or a subscription. Returns false if the lists are too long to search.
async fn add_rows(
    app: &App,
    caller: ClientId,
    filter: &Filter,
    statement: &mut Statement,
) -> Result<bool, StoreError> {
    let mut reads = 0;
    for list in filter.collections(caller) {
        let mut after = None::<String>;
        loop {
            let keep = |row: &Payout| filter.keeps(caller, row);
            let page = app.store.page(&list, after.as_deref(), BATCH, keep).await?;
            reads += 1;
            for row in &page.items {
                statement.add(caller, &row.into());
            }
            match page.next {
                None => break,
                Some(_) if reads >= MAX_READS => return Ok(false),
                next => after = next,
            }
        }
    }
    Ok(true)
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
    let filter = filter.with_times(app, caller).await?;
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
