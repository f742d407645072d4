//! The events of a change for event endpoints: the seller's, and the source's within one contracting company. A source of another
//! company gets a callback instead.
//!
//! The reversal of an order is one event for each client, however many positions it has, so that it fits one transaction.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::ReversedOrder;
use crate::callback::{Announcement, EventType};
use crate::ids::ClientId;
use crate::order::OrderPosition;
use crate::purchase::subscription_data;
use crate::subscription::{CrossClientLink, Role, Subscription};

impl EventType {
    /// The event of the client itself that corresponds to an event for a source of another company.
    fn of_own_client(self) -> Option<Self> {
        match self {
            Self::SubscriptionRenewed => Some(Self::OwnSubscriptionRenewed),
            Self::SubscriptionCancelled => Some(Self::OwnSubscriptionCancelled),
            Self::SubscriptionCancellationUndone => Some(Self::OwnSubscriptionCancellationUndone),
            Self::SubscriptionRefunded => Some(Self::OwnSubscriptionRefunded),
            Self::SubscriptionPaymentReversed => Some(Self::OwnSubscriptionPaymentReversed),
            Self::SubscriptionPaidAgain => Some(Self::OwnSubscriptionPaidAgain),
            _ => None,
        }
    }
}

/// `data` is that of the callback to a source of another company.
pub(super) fn of_change(
    seller: &Subscription,
    event: EventType,
    data: &Value,
) -> Vec<Announcement> {
    let Some(event) = event.of_own_client() else {
        return Vec::new();
    };
    let of = |client_id, role: Role| {
        let mut data = data.clone();
        if let Some(data) = data.as_object_mut() {
            data.insert("role".to_owned(), json!(role));
            data.insert("customer".to_owned(), json!({"id": seller.customer_id}));
            if role != Role::Source {
                data.remove("connectionId");
            }
        }
        Announcement {
            order_id: Some(seller.order_id),
            subscription_id: Some(seller.id),
            ..Announcement::of_client(client_id, event, data)
        }
    };
    let source = within_one_company(seller).map(|link| of(link.source_client_id, Role::Source));
    [of(seller.client_id, seller.role)]
        .into_iter()
        .chain(source)
        .collect()
}

fn within_one_company(seller: &Subscription) -> Option<&CrossClientLink> {
    let link = seller.cross_client.as_ref();
    link.filter(|link| !link.between_companies)
}

impl ReversedOrder {
    /// One event for the seller, and one for each source of its contracting company.
    pub fn events(&self) -> Vec<Announcement> {
        let mut of_sources: BTreeMap<ClientId, (&CrossClientLink, Vec<Value>)> = BTreeMap::new();
        let mut of_seller = Vec::new();
        for position in &self.order.positions {
            let Some(data) = self.position_data(position) else {
                continue;
            };
            if let Some(link) = self.row_of(position).and_then(within_one_company) {
                let source = of_sources.entry(link.source_client_id);
                let (_, positions) = source.or_insert((link, Vec::new()));
                positions.push(data.clone());
            }
            of_seller.push(data);
        }
        let sources = of_sources.into_iter().map(|(client, (link, positions))| {
            let mut data = self.data("source", positions);
            data["connectionId"] = json!(link.connection_id);
            self.event(client, data)
        });
        let seller = self.event(self.order.client_id, self.data("seller", of_seller));
        [seller].into_iter().chain(sources).collect()
    }

    fn event(&self, client_id: ClientId, data: Value) -> Announcement {
        Announcement {
            order_id: Some(self.order.id),
            ..Announcement::of_client(client_id, EventType::OwnOrderReversed, data)
        }
    }

    fn data(&self, role: &str, positions: Vec<Value>) -> Value {
        json!({
            "role": role,
            "reason": self.kind,
            "order": {"id": self.order.id},
            "customer": {"id": self.order.customer_id},
            "positions": positions,
        })
    }

    fn row_of(&self, position: &OrderPosition) -> Option<&Subscription> {
        let mut rows = self.subscriptions.iter().map(|change| &change.rows.seller);
        rows.find(|row| Some(row.id) == position.subscription_id)
    }

    /// `None` if no money of the position went back by this reversal.
    fn position_data(&self, position: &OrderPosition) -> Option<Value> {
        let returned = self
            .returned
            .iter()
            .find(|(number, _)| *number == position.position);
        let (number, returned) = returned?;
        let seller = self.row_of(position);
        Some(json!({
            "number": number,
            "offer": {"id": position.offer_id, "name": position.offer_name},
            "quantity": position.quantity,
            "amount": returned.negated(),
            "subscription": seller.map(subscription_data),
        }))
    }
}
