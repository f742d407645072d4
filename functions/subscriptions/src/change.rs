//! The changes that the seller reports.

use tandem_api::announce::{Beside, concerned, write_moved};
use tandem_api::client_events::EventEndpoints;
use tandem_api::idempotency::idempotent;
use tandem_api::views::subscription as view;
use tandem_api::{Answer, App, ClientCaller, Code, Decision, IdempotencyKey, Problem, Request};
use tandem_domain::after_sale::{
    CancelRequest, PaymentRequest, ReverseRequest, Rows, SubscriptionChange,
};
use tandem_domain::paid_period::{PaidPeriod, PeriodNumber};
use tandem_domain::subscription::Role;
use tandem_store::Transaction;

/// Records that the next period was paid, or that a reversed one was paid again.
pub(crate) async fn pay(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let body = request.json_or_empty()?;
    let payment = PaymentRequest::parse(&body)?;
    let number = payment.period_number();
    // Without a key and a period number, a repeated request would pay twice.
    let key = if number.is_some() {
        IdempotencyKey::of(request, &body)?
    } else {
        IdempotencyKey::or_alternative(request, &body, "or name the periodNumber in the body")?
    };
    idempotent(app, &key, || async {
        let (rows, period, endpoints) = load_rows(app, request, caller, number).await?;
        if rows.pays_again(&payment, period.as_ref()) {
            // A late repetition of the first payment names the same period.
            key.refuse_absence()?;
        }
        let moved = rows.renew(&payment, period, app.now(), &mut app.ids())?;
        write(app, caller, &endpoints, moved)
    })
    .await
}

/// Records that money of a paid period went back.
pub(crate) async fn reverse(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let body = request.json()?;
    let asked = ReverseRequest::parse(&body)?;
    let key = IdempotencyKey::required(request, &body)?;
    let number: PeriodNumber = request.id_in_path("periodNumber", Code::PeriodNotFound)?;
    idempotent(app, &key, || async {
        let (rows, period, endpoints) = load_rows(app, request, caller, Some(number.0)).await?;
        let moved = rows.reverse(&asked, number.0, period, app.now(), &mut app.ids())?;
        write(app, caller, &endpoints, moved)
    })
    .await
}

/// Ends the subscription at a date, or moves its end.
pub(crate) async fn cancel(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let body = request.json_or_empty()?;
    let asked = CancelRequest::parse(&body)?;
    idempotent(app, &IdempotencyKey::of(request, &body)?, || async {
        let (rows, _, endpoints) = load_rows(app, request, caller, None).await?;
        match rows.clone().cancel(&asked, app.now())? {
            Some(moved) => write(app, caller, &endpoints, moved),
            None => Ok(Decision::answered(Answer::ok(view::subscription(
                &rows.seller,
                app.now(),
            )))),
        }
    })
    .await
}

/// Takes back a cancellation that has not taken effect.
pub(crate) async fn undo_cancellation(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let body = request.empty_body()?;
    idempotent(app, &IdempotencyKey::of(request, &body)?, || async {
        let (rows, _, endpoints) = load_rows(app, request, caller, None).await?;
        write(app, caller, &endpoints, rows.undo_cancellation(app.now())?)
    })
    .await
}

/// Loads both rows, the row of a period that may have been paid, and the event endpoints.
async fn load_rows(
    app: &App,
    request: &Request,
    caller: ClientCaller,
    number: Option<u32>,
) -> Result<(Rows, Option<PaidPeriod>, EventEndpoints), Problem> {
    let seller = super::load(app, request, caller).await?;
    // A request of the source is rejected, so further rows are loaded for the seller only.
    let beside = if seller.role == Role::Source {
        Beside::default()
    } else {
        let paid = number.filter(|number| *number <= seller.periods_paid);
        Beside::load(app, &seller, paid).await?
    };
    let source = beside.source;
    Ok((Rows { seller, source }, beside.period, beside.endpoints))
}

fn write(
    app: &App,
    caller: ClientCaller,
    endpoints: &EventEndpoints,
    mut moved: SubscriptionChange,
) -> Result<Decision, Problem> {
    let seller = &moved.rows.seller;
    let answer = Answer::ok(view::subscription(seller, app.now()));
    let (mut transaction, mut ids) = (Transaction::default(), app.ids());
    let concerned = concerned(seller, caller.company_id);
    let events = std::mem::take(&mut moved.events);
    write_moved(app, &mut ids, &mut transaction, caller.company_id, moved)?;
    endpoints.announce(app, &mut ids, &mut transaction, concerned, events)?;
    Ok(Decision::Commit(transaction, answer))
}
