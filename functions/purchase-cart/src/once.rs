//! The rows of offers that are sold once to a customer.
//!
//! A purchase writes such a row as a new one, without reading it: the first purchase of a customer takes no more round trips. If
//! the row exists, the commit fails, and the next decision reads it with the subscription that it names.

use tandem_api::App;
use tandem_domain::purchase::{Once, Sale};
use tandem_domain::subscription::Subscription;
use tandem_store::{Entity as _, StoreError, Transaction, keys};

/// The rows of earlier purchases, with the subscriptions that they name.
pub(crate) async fn held(
    app: &App,
    sale: &Sale,
) -> Result<Vec<(Once, Option<Subscription>)>, StoreError> {
    let keys: Vec<_> = sale.once.iter().map(|(_, row)| row.key()).collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let mut rows = app.store.load_all(keys.clone()).await?;
    let rows: Vec<Once> = keys.iter().filter_map(|key| rows.remove(key)).collect();
    let named = |row: &Once| keys::subscription(row.client_id, row.subscription_id);
    let mut subscriptions = app.store.load_all(rows.iter().map(named)).await?;
    let with_subscription = |row: Once| {
        let subscription = subscriptions.remove(&named(&row));
        (row, subscription)
    };
    Ok(rows.into_iter().map(with_subscription).collect())
}

pub(crate) fn add(
    transaction: &mut Transaction,
    rows: &[Once],
    held: &[(Once, Option<Subscription>)],
) -> Result<(), StoreError> {
    for row in rows {
        if held.iter().any(|(held, _)| held.offer_id == row.offer_id) {
            transaction.replace(row)?;
        } else {
            transaction.create(row)?;
        }
    }
    Ok(())
}
