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
use crate::client_events::EventEndpoints;

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

/// The rows beside a seller's subscription that a change needs.
#[derive(Debug, Default)]
pub struct Beside {
    /// The source's row, if the subscription is cross-client.
    pub source: Option<Subscription>,
    /// The row of the named paid period, if it has one.
    pub period: Option<PaidPeriod>,
    /// Of the seller, and of a source within its contracting company.
    pub endpoints: EventEndpoints,
}

impl Beside {
    /// Loads all of them in one call.
    pub async fn load(
        app: &App,
        seller: &Subscription,
        number: Option<u32>,
    ) -> Result<Self, StoreError> {
        let link = seller.cross_client.as_ref();
        let source = link.map(|link| keys::subscription(link.source_client_id, seller.id));
        let period = number.map(|number| keys::paid_period(seller.client_id, seller.id, number));
        let of_seller = keys::event_endpoint(seller.client_id);
        let of_source = link
            .filter(|link| !link.between_companies)
            .map(|link| keys::event_endpoint(link.source_client_id));
        let (source, period, of_seller, of_source) = app
            .store
            .load((source, period, of_seller, of_source))
            .await?;
        let mut endpoints = EventEndpoints::default();
        endpoints.insert(of_seller);
        endpoints.insert(of_source);
        Ok(Self {
            source,
            period,
            endpoints,
        })
    }
}

/// The customer of a seller's subscription, whose key seals the receivers' answers. `company` is the seller's.
pub fn concerned(seller: &Subscription, company: CompanyId) -> Option<Concerned> {
    seller.customer_id.map(|customer_id| Concerned {
        company_id: company,
        customer_id,
    })
}

/// Adds all rows of a move to a transaction, but those of its own events. `company` is the seller's: the callback concerns its customer.
pub fn write_moved(
    app: &App,
    ids: &mut dyn IdSource,
    transaction: &mut Transaction,
    company: CompanyId,
    moved: SubscriptionChange,
) -> Result<(), StoreError> {
    let concerned = concerned(&moved.rows.seller, company);
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
