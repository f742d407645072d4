//! The rows that one purchase writes.

use jiff::Timestamp;

use super::{Once, PurchaseRequest, announce, events};
use crate::IdSource;
use crate::callback::{Announcement, EventType};
use crate::cart::{Cart, Sellable, SellableOffer};
use crate::customer::Customer;
use crate::ids::{CustomerId, OrderId, PayoutId, SubscriptionId};
use crate::metadata::Metadata;
use crate::money::Money;
use crate::offer::{Offer, OfferKind};
use crate::order::{Order, OrderPosition, PositionState};
use crate::payout::{PaidState, Payout, PayoutType};
use crate::period::Period;
use crate::sharing::AvailableOffer;
use crate::subscription::{CrossClientLink, Life, Role, Subscription};
use crate::terms::Terms;
use crate::zone::Zone;

/// Everything that one purchase writes.
#[derive(Debug, Clone, PartialEq)]
pub struct Sale {
    pub order: Order,
    /// The seller's rows, and the sources' rows of cross-client positions.
    pub subscriptions: Vec<Subscription>,
    /// One row per cross-client position.
    pub payouts: Vec<Payout>,
    /// One per cross-client position of another contracting company.
    pub announcements: Vec<Announcement>,
    /// By position, one per offer that is sold once to a customer.
    pub once: Vec<(u8, Once)>,
}

/// The times of a sale.
#[derive(Clone, Copy)]
pub(super) struct Times<'a> {
    pub(super) now: Timestamp,
    /// Of the first periods.
    pub(super) start: Timestamp,
    /// Of the seller's contracting company.
    pub(super) zone: &'a Zone,
}

/// The circumstances of one bought position.
pub(super) struct Line<'a> {
    pub(super) position: u8,
    pub(super) quantity: u32,
    pub(super) customer: &'a Customer,
    times: Times<'a>,
}

impl Sale {
    pub(super) fn of(
        cart: &Cart,
        request: &PurchaseRequest,
        sellable: &Sellable<'_>,
        customer: &Customer,
        times: Times<'_>,
        ids: &mut dyn IdSource,
    ) -> Self {
        let mut sale = Self {
            order: Order {
                id: OrderId::generate(ids),
                client_id: cart.client_id,
                customer_id: request.customer_id,
                cart_id: Some(cart.id),
                payment_method: request.payment_method,
                positions: Vec::new(),
                total: Money {
                    amount: 0,
                    currency: sellable.currency,
                },
                external_system_id: request.external_system_id.clone(),
                metadata: request.metadata.clone(),
                external: None,
                request: None,
                created_at: times.now,
                updated_at: times.now,
                version: 1,
            },
            subscriptions: Vec::new(),
            payouts: Vec::new(),
            announcements: Vec::new(),
            once: Vec::new(),
        };
        for position in &sellable.positions {
            let line = Line {
                position: position.number,
                quantity: request.quantity(position.number),
                customer,
                times,
            };
            match &position.offer {
                SellableOffer::Own(offer) => sale.add_own(offer, &line, ids),
                SellableOffer::Shared(shared, terms) => {
                    sale.add_shared((shared, terms), &line, ids);
                }
            }
        }
        let amounts = sale.order.positions.iter().map(|position| position.amount);
        sale.order.total = amounts.fold(sale.order.total, Money::plus);
        sale
    }

    fn add_own(&mut self, offer: &Offer, line: &Line<'_>, ids: &mut dyn IdSource) {
        let subscription_id = match offer.kind {
            OfferKind::Single => None,
            OfferKind::Subscription { period, renews } => {
                let id = SubscriptionId::generate(ids);
                self.subscriptions
                    .push(self.seller_row(id, offer, (period, renews), line));
                Some(id)
            }
        };
        self.add_position((offer, offer.price), line, subscription_id);
    }

    fn add_shared(
        &mut self,
        (shared, terms): (&AvailableOffer<'_>, &Terms),
        line: &Line<'_>,
        ids: &mut dyn IdSource,
    ) {
        let connection = shared.connection;
        let source_client_id = connection.source.client_id;
        // Within one contracting company both clients have the same customers: the source needs no voucher.
        let voucher = (!connection.within_one_company()).then(|| ids.voucher(source_client_id));
        let id = SubscriptionId::generate(ids);
        let link = link(shared, terms);
        let seller = Subscription {
            role: Role::Seller,
            unit_price: terms.price,
            cross_client: Some(link.clone()),
            ..self.seller_row(id, shared.offer, (shared.period, shared.renews), line)
        };
        let source = Subscription {
            client_id: source_client_id,
            role: Role::Source,
            customer_id: connection.within_one_company().then_some(line.customer.id),
            voucher_hash: voucher.as_ref().map(|voucher| voucher.hash.clone()),
            external_system_id: None,
            metadata: Metadata::default(),
            ..seller.clone()
        };
        self.payouts.push(payout_row(
            &seller,
            &link,
            line.customer.id,
            Entry::of_sale(&seller, &link),
            ids,
            line.times.now,
        ));
        self.add_position((shared.offer, terms.price), line, Some(id));
        if let Some(voucher) = voucher {
            let code = voucher.code.grouped();
            let data = events::sale_data(&self.order, connection, &seller, line, &code);
            self.announcements
                .push(announce(&seller, &link, EventType::OrderCreated, data));
        }
        self.subscriptions.extend([seller, source]);
    }

    fn add_position(
        &mut self,
        (offer, unit_price): (&Offer, Money),
        line: &Line<'_>,
        subscription_id: Option<SubscriptionId>,
    ) {
        if let Some(subscription_id) = subscription_id.filter(|_| offer.once_per_customer) {
            let row = Once {
                client_id: self.order.client_id,
                customer_id: self.order.customer_id,
                offer_id: offer.id,
                subscription_id,
                version: 1,
            };
            self.once.push((line.position, row));
        }
        self.order.positions.push(OrderPosition {
            position: line.position,
            offer_id: offer.id,
            offer_name: offer.name.clone(),
            quantity: line.quantity,
            unit_price,
            amount: unit_price.times(line.quantity),
            source_client_id: (offer.client_id != self.order.client_id).then_some(offer.client_id),
            subscription_id,
            state: PositionState::Paid,
            reversed: None,
        });
    }

    fn seller_row(
        &self,
        id: SubscriptionId,
        offer: &Offer,
        (period, renews): (Period, bool),
        line: &Line<'_>,
    ) -> Subscription {
        let times = line.times;
        Subscription {
            id,
            client_id: self.order.client_id,
            role: Role::Own,
            customer_id: Some(line.customer.id),
            order_id: self.order.id,
            position: line.position,
            offer_id: offer.id,
            offer_name: offer.name.clone(),
            quantity: line.quantity,
            unit_price: offer.price,
            payment_method: self.order.payment_method,
            period,
            renews,
            time_zone: times.zone.clone(),
            started_at: times.start,
            periods_paid: 1,
            paid_until: period.end_of(times.start, 1, times.zone),
            unpaid: Vec::new(),
            rules: offer.rules,
            life: Life::Active,
            cross_client: None,
            voucher_hash: None,
            external_system_id: self.order.external_system_id.clone(),
            metadata: self.order.metadata.clone(),
            external: None,
            created_at: times.now,
            updated_at: times.now,
            version: 1,
        }
    }
}

fn link(shared: &AvailableOffer<'_>, terms: &Terms) -> CrossClientLink {
    let connection = shared.connection;
    CrossClientLink {
        source_client_id: connection.source.client_id,
        source_name: connection.source.name.clone(),
        target_client_id: connection.target.client_id,
        target_name: connection.target.name.clone(),
        connection_id: connection.id,
        seller_share_basis_points: terms.seller_share_basis_points,
        between_companies: !connection.within_one_company(),
        cost_center: shared
            .offer
            .cost_centers
            .of(connection.target.client_id)
            .cloned(),
        offer_metadata: shared.offer.metadata.clone(),
    }
}

/// The money of a payout row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) payout_type: PayoutType,
    /// Counted from 1.
    pub(crate) period_number: u32,
    /// Negative if it went back.
    pub(crate) gross: Money,
    /// The source's part of it.
    pub(crate) due: Money,
    /// Whether the payment has another amount than the terms.
    pub(crate) differs_from_terms: bool,
}

impl Entry {
    /// The payment of the first period.
    fn of_sale(seller: &Subscription, link: &CrossClientLink) -> Self {
        Self {
            payout_type: PayoutType::Payment,
            period_number: seller.periods_paid,
            gross: seller.amount(),
            due: seller.amount().after_share(link.seller_share_basis_points),
            differs_from_terms: false,
        }
    }
}

/// The payout row of a cross-client subscription.
pub(crate) fn payout_row(
    seller: &Subscription,
    link: &CrossClientLink,
    customer_id: CustomerId,
    entry: Entry,
    ids: &mut dyn IdSource,
    now: Timestamp,
) -> Payout {
    Payout {
        id: PayoutId::generate(ids),
        payout_type: entry.payout_type,
        source_client_id: link.source_client_id,
        source_name: link.source_name.clone(),
        target_client_id: link.target_client_id,
        target_name: link.target_name.clone(),
        order_id: seller.order_id,
        subscription_id: seller.id,
        period_number: entry.period_number,
        offer_id: seller.offer_id,
        offer_name: seller.offer_name.clone(),
        customer_id,
        payment_method: seller.payment_method,
        external_system_id: seller.external_system_id.clone(),
        metadata: seller.metadata.clone(),
        offer_metadata: link.offer_metadata.clone(),
        cost_center: link.cost_center.clone(),
        gross: entry.gross,
        seller_share_basis_points: link.seller_share_basis_points,
        due: entry.due,
        differs_from_terms: entry.differs_from_terms,
        paid: PaidState::Open,
        created_at: now,
        version: 1,
    }
}
