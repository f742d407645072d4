//! Stadtblick sells its cart. The sale's order, payout row, subscriptions and later events follow.

use serde_json::json;
use tandem_api::views;
use tandem_domain::after_sale::{
    CancelRequest, PaymentRequest, ReverseRequest, Rows, SoldRows, SubscriptionChange,
    reverse_order,
};
use tandem_domain::callback::Announcement;
use tandem_domain::cart::{Cart, CartDraft, OfferLookup};
use tandem_domain::customer::{Customer, Profile};
use tandem_domain::ids::{CartId, CustomerId};
use tandem_domain::order::{Order, Reversal, ReversalRequest};
use tandem_domain::payout::{Payout, Statement};
use tandem_domain::purchase::{self, PurchaseRequest, Sale};
use tandem_domain::subscription::Subscription;
use tandem_domain::voucher::RedeemRequest;
use tandem_domain::zone::Zone;

use super::{Counting, Party, Story, at, example, found_by_id};

impl Story {
    pub(super) fn sell(&mut self, source: &Party, target: &Party, found: &[OfferLookup<'_>]) {
        let created_at = at("2026-07-01T11:00:00Z");
        let draft = CartDraft::parse(example("CartDraft")).expect("a cart");
        let id = CartId::generate(&mut self.ids);
        let cart = draft
            .create(id, target.0.id, |id| found_by_id(found, id), created_at)
            .expect("a sellable cart");
        self.show("Cart", views::cart::cart(&cart));
        let customer = self.customer(target);
        self.now = at("2026-07-02T18:21:07.412Z");
        let sale = self.buy(&cart, found, (&customer, &target.1.time_zone));
        self.show("Order", views::order::order(&sale.order));
        self.show_event("OwnOrderCreatedEvent", &sale.events()[0], self.now);
        self.show_payout(&sale.payouts[0], &source.1.time_zone);
        let [_, seller, their_row] = &sale.subscriptions[..] else {
            panic!("the sale has three subscriptions")
        };
        self.show(
            "SellerSubscription",
            views::subscription::subscription(seller, self.now),
        );
        let redeemed = RedeemRequest::parse(example("Redemption")).expect("a redemption");
        let linked = their_row
            .clone()
            .linked_to(redeemed.customer_id, at("2026-07-02T18:21:09.030Z"));
        self.show(
            "SourceSubscription",
            views::subscription::subscription(&linked, self.now),
        );
        let rows = Rows {
            seller: seller.clone(),
            source: Some(linked),
        };
        let [announcement] =
            <[Announcement; 1]>::try_from(sale.announcements).expect("one callback");
        self.call_back(announcement);
        self.reverse_order(&sale.order, seller);
        self.after_sale(rows);
    }

    fn customer(&mut self, target: &Party) -> Customer {
        let profile = Profile::parse(example("CustomerDraft")).expect("a customer");
        let customer = profile.create(
            CustomerId::generate(&mut self.ids),
            target.1.id,
            Vec::new().into(),
            at("2026-07-01T11:00:00Z"),
        );
        self.show("Customer", views::customer::customer(&customer));
        let erasure = customer
            .erase(target.0.id, [], at("2027-01-04T08:15:00Z"))
            .expect("no running subscriptions");
        self.show("Erasure", views::erasure::erasure(&erasure));
        customer
    }

    fn buy(&mut self, cart: &Cart, found: &[OfferLookup<'_>], seller: (&Customer, &Zone)) -> Sale {
        let request = PurchaseRequest::parse(example("Purchase")).expect("a purchase");
        assert_eq!(request.customer_id, seller.0.id);
        let chosen: Vec<_> = request
            .choose(cart)
            .expect("positions of the cart")
            .into_iter()
            .zip(found.iter().copied())
            .collect();
        let mut other = example("Purchase").clone();
        other["expectedTotal"]["amount"] = json!(3_990);
        let other = PurchaseRequest::parse(&other).expect("a purchase");
        let refused = purchase::decide(cart, &other, &chosen, seller, self.now, &mut Counting(0));
        self.show_problem("TotalDiffers", refused.expect_err("another total").into());
        purchase::decide(cart, &request, &chosen, seller, self.now, &mut self.ids)
            .expect("a sellable cart")
    }

    fn show_payout(&mut self, payout: &Payout, source_zone: &Zone) {
        let source = payout.source_client_id;
        self.show("Payout", views::payout::payout(payout, source));
        let mut statement = Statement::in_zone(source_zone.clone());
        statement.add(source, &payout.into());
        self.show(
            "Statement",
            json!({"timeZone": source_zone, "lines": statement.into_lines(std::slice::from_ref(payout)).expect("the sums fit")}),
        );
        let line = views::payout::csv_line(payout, source);
        let csv = views::payout::csv_header() + &line;
        self.show("PayoutsAsCsv", json!(csv));
    }

    fn after_sale(&mut self, rows: Rows) {
        let payment = PaymentRequest::parse(example("Payment")).expect("a payment");
        let time = "2026-08-02T06:00:00Z";
        let renewed = rows.clone().renew(&payment, None, at(time), &mut self.ids);
        let renewed = renewed.expect("the next period");
        self.show_own("OwnSubscriptionRenewedEvent", &renewed, time);
        self.show_move("SubscriptionRenewedEvent", renewed, time);
        self.cancel(&rows);
        self.take_back(&rows);
        self.return_a_debit(rows);
    }

    fn cancel(&mut self, rows: &Rows) {
        let cancellation = CancelRequest::parse(example("Cancellation")).expect("a cancellation");
        let time = "2026-09-20T14:02:51.800Z";
        let cancelled = rows.clone().cancel(&cancellation, at(time));
        let cancelled = cancelled.expect("an active subscription").expect("an end");
        self.show_own("OwnSubscriptionCancelledEvent", &cancelled, time);
        self.show_move("SubscriptionCancelledEvent", cancelled.clone(), time);
        let time = "2026-09-21T08:30:00Z";
        let undone = cancelled.rows.undo_cancellation(at(time));
        let undone = undone.expect("a cancelled subscription");
        self.show_own("OwnSubscriptionCancellationUndoneEvent", &undone, time);
        self.show_move("SubscriptionCancellationUndoneEvent", undone, time);
    }

    fn take_back(&mut self, rows: &Rows) {
        let time = "2026-07-06T09:00:00Z";
        for (name, kind) in [
            ("SubscriptionRefundedEvent", Reversal::Refund),
            ("SubscriptionChargedBackEvent", Reversal::ChargeBack),
        ] {
            let request = ReverseRequest {
                kind,
                amount: None,
                ends: true,
            };
            let (rows, now) = (rows.clone(), at(time));
            let reversed = rows.reverse(&request, 1, None, now, &mut self.ids);
            let reversed = reversed.expect("a paid period");
            if kind == Reversal::Refund {
                self.show_own("OwnSubscriptionRefundedEvent", &reversed, time);
            }
            self.show_move(name, reversed, time);
        }
    }

    fn return_a_debit(&mut self, rows: Rows) {
        let request = ReverseRequest::parse(example("PeriodReversal")).expect("a reversal");
        let time = "2026-07-06T09:00:00Z";
        let returned = rows.reverse(&request, 1, None, at(time), &mut self.ids);
        let returned = returned.expect("a paid period");
        self.show_own("OwnSubscriptionPaymentReversedEvent", &returned, time);
        self.show_move("SubscriptionPaymentReversedEvent", returned.clone(), time);
        let time = "2026-07-09T06:00:00Z";
        let again = PaymentRequest::parse(&json!({"periodNumber": 1})).expect("a payment");
        let (rows, period) = (returned.rows, returned.period);
        let paid = rows.renew(&again, period, at(time), &mut self.ids);
        let paid = paid.expect("allowed");
        self.show_own("OwnSubscriptionPaidAgainEvent", &paid, time);
        self.show_move("SubscriptionPaidAgainEvent", paid, time);
    }

    /// The reversal of the shared position, as the seller gets it.
    fn reverse_order(&mut self, order: &Order, seller: &Subscription) {
        let request = ReversalRequest::parse(example("Reversal")).expect("a reversal");
        let sold = SoldRows {
            rows: Rows {
                seller: seller.clone(),
                source: None,
            },
            period: None,
        };
        let (now, kind) = (at("2026-07-06T09:00:00Z"), Reversal::Refund);
        let reversed = reverse_order(
            order.clone(),
            &request,
            kind,
            vec![sold],
            now,
            &mut Counting(1_000),
        );
        let reversed = reversed.expect("a paid position");
        self.show_event("OwnOrderReversedEvent", &reversed.events()[0], now);
    }

    /// The event for the seller.
    fn show_own(&mut self, name: &'static str, moved: &SubscriptionChange, time: &str) {
        self.show_event(name, &moved.events[0], at(time));
    }

    fn show_move(&mut self, name: &'static str, moved: SubscriptionChange, time: &str) {
        let announcement = moved.announcement.expect("a callback to the other company");
        self.show_event(name, &announcement, at(time));
    }
}
