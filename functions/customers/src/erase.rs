//! Erases a customer. One transaction deletes the row with the customer's key and the guards, and writes the record that remains.
//! No other row needs a change: the personal parts of callbacks, the answers of receivers and the stored answers of repeated
//! requests are sealed under the deleted key.
//!
//! Not guaranteed: that a sale a moment before prevents the erasure. The check reads an index, which follows the table by some
//! milliseconds. Such a sale remains, with the customer's id.

use serde_json::json;
use tandem_api::idempotency::idempotent;
use tandem_api::views::erasure as view;
use tandem_api::{Answer, App, ClientCaller, Decision, IdempotencyKey, Problem, Request};
use tandem_domain::customer::Customer;
use tandem_domain::ids::ClientId;
use tandem_domain::subscription::Subscription;
use tandem_store::{Entity, StoreError, Transaction, keys};

use crate::{guards, load};

/// Most subscriptions of one client that a rejection names.
const MAX_NAMED: usize = 20;
/// Clients of a company per page.
const CLIENTS_PER_PAGE: usize = 100;

/// Erases the customer. A second erasure gets 404.
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
        for guard in guards::held(app, &customer).await? {
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

/// The customer's running subscriptions, of all clients of the contracting company.
async fn running(app: &App, customer: &Customer) -> Result<Vec<Subscription>, StoreError> {
    let (mut running, mut after) = (Vec::new(), None);
    loop {
        let clients = app
            .store
            .page(
                &keys::clients_of(customer.company_id),
                after.as_deref(),
                CLIENTS_PER_PAGE,
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
            .merged_page(&rows, after.as_deref(), MAX_NAMED, |row: &Subscription| {
                row.is_running(now)
            })
            .await?;
        if page.next.is_none() || !page.items.is_empty() {
            return Ok(page.items);
        }
        after = page.next;
    }
}
