//! The statement and the CSV: the same rows as the list, with the same conditions.

use serde_json::json;
use tandem_api::paging::Paging;
use tandem_api::views::payout as view;
use tandem_api::{Answer, App, ClientCaller, Code, Problem, Request};
use tandem_domain::payout::{Payout, Statement};

use crate::filter::Filter;

/// Rows read at once.
const BATCH: usize = 1_000;
/// Most rows of one statement: some ten seconds of reading, a third of what the HTTP API waits.
const MOST_ROWS: u64 = 200_000;
/// Rows of one part of the CSV: about 4 MB, below the 6 MB of a Lambda answer.
const CSV_ROWS: usize = 10_000;

/// Sums by partner, role, month and currency.
pub(crate) async fn statement(app: &App, request: &Request, caller: ClientCaller) -> Result<Answer, Problem> {
    let mut query = request.query();
    let filter = Filter::read(&mut query);
    query.finish()?;
    let mut statement = Statement::default();
    for collection in filter.collections(caller.id) {
        let (mut after, mut rows) = (None::<String>, 0);
        loop {
            let keep = |row: &Payout| filter.keeps(caller.id, row);
            let page = app.store.page(&collection, after.as_deref(), BATCH, keep).await?;
            rows += page.items.len() as u64;
            page.items.iter().for_each(|row| statement.add(caller.id, row));
            match page.next {
                None => break,
                Some(_) if rows >= MOST_ROWS => {
                    let detail = format!("more than {MOST_ROWS} rows; ask for a shorter time with from and before");
                    return Err(Problem::new(Code::InvalidQuery, detail));
                }
                next => after = next,
            }
        }
    }
    Ok(Answer::ok(json!({"lines": statement.into_lines()})))
}

/// The rows as CSV; a longer list comes in parts, the next one named by the `Link` header.
pub(crate) async fn export(app: &App, request: &Request, caller: ClientCaller) -> Result<Answer, Problem> {
    let mut query = request.query();
    let filter = Filter::read(&mut query);
    let fixed = query.pairs();
    let paging = Paging::read_up_to(app, request, query, CSV_ROWS, CSV_ROWS)?;
    let keep = |row: &Payout| filter.keeps(caller.id, row);
    let page = app.store.merged_page(&filter.collections(caller.id), paging.after.as_deref(), paging.limit, keep).await?;
    let mut text = view::CSV_HEADER.to_owned();
    page.items.iter().for_each(|row| text.push_str(&view::csv_line(row, caller.id)));
    let link = page.next.map(|position| {
        let cursor = paging.cursor(app, &position);
        format!("</v1/payouts/export?{fixed}limit={}&cursor={cursor}>; rel=\"next\"", paging.limit)
    });
    Ok(Answer::csv(text, link))
}
