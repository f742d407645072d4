//! Erasing a customer: the row with the person's key, the guards of what was unique, and the record that remains, in one
//! transaction. Nothing else is to be found and rewritten: what callbacks tell of the person, what receivers answered and the
//! answers kept for `Idempotency-Key` are sealed under that key.
//!
//! Not guaranteed: that a sale of the last moments hinders the erasure. Subscriptions are found by an index, which follows the
//! table after some milliseconds; such a sale stands, with the customer's id.

use serde_json::json;
use tandem_api::idempotency::idempotent;
use tandem_api::views::erasure as view;
use tandem_api::{Answer, App, ClientCaller, Decision, IdempotencyKey, Problem, Request};
use tandem_domain::customer::Customer;
use tandem_domain::ids::ClientId;
use tandem_domain::subscription::Subscription;
use tandem_store::{Entity, StoreError, Transaction, keys};

use crate::{guards, load};

/// The most subscriptions of one client that a refusal names.
const MOST_NAMED: usize = 20;
/// Clients of a company that are read at once.
const CLIENTS: usize = 100;

/// Erases; who asks again is told that there is no such customer.
pub(crate) async fn erase(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    idempotent(app, &IdempotencyKey::of(request, &json!({}))?, || async {
        let customer = load(app, request, caller).await?;
        let erasure = customer.erase(caller.id, &running(app, &customer).await?, app.now())?;
        let mut transaction = Transaction::default();
        transaction.remove(&customer);
        for guard in guards::of(&customer) {
            transaction.delete(&guard.key());
        }
        transaction.create(&erasure)?;
        Ok(Decision::Commit(
            transaction,
            Answer::ok(view::erasure(&erasure)),
        ))
    })
    .await
}

/// The customer's subscriptions that run, of all clients of the contracting company.
async fn running(app: &App, customer: &Customer) -> Result<Vec<Subscription>, StoreError> {
    let (mut running, mut after) = (Vec::new(), None);
    loop {
        let clients = app
            .store
            .page(
                &keys::clients_of(customer.company_id),
                after.as_deref(),
                CLIENTS,
                |_| true,
            )
            .await?;
        for client in &clients.items {
            running.extend(running_at(app, client.id, customer).await?);
        }
        after = clients.next;
        if after.is_none() {
            return Ok(running);
        }
    }
}

async fn running_at(
    app: &App,
    client: ClientId,
    customer: &Customer,
) -> Result<Vec<Subscription>, StoreError> {
    let (now, rows, mut after) = (
        app.now(),
        keys::subscriptions_for(client, customer.id),
        None,
    );
    loop {
        let page = app
            .store
            .page(&rows, after.as_deref(), MOST_NAMED, |row: &Subscription| {
                row.is_running(now)
            })
            .await?;
        if page.next.is_none() || !page.items.is_empty() {
            return Ok(page.items);
        }
        after = page.next;
    }
}
