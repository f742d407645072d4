//! Redeeming a voucher: a source client links the sold subscription to a customer of its own contracting company.
//!
//! The voucher is looked up under the caller and the code's hash, so an unknown code and another client's take the same way
//! and the same time to the same answer.

use tandem_api::once::once;
use tandem_api::views::subscription as view;
use tandem_api::{Answer, App, ClientCaller, Code, Once, Problem, Request, Step};
use tandem_domain::input::FieldErrors;
use tandem_domain::voucher::{RedeemRequest, Redemption};
use tandem_store::{Transaction, keys};

/// Answers a request.
///
/// # Errors
/// See docs/errors.md.
pub async fn handle(app: App, request: Request) -> Result<Answer, Problem> {
    let caller = request.caller.client()?;
    match request.route.as_str() {
        "POST /v1/subscriptions/useCrossClientVoucher" => redeem(&app, &request, caller).await,
        _ => Err(Problem::missing(Code::RouteNotFound)),
    }
}

async fn redeem(app: &App, request: &Request, caller: ClientCaller) -> Result<Answer, Problem> {
    let body = request.json()?;
    let asked = RedeemRequest::parse(&body)?;
    once(app, &Once::of(request, &body)?, || decide(app, caller, &asked)).await
}

async fn decide(app: &App, caller: ClientCaller, asked: &RedeemRequest) -> Result<Step, Problem> {
    let voucher_key = keys::voucher(caller.id, &tandem_runtime::entropy::hash_of(&asked.code));
    let customer_key = keys::customer(caller.company_id, asked.customer_id);
    let loaded = app.store.batch([voucher_key.raw().clone(), customer_key.raw().clone()]).await?;
    if loaded.get(&customer_key)?.is_none() {
        return Err(FieldErrors::at("customerId", "not_found", "there is no such customer; create it first").into());
    }
    let missing = || Problem::missing(Code::VoucherNotFound);
    let voucher = loaded.get(&voucher_key)?.ok_or_else(missing)?;
    let subscription_key = keys::subscription(caller.id, voucher.subscription_id);
    let redemption = voucher.redeem(asked.customer_id, app.now())?;
    let row = app.store.get(&subscription_key).await?.ok_or_else(missing)?;
    match redemption {
        Redemption::Again => Ok(Step::answered(Answer::ok(view::subscription(&row)))),
        Redemption::First(voucher) => {
            let row = row.linked_to(asked.customer_id, app.now());
            let mut transaction = Transaction::default();
            transaction.replace(&voucher)?;
            transaction.replace(&row)?;
            transaction.require(&customer_key);
            Ok(Step::Commit(transaction, Answer::ok(view::subscription(&row))))
        }
    }
}
