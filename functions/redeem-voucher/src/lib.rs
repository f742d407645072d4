//! Redeems a voucher: a source client links the sold subscription to a customer of its own contracting company.
//!
//! The subscription is found by the hash of the caller and the code. So an unknown code, another client's code and a void code take
//! the same path, in the same time, to the same answer: each is recorded as a wrong guess.

use std::sync::atomic::{AtomicBool, Ordering};

use futures::future;
use jiff::SignedDuration;
use tandem_api::idempotency::idempotent;
use tandem_api::views::subscription as view;
use tandem_api::{Answer, App, ClientCaller, Code, Decision, IdempotencyKey, Problem, Request};
use tandem_domain::Timestamp;
use tandem_domain::input::FieldErrors;
use tandem_domain::voucher::{RedeemError, RedeemRequest, Redemption};
use tandem_domain::voucher_guesses::{PER_DAY, PER_MINUTE, VoucherGuesses};
use tandem_runtime::metrics::{self, Metric};
use tandem_runtime::random_ids::hash_of;
use tandem_store::{Transaction, keys};

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
    let is_first = AtomicBool::new(false);
    let answer = idempotent(app, &IdempotencyKey::of(request, &body)?, || {
        decide(app, caller, &asked, &is_first)
    })
    .await?;
    if is_first.into_inner() && !answer.repeated {
        metrics::count(&[(Metric::VouchersRedeemed, 1)], app.now());
    }
    Ok(answer)
}

async fn decide(
    app: &App,
    caller: ClientCaller,
    asked: &RedeemRequest,
    is_first: &AtomicBool,
) -> Result<Decision, Problem> {
    let now = app.now();
    let customer_key = keys::customer(caller.company_id, asked.customer_id);
    let hash = hash_of(caller.id, &asked.code);
    let ((customer, guesses), sold) = future::try_join(
        app.store.load((&customer_key, keys::guesses(caller.id))),
        app.store.sold_with_voucher(caller.id, &hash),
    )
    .await?;
    if let Some(wait) = guesses.as_ref().and_then(|guesses| guesses.wait(now)) {
        return Err(too_many(wait));
    }
    if customer.is_none() {
        let detail = "the customer does not exist; create it first";
        return Err(FieldErrors::at("customerId", "not_found", detail).into());
    }
    let redemption = match sold.map(|row| row.redeem(asked.customer_id, now)) {
        None | Some(Err(RedeemError::NotFound)) => return wrong_guess(caller, guesses, now),
        Some(redemption) => redemption?,
    };
    // A decision that lost a race is decided again.
    is_first.store(
        matches!(redemption, Redemption::First(_)),
        Ordering::Relaxed,
    );
    match redemption {
        Redemption::Repeated(row) => Ok(Decision::answered(Answer::ok(view::subscription(
            &row, now,
        )))),
        Redemption::First(row) => {
            let mut transaction = Transaction::default();
            transaction.replace(&row)?;
            transaction.require(&customer_key);
            Ok(Decision::Commit(
                transaction,
                Answer::ok(view::subscription(&row, now)),
            ))
        }
    }
}

fn wrong_guess(
    caller: ClientCaller,
    guesses: Option<VoucherGuesses>,
    now: Timestamp,
) -> Result<Decision, Problem> {
    let mut transaction = Transaction::default();
    match guesses {
        None => transaction.create(&VoucherGuesses::first(caller.id, now))?,
        Some(guesses) => transaction.replace(&guesses.count(now))?,
    }
    Ok(Decision::Refuse(transaction, RedeemError::NotFound.into()))
}

fn too_many(wait: SignedDuration) -> Problem {
    Problem::wait(
        Code::TooManyGuesses,
        format!("at most {PER_MINUTE} wrong codes a minute and {PER_DAY} a day"),
        wait,
    )
}
