//! After the sale: the target serves the customer and reports it to Tandem; the source's subscription, the payout row and,
//! between two contracting companies, a callback follow.

mod books;
mod cancellations;
mod paid;
mod refunds;
mod renewals;
mod returned_debits;
mod vouchers;

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde_json::{Value, json};
use tandem_tests::{Answer, Pair, Receiver, Sale, Setup, id, verified};

const CREATED: &str = "crossClientOrder.created";
const RENEWED: &str = "crossClientSubscription.renewed";
const CANCELLED: &str = "crossClientSubscription.cancelled";
const UNDONE: &str = "crossClientSubscription.cancellationUndone";
const REVERSED: &str = "crossClientSubscription.paymentReversed";
const AGAIN: &str = "crossClientSubscription.paidAgain";
const REFUNDED: &str = "crossClientSubscription.refunded";

/// A pair that has sold: the target's own offer in position 1, the source's, of 9.99 EUR, in position 2.
struct Scene {
    setup: Setup,
    pair: Pair,
    sale: Sale,
    /// The source's receiver, between two contracting companies.
    receiver: Option<Receiver>,
}

impl Scene {
    async fn within_one_company() -> Self {
        let setup = Setup::new().await;
        let pair = setup.pair_within_one_company().await;
        Self {
            setup,
            sale: pair.sell().await,
            pair,
            receiver: None,
        }
    }

    async fn between_two_companies() -> Self {
        let setup = Setup::new().await;
        let receiver = setup.receiver().await;
        let pair = setup.pair_between_two_companies(&receiver.url()).await;
        Self {
            setup,
            sale: pair.sell().await,
            pair,
            receiver: Some(receiver),
        }
    }

    async fn both() -> [Self; 2] {
        [
            Self::within_one_company().await,
            Self::between_two_companies().await,
        ]
    }

    /// The target reports an event of the shared subscription, such as `payments` or `cancel`.
    async fn report(&self, action: &str, body: Value) -> Answer {
        self.pair
            .target
            .api
            .post(
                &format!(
                    "/v1/subscriptions/{}/{action}",
                    self.sale.shared_subscription_id()
                ),
                body,
            )
            .await
    }

    /// The target reverses the order's payment: `refund` or `charge-back`.
    async fn take_back(&self, how: &str, body: Value) -> Answer {
        self.pair
            .target
            .api
            .post(&format!("/v1/orders/{}/{how}", self.sale.order_id()), body)
            .await
    }

    /// The seller's row of the shared subscription and the source's.
    async fn rows(&self) -> [Value; 2] {
        let path = format!("/v1/subscriptions/{}", self.sale.shared_subscription_id());
        [
            self.pair.target.api.get(&path).await.ok(),
            self.pair.source.api.get(&path).await.ok(),
        ]
    }

    /// The status of the shared subscription. Both sides' rows may differ only in the customer and the redemption.
    async fn status(&self) -> String {
        let [sellers, sources] = self.rows().await;
        for name in [
            "periodsPaid",
            "paidUntil",
            "endsAt",
            "pastDueSince",
            "hasAccess",
            "paymentMethod",
            "orderId",
            "offerId",
            "amount",
        ] {
            assert_eq!(sellers[name], sources[name], "{name}");
        }
        if sources["status"] == "pending" {
            assert_eq!(sources["customerId"], Value::Null);
            let seen = sellers["status"].as_str();
            assert!(matches!(seen, Some("active" | "pastDue")), "{sellers}");
        } else {
            assert_eq!(sellers["status"], sources["status"]);
        }
        sellers["status"].as_str().expect("a status").to_owned()
    }

    /// The payout rows of the shared subscription, the oldest first: type, period, gross, due to the source, in cents.
    async fn payouts(&self) -> Vec<(String, i64, i64, i64)> {
        let path = format!(
            "/v1/payouts?subscriptionId={}",
            self.sale.shared_subscription_id()
        );
        let [mut seen_by_source, seen_by_target] = [
            self.pair.source.api.all(&path).await,
            self.pair.target.api.all(&path).await,
        ];
        for (ours, theirs) in seen_by_source.iter_mut().zip(&seen_by_target) {
            assert_eq!(
                (&ours["role"], &theirs["role"]),
                (&json!("source"), &json!("target"))
            );
            ours["role"] = json!("target");
        }
        assert_eq!(
            seen_by_source, seen_by_target,
            "both sides see the same rows"
        );
        seen_by_source.iter().rev().map(in_short).collect()
    }

    /// The data of the only callback about an event, as the source's receiver got it; `None` within one company.
    async fn callback_data(&self, event: &str) -> Option<Value> {
        let Some(receiver) = &self.receiver else {
            assert_eq!(
                self.pair.source.callbacks().await,
                Vec::<Value>::new(),
                "they share their customers"
            );
            return None;
        };
        let callback = self
            .pair
            .source
            .callback_about(self.sale.shared_subscription_id(), event, "delivered")
            .await;
        let received = receiver
            .received()
            .into_iter()
            .find(|request| request.webhook_id() == id(&callback));
        let body = verified(
            &received.expect("the delivered callback was received"),
            self.pair.secret(),
        );
        assert_eq!(body["type"], event);
        let data = &body["data"];
        assert_eq!(data["connectionId"], self.pair.connection_id.as_str());
        assert_eq!(data["order"]["id"], self.sale.order["id"]);
        assert_eq!(
            data["subscription"]["id"],
            self.sale.shared_subscription_id()
        );
        Some(data.clone())
    }

    /// Asserts that the source got callbacks of exactly these events.
    async fn has_only_the_callbacks(&self, events: &[&str]) {
        let callbacks = self.pair.source.callbacks().await;
        let mut events_received: Vec<&str> = callbacks
            .iter()
            .rev()
            .filter_map(|callback| callback["type"].as_str())
            .collect();
        events_received.sort_unstable();
        let mut expected: Vec<&str> = if self.receiver.is_some() {
            events.to_vec()
        } else {
            Vec::new()
        };
        expected.sort_unstable();
        assert_eq!(events_received, expected);
    }
}

fn in_short(row: &Value) -> (String, i64, i64, i64) {
    let cents = |money: &Value| {
        assert_eq!(money["currency"], "EUR", "{row}");
        money["amount"].as_i64().expect("whole cents")
    };
    let kind = row["type"].as_str().expect("a type").to_owned();
    (
        kind,
        row["periodNumber"].as_i64().expect("a number"),
        cents(&row["gross"]),
        cents(&row["due"]),
    )
}

/// A payout row in short, for comparison.
fn row(kind: &str, period: i64, gross: i64, due: i64) -> (String, i64, i64, i64) {
    (kind.to_owned(), period, gross, due)
}

fn time(value: &Value) -> Timestamp {
    value
        .as_str()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| panic!("no time: {value}"))
}

fn later(time: Timestamp, span: Span) -> Timestamp {
    time.to_zoned(TimeZone::UTC)
        .checked_add(span)
        .expect("not the end of time")
        .timestamp()
}

fn euros(cents: i64) -> Value {
    json!({"amount": cents, "currency": "EUR"})
}
