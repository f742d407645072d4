//! The events of a sale for event endpoints: one for the seller, and one for each source of the seller's contracting company. A
//! source of another company gets callbacks instead.
//!
//! They name the customer by id only: both clients find the customer in their company's customer base.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::sale::Sale;
use super::subscription_data;
use crate::callback::{Announcement, EventType};
use crate::ids::ClientId;
use crate::order::OrderPosition;
use crate::subscription::{CrossClientLink, Subscription};

impl Sale {
    /// One event for each client, however many positions it has.
    pub fn events(&self) -> Vec<Announcement> {
        let order = &self.order;
        let of_sale = |client_id, data| Announcement {
            order_id: Some(order.id),
            ..Announcement::of_client(client_id, EventType::OwnOrderCreated, data)
        };
        let positions: Vec<_> = order.positions.iter().collect();
        let of_seller = json!({
            "role": "seller",
            "order": {
                "id": order.id,
                "createdAt": order.created_at,
                "cartId": order.cart_id,
                "paymentMethod": order.payment_method,
                "total": order.total,
            },
            "customer": {"id": order.customer_id},
            "positions": self.position_data(&positions),
        });
        let mut events = vec![of_sale(order.client_id, of_seller)];
        for (source, (link, positions)) in self.sources_of_own_company() {
            let of_source = json!({
                "role": "source",
                "connectionId": link.connection_id,
                "order": {
                    "id": order.id,
                    "createdAt": order.created_at,
                    "paymentMethod": order.payment_method,
                    "seller": {"clientId": link.target_client_id, "name": link.target_name},
                },
                "customer": {"id": order.customer_id},
                "positions": self.position_data(&positions),
            });
            events.push(of_sale(source, of_source));
        }
        events
    }

    fn sources_of_own_company(
        &self,
    ) -> BTreeMap<ClientId, (&CrossClientLink, Vec<&OrderPosition>)> {
        let mut sources: BTreeMap<_, (_, Vec<_>)> = BTreeMap::new();
        for position in &self.order.positions {
            let link = self
                .row_of(position)
                .and_then(|row| row.cross_client.as_ref());
            if let Some(link) = link.filter(|link| !link.between_companies) {
                let source = sources.entry(link.source_client_id);
                source.or_insert((link, Vec::new())).1.push(position);
            }
        }
        sources
    }

    fn row_of(&self, position: &OrderPosition) -> Option<&Subscription> {
        self.subscriptions.iter().find(|row| {
            row.client_id == self.order.client_id && Some(row.id) == position.subscription_id
        })
    }

    fn position_data(&self, positions: &[&OrderPosition]) -> Value {
        let data = |position: &&OrderPosition| position_data(position, self.row_of(position));
        positions.iter().map(data).collect()
    }
}

fn position_data(position: &OrderPosition, seller: Option<&Subscription>) -> Value {
    json!({
        "number": position.position,
        "offer": {"id": position.offer_id, "name": position.offer_name},
        "quantity": position.quantity,
        "unitPrice": position.unit_price,
        "amount": position.amount,
        "sourceClientId": position.source_client_id,
        "subscription": seller.map(subscription_data),
    })
}
