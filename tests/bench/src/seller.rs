//! Sales with callbacks to deliver, copied from a purchase by the real handlers.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tandem_domain::Timestamp;
use tandem_domain::callback::{Announcement, Callback, Concerned};
use tandem_domain::ids::{CallbackId, ClientId};
use tandem_runtime::{RandomIds, callback_body};
use tandem_sealing::Sealer;
use tandem_store::keys;
use tandem_tests::{InProcess, Pair};

use crate::receivers::Receivers;

/// A client that sells another client's offer. Each sale makes a callback to the other client.
pub struct Seller {
    announcement: Announcement,
    concerned: Concerned,
    personal: Sealer,
    pair: Pair,
}

impl Seller {
    /// One seller for each endpoint: two connected clients and a purchase, whose delivered callback is the pattern of all others.
    pub async fn all(
        stage: &Arc<InProcess>,
        receivers: &Receivers,
        endpoints: usize,
    ) -> Result<Vec<Self>> {
        let (mut numbers, mut pairs) = (HashMap::new(), Vec::new());
        let setup = stage.setup();
        for endpoint in 0..endpoints {
            let pair = setup
                .pair_with_long_names(&receivers.url(endpoint, false))
                .await;
            receivers.set_secret(endpoint, pair.secret().to_owned());
            let checkout = pair.checkout_with_long_names().await;
            let _ = pair
                .target
                .sell(&checkout.cart, &checkout.customer)
                .await
                .created();
            numbers.insert(pair.connection_id.clone(), endpoint);
            pairs.push(pair);
        }
        // Delivers the mails and callbacks of the setup.
        stage.work().await;
        let mut sellers = HashMap::new();
        for row in &stage.rows_of("callback") {
            let endpoint = row["connectionId"]
                .as_str()
                .and_then(|id| numbers.get(id))
                .context("a callback without a known connection")?;
            let pair = pairs[*endpoint].clone();
            sellers.insert(*endpoint, Self::of(stage, row, pair).await?);
        }
        (0..endpoints)
            .map(|endpoint| {
                sellers
                    .remove(&endpoint)
                    .context("a purchase without a callback")
            })
            .collect()
    }

    async fn of(stage: &InProcess, row: &Value, pair: Pair) -> Result<Self> {
        let text = |name: &str| row[name].as_str().context("a callback has ids");
        let (client, id): (ClientId, CallbackId) =
            (text("clientId")?.parse()?, text("id")?.parse()?);
        let (store, sealer) = (&stage.app.store, &stage.app.sealer);
        let callback = store
            .get(&keys::callback(client, id))
            .await?
            .context("the row exists")?;
        ensure!(callback.due_at().is_none(), "{id} was not delivered");
        let concerned = callback.concerned.context("a sale concerns a customer")?;
        let customer = store
            .get(&keys::customer(concerned.company_id, concerned.customer_id))
            .await?;
        let personal = callback_body::personal(sealer, &customer.context("the customer exists")?)?;
        let mut body: Value =
            serde_json::from_slice(&callback_body::body(sealer, &callback, Some(&personal))?)?;
        let announcement = Announcement {
            client_id: client,
            connection_id: callback.connection_id,
            order_id: callback.order_id,
            subscription_id: callback.subscription_id,
            event: callback.event,
            data: body["data"].take(),
        };
        Ok(Self {
            announcement,
            concerned,
            personal,
            pair,
        })
    }

    /// Moves the endpoint of the callbacks.
    pub async fn move_to(&self, url: &str) {
        let _ = self.pair.move_endpoint(url).await;
    }

    /// Returns the callback of another sale.
    pub fn sell(&self, sealer: &Sealer, ids: &mut RandomIds, now: Timestamp) -> Callback {
        callback_body::seal_personal(
            sealer,
            ids,
            self.announcement.clone(),
            (self.concerned, &self.personal),
            now,
        )
    }
}
