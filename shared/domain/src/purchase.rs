//! A purchase: one customer buys one cart, and all that follows of it is decided in one place.
//!
//! [`decide`] takes what was read and answers a [`Sale`]: every row of the one transaction that the purchase is. It is pure:
//! deciding twice harms nothing, committing is once.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::IdSource;
use crate::callback::{Announcement, EventType};
use crate::cart::{self, Cart, CartError, CartStatus, Choice, Found, Position};
use crate::customer::Customer;
use crate::ids::{CustomerId, OrderId, PayoutId, SubscriptionId};
use crate::input::{FieldErrors, Object, Parsed, integer, list, parsed};
use crate::money::Money;
use crate::offer::{Offer, OfferKind};
use crate::order::{Order, OrderPosition, PositionState};
use crate::payment_method::PaymentMethod;
use crate::payout::{PaidState, Payout, PayoutType};
use crate::period::Period;
use crate::sharing::SharedOffer;
use crate::subscription::{CrossClientLink, Life, Role, Subscription};
use crate::voucher::{Voucher, VoucherState};

/// The largest quantity of one position.
pub const LARGEST_QUANTITY: i64 = 10_000;

/// Input of a purchase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurchaseRequest {
    /// Who buys.
    pub customer_id: CustomerId,
    payment_method: PaymentMethod,
    /// Quantity by position number; holds the chosen optional positions, and mandatory ones with a quantity.
    asked: BTreeMap<u8, u32>,
}

impl PurchaseRequest {
    /// Reads `{customerId, paymentMethod, positions?: [{position, quantity?}]}`. Mandatory positions are bought whether
    /// they are listed or not; a quantity is 1 if absent.
    ///
    /// # Errors
    /// Names each wrong member.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let customer_id = object.required("customerId", parsed::<CustomerId>);
        let payment_method = object.required("paymentMethod", PaymentMethod::parse);
        let positions = object
            .optional("positions", list(0..=cart::MOST_POSITIONS, parse_position))
            .unwrap_or_default();
        let mut asked = BTreeMap::new();
        for (index, (number, quantity)) in positions.into_iter().enumerate() {
            if asked.insert(number, quantity).is_some() {
                let field = format!("positions[{index}].position");
                object.note(FieldErrors::at(
                    field,
                    "repeated",
                    format!("position {number} is listed twice"),
                ));
            }
        }
        object.finish(|| {
            Some(Self {
                customer_id: customer_id?,
                payment_method: payment_method?,
                asked,
            })
        })
    }

    /// The positions of the cart that are bought: the mandatory ones and the chosen ones.
    ///
    /// # Errors
    /// A listed position is not in the cart.
    pub fn choose(&self, cart: &Cart) -> Result<Vec<Position>, PurchaseError> {
        let unknown: Vec<u8> = self
            .asked
            .keys()
            .copied()
            .filter(|number| {
                !cart
                    .positions
                    .iter()
                    .any(|position| position.number == *number)
            })
            .collect();
        if !unknown.is_empty() {
            return Err(PurchaseError::NoSuchPosition(unknown));
        }
        let bought = |position: &&Position| {
            position.choice == Choice::Mandatory || self.asked.contains_key(&position.number)
        };
        Ok(cart.positions.iter().filter(bought).copied().collect())
    }

    fn quantity(&self, position: u8) -> u32 {
        self.asked.get(&position).copied().unwrap_or(1)
    }
}

fn parse_position(value: &Value) -> Parsed<(u8, u32)> {
    let mut object = Object::read(value)?;
    let number = object.required("position", integer(1..=20));
    let quantity = object
        .optional("quantity", integer(1..=LARGEST_QUANTITY))
        .unwrap_or(1);
    object.finish(|| Some((u8::try_from(number?).ok()?, u32::try_from(quantity).ok()?)))
}

/// Why a purchase is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PurchaseError {
    /// A listed position is not in the cart.
    #[error("the cart has no such position")]
    NoSuchPosition(Vec<u8>),
    /// The cart cannot be bought now.
    #[error(transparent)]
    Cart(#[from] CartError),
}

/// Everything that one purchase writes.
#[derive(Debug, Clone, PartialEq)]
pub struct Sale {
    /// The order.
    pub order: Order,
    /// The seller's rows, and the sources' rows of cross-client positions.
    pub subscriptions: Vec<Subscription>,
    /// One row per cross-client position.
    pub payouts: Vec<Payout>,
    /// One per cross-client position of another contracting company.
    pub vouchers: Vec<Voucher>,
    /// One for each voucher.
    pub announcements: Vec<Announcement>,
}

/// Decides a purchase of the chosen positions with the offers that were found for them.
///
/// # Errors
/// The cart is archived or can no longer be sold; the error names the positions.
pub fn decide(
    cart: &Cart,
    request: &PurchaseRequest,
    chosen: &[(Position, Found<'_>)],
    customer: &Customer,
    now: Timestamp,
    ids: &mut dyn IdSource,
) -> Result<Sale, PurchaseError> {
    if cart.status == CartStatus::Archived {
        return Err(CartError::Archived.into());
    }
    cart::check(cart.client_id, chosen)?;
    let mut sale = Sale {
        order: empty_order(cart, request, chosen, OrderId::generate(ids), now)?,
        subscriptions: Vec::new(),
        payouts: Vec::new(),
        vouchers: Vec::new(),
        announcements: Vec::new(),
    };
    for (position, found) in chosen {
        let bought = Bought {
            position: position.number,
            quantity: request.quantity(position.number),
            customer,
            now,
        };
        match found {
            Found::Own(offer) => sale.add_own(offer, &bought, ids),
            Found::Shared(shared) => sale.add_shared(shared, &bought, ids),
            Found::Nothing => {}
        }
    }
    sale.order.total.amount = sale
        .order
        .positions
        .iter()
        .map(|position| position.amount.amount)
        .sum();
    Ok(sale)
}

fn empty_order(
    cart: &Cart,
    request: &PurchaseRequest,
    chosen: &[(Position, Found<'_>)],
    id: OrderId,
    now: Timestamp,
) -> Result<Order, PurchaseError> {
    let currency = chosen
        .iter()
        .find_map(|(_, found)| found.offer())
        .map(|offer| offer.price.currency);
    let currency = currency.ok_or(CartError::NothingMandatory)?;
    Ok(Order {
        id,
        client_id: cart.client_id,
        customer_id: request.customer_id,
        cart_id: Some(cart.id),
        payment_method: request.payment_method,
        positions: Vec::new(),
        total: Money {
            amount: 0,
            currency,
        },
        external: None,
        created_at: now,
        updated_at: now,
        version: 1,
    })
}

struct Bought<'a> {
    position: u8,
    quantity: u32,
    customer: &'a Customer,
    now: Timestamp,
}

impl Sale {
    fn add_own(&mut self, offer: &Offer, bought: &Bought<'_>, ids: &mut dyn IdSource) {
        let subscription_id = match offer.kind {
            OfferKind::Single => None,
            OfferKind::Subscription { period, renews } => {
                let id = SubscriptionId::generate(ids);
                self.subscriptions
                    .push(self.seller_row(id, offer, (period, renews), bought));
                Some(id)
            }
        };
        self.add_position(offer, bought, subscription_id);
    }

    fn add_shared(
        &mut self,
        shared: &SharedOffer<'_>,
        bought: &Bought<'_>,
        ids: &mut dyn IdSource,
    ) {
        // Only time-based offers can be shared, and visible ones name how; `cart::check` has seen to both.
        let (OfferKind::Subscription { period, renews }, Some(sharing)) =
            (shared.offer.kind, &shared.offer.cross_client)
        else {
            return;
        };
        let connection = shared.connection;
        let voucher = (!connection.within_one_company()).then(|| ids.voucher());
        let id = SubscriptionId::generate(ids);
        let link = CrossClientLink {
            source_client_id: connection.source.client_id,
            source_name: connection.source.name.clone(),
            target_client_id: connection.target.client_id,
            target_name: connection.target.name.clone(),
            connection_id: connection.id,
            seller_share_basis_points: sharing.seller_share_basis_points,
            voucher_hash: voucher.as_ref().map(|voucher| voucher.hash.clone()),
        };
        let seller = Subscription {
            role: Role::Seller,
            cross_client: Some(link),
            ..self.seller_row(id, shared.offer, (period, renews), bought)
        };
        let source = Subscription {
            client_id: connection.source.client_id,
            role: Role::Source,
            customer_id: connection
                .within_one_company()
                .then_some(bought.customer.id),
            ..seller.clone()
        };
        self.payouts
            .extend(payout_row(&seller, PayoutType::Payment, ids, bought.now));
        self.add_position(shared.offer, bought, Some(id));
        if let Some(voucher) = voucher {
            self.vouchers.push(Voucher {
                client_id: connection.source.client_id,
                hash: voucher.hash,
                subscription_id: id,
                order_id: self.order.id,
                connection_id: connection.id,
                state: VoucherState::Issued,
                created_at: bought.now,
                version: 1,
            });
            let data = self.sale_data(shared, &seller, bought, &voucher.code.grouped());
            self.announcements
                .extend(announce(&seller, EventType::OrderCreated, data));
        }
        self.subscriptions.extend([seller, source]);
    }

    fn add_position(
        &mut self,
        offer: &Offer,
        bought: &Bought<'_>,
        subscription_id: Option<SubscriptionId>,
    ) {
        self.order.positions.push(OrderPosition {
            position: bought.position,
            offer_id: offer.id,
            offer_name: offer.name.clone(),
            quantity: bought.quantity,
            unit_price: offer.price,
            amount: offer.price.times(bought.quantity),
            source_client_id: (offer.client_id != self.order.client_id).then_some(offer.client_id),
            subscription_id,
            state: PositionState::Paid,
        });
    }

    fn seller_row(
        &self,
        id: SubscriptionId,
        offer: &Offer,
        time: (Period, bool),
        bought: &Bought<'_>,
    ) -> Subscription {
        let (period, renews) = time;
        Subscription {
            id,
            client_id: self.order.client_id,
            role: Role::Own,
            customer_id: Some(bought.customer.id),
            order_id: self.order.id,
            position: bought.position,
            offer_id: offer.id,
            offer_name: offer.name.clone(),
            quantity: bought.quantity,
            unit_price: offer.price,
            payment_method: self.order.payment_method,
            period,
            renews,
            started_at: bought.now,
            periods_paid: 1,
            paid_until: period.end_of(bought.now, 1),
            life: Life::Active,
            cross_client: None,
            external: None,
            created_at: bought.now,
            updated_at: bought.now,
            version: 1,
        }
    }

    fn sale_data(
        &self,
        shared: &SharedOffer<'_>,
        seller: &Subscription,
        bought: &Bought<'_>,
        code: &str,
    ) -> Value {
        let profile = &bought.customer.profile;
        json!({
            "connectionId": shared.connection.id,
            "order": {
                "id": self.order.id,
                "createdAt": self.order.created_at,
                "paymentMethod": self.order.payment_method,
                "seller": {"clientId": shared.connection.target.client_id, "name": shared.connection.target.name},
            },
            "position": {
                "number": bought.position,
                "quantity": bought.quantity,
                "unitPrice": seller.unit_price,
                "amount": seller.amount(),
            },
            "subscription": subscription_data(seller),
            "customer": {
                "id": bought.customer.id,
                "email": profile.email,
                "language": profile.language,
                "firstName": profile.first_name,
                "lastName": profile.last_name,
            },
            "offer": offer_data(seller),
            "voucherCode": code,
        })
    }
}

/// The subscription as callbacks tell it.
pub(crate) fn subscription_data(seller: &Subscription) -> Value {
    json!({
        "id": seller.id,
        "period": seller.period,
        "renews": seller.renews,
        "startedAt": seller.started_at,
        "periodsPaid": seller.periods_paid,
        "paidUntil": seller.paid_until,
    })
}

/// The offer as callbacks tell it.
pub(crate) fn offer_data(subscription: &Subscription) -> Value {
    json!({"id": subscription.offer_id, "name": subscription.offer_name})
}

/// What the source of a cross-client subscription is told; `None` for one of the seller's own.
pub(crate) fn announce(
    seller: &Subscription,
    event: EventType,
    data: Value,
) -> Option<Announcement> {
    let link = seller.cross_client.as_ref()?;
    Some(Announcement {
        client_id: link.source_client_id,
        connection_id: Some(link.connection_id),
        order_id: Some(seller.order_id),
        subscription_id: Some(seller.id),
        event,
        data,
    })
}

/// The payout row of one period of a cross-client subscription; `None` for one of the seller's own.
pub(crate) fn payout_row(
    seller: &Subscription,
    payout_type: PayoutType,
    ids: &mut dyn IdSource,
    now: Timestamp,
) -> Option<Payout> {
    let link = seller.cross_client.as_ref()?;
    let customer_id = seller.customer_id?;
    let gross = match payout_type {
        PayoutType::Payment => seller.amount(),
        PayoutType::Refund | PayoutType::Loss => seller.amount().negated(),
    };
    Some(Payout {
        id: PayoutId::generate(ids),
        payout_type,
        source_client_id: link.source_client_id,
        source_name: link.source_name.clone(),
        target_client_id: link.target_client_id,
        target_name: link.target_name.clone(),
        order_id: seller.order_id,
        subscription_id: seller.id,
        period_number: seller.periods_paid,
        offer_id: seller.offer_id,
        offer_name: seller.offer_name.clone(),
        customer_id,
        payment_method: seller.payment_method,
        gross,
        seller_share_basis_points: link.seller_share_basis_points,
        due: gross.after_share(link.seller_share_basis_points),
        paid: PaidState::Open,
        created_at: now,
        version: 1,
    })
}
