//! The payout list: the amounts that the caller owes and is owed, as rows, as a statement and as CSV.

mod filter;
mod sums;

use tandem_api::idempotency::idempotent;
use tandem_api::paging::Paging;
use tandem_api::views::payout as view;
use tandem_api::{Answer, App, ClientCaller, Code, Decision, IdempotencyKey, Problem, Request};
use tandem_domain::ids::PayoutId;
use tandem_domain::payout::Payout;
use tandem_store::Transaction;

use filter::Filter;

pub async fn handle(app: App, request: Request) -> Result<Answer, Problem> {
    let caller = request.caller.client()?;
    match request.route.as_str() {
        "GET /v1/payouts" => list(&app, &request, caller).await,
        "GET /v1/payouts/{payoutId}" => read(&app, &request, caller).await,
        "POST /v1/payouts/{payoutId}/mark-paid" => mark_paid(&app, &request, caller).await,
        "GET /v1/payouts/statement" => sums::statement(&app, &request, caller).await,
        "GET /v1/payouts/export" => sums::export(&app, &request, caller).await,
        _ => Err(Problem::missing(Code::RouteNotFound)),
    }
}

async fn list(app: &App, request: &Request, caller: ClientCaller) -> Result<Answer, Problem> {
    let mut query = request.query();
    let filter = Filter::read(&mut query);
    let paging = Paging::read(app, request, query)?;
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
    Ok(paging.answer(app, page, |row| view::payout(&row, caller.id)))
}

async fn read(app: &App, request: &Request, caller: ClientCaller) -> Result<Answer, Problem> {
    Ok(Answer::ok(view::payout(
        &load(app, request, caller).await?,
        caller.id,
    )))
}

async fn mark_paid(app: &App, request: &Request, caller: ClientCaller) -> Result<Answer, Problem> {
    let body = request.empty_body()?;
    idempotent(app, &IdempotencyKey::of(request, &body)?, || async {
        let row = load(app, request, caller).await?;
        let Some(paid) = row.clone().mark_paid(caller.id, app.now())? else {
            return Ok(Decision::answered(Answer::ok(view::payout(
                &row, caller.id,
            ))));
        };
        let mut transaction = Transaction::default();
        transaction.replace(&paid)?;
        Ok(Decision::Commit(
            transaction,
            Answer::ok(view::payout(&paid, caller.id)),
        ))
    })
    .await
}

async fn load(app: &App, request: &Request, caller: ClientCaller) -> Result<Payout, Problem> {
    let id: PayoutId = request.id_in_path("payoutId", Code::PayoutNotFound)?;
    app.store
        .payout_of(caller.id, id)
        .await?
        .ok_or_else(|| Problem::missing(Code::PayoutNotFound))
}
