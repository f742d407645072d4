//! Turns announcements and moves of the domain into rows of the transaction.

use tandem_domain::IdSource;
use tandem_domain::after_sale::SubscriptionChange;
use tandem_domain::callback::{Announcement, Callback, Concerned};
use tandem_domain::ids::CompanyId;
use tandem_domain::paid_period::PaidPeriod;
use tandem_domain::subscription::Subscription;
use tandem_sealing::Sealer;
use tandem_store::{StoreError, Transaction, keys};

use crate::app::App;

/// Makes the callback of an announcement that names no customer. Its body is sealed under the callback's id.
pub fn seal(app: &App, ids: &mut dyn IdSource, announcement: Announcement) -> Callback {
    tandem_runtime::callback_body::seal(&app.sealer, ids, None, announcement, app.now())
}

/// Makes the callback of a sale. The part that describes the customer is sealed under the customer's own key.
pub fn seal_sale(
    app: &App,
    ids: &mut dyn IdSource,
    announcement: Announcement,
    customer: (Concerned, &Sealer),
) -> Callback {
    tandem_runtime::callback_body::seal_personal(
        &app.sealer,
        ids,
        announcement,
        customer,
        app.now(),
    )
}

/// Loads the source's row of a seller's subscription, if the subscription is cross-client, and the row of a paid period, if it
/// has one; in one call.
pub async fn source_and_period(
    app: &App,
    seller: &Subscription,
    number: Option<u32>,
) -> Result<(Option<Subscription>, Option<PaidPeriod>), StoreError> {
    let source = seller.cross_client.as_ref();
    let source = source.map(|link| keys::subscription(link.source_client_id, seller.id));
    let period = number.map(|number| keys::paid_period(seller.client_id, seller.id, number));
    match (source, period) {
        (Some(source), Some(period)) => app.store.load((source, period)).await,
        (Some(source), None) => Ok((app.store.get(&source).await?, None)),
        (None, Some(period)) => Ok((None, app.store.get(&period).await?)),
        (None, None) => Ok((None, None)),
    }
}

/// Adds all rows of a move to a transaction. `company` is the seller's: the callback concerns its customer.
pub fn write_moved(
    app: &App,
    ids: &mut dyn IdSource,
    transaction: &mut Transaction,
    company: CompanyId,
    moved: SubscriptionChange,
) -> Result<(), StoreError> {
    let concerned = moved.rows.seller.customer_id.map(|customer_id| Concerned {
        company_id: company,
        customer_id,
    });
    transaction.replace(&moved.rows.seller)?;
    if let Some(source) = &moved.rows.source {
        transaction.replace(source)?;
    }
    match &moved.period {
        Some(period) if period.version == 0 => transaction.create(period)?,
        Some(period) => transaction.replace(period)?,
        None => {}
    }
    if let Some(payout) = &moved.payout {
        transaction.create(payout)?;
    }
    if let Some(announcement) = moved.announcement {
        // The callback holds no personal data, but the receiver's answer might.
        let (sealer, now) = (&app.sealer, app.now());
        transaction.create(&tandem_runtime::callback_body::seal(
            sealer,
            ids,
            concerned,
            announcement,
            now,
        ))?;
    }
    Ok(())
}
