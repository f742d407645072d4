//! The filter of the payout list.

use tandem_api::request::Query;
use tandem_api::{App, ClientCaller};
use tandem_domain::Timestamp;
use tandem_domain::connection::Side;
use tandem_domain::ids::{ClientId, OrderId, PayoutId, SubscriptionId};
use tandem_domain::input::{FieldErrors, parsed};
use tandem_domain::instant::{end, instant};
use tandem_domain::payout::{PaidStatus, Payout, PayoutSum, PayoutType};
use tandem_domain::zone::{Month, Zone};
use tandem_store::{List, StoreError, keys};

/// Conditions that a row must all meet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    role: Option<Side>,
    from: Option<Timestamp>,
    before: Option<Timestamp>,
    month: Option<Month>,
    partner: Option<ClientId>,
    payout_type: Option<PayoutType>,
    paid_status: Option<PaidStatus>,
    order: Option<OrderId>,
    subscription: Option<SubscriptionId>,
}

impl Filter {
    /// Reads the conditions; errors are added to the query.
    pub(crate) fn read(query: &mut Query<'_>) -> Self {
        let filter = Self {
            role: query.optional("role", Side::parse),
            from: query.optional("from", instant),
            before: query.optional("before", end).flatten(),
            month: query.optional("month", Month::parse),
            partner: query.optional("partnerClientId", parsed::<ClientId>),
            payout_type: query.optional("type", PayoutType::parse),
            paid_status: query.optional("paidStatus", PaidStatus::parse),
            order: query.optional("orderId", parsed::<OrderId>),
            subscription: query.optional("subscriptionId", parsed::<SubscriptionId>),
        };
        if let (Some(from), Some(before)) = (filter.from, filter.before)
            && from >= before
        {
            query.note(FieldErrors::at(
                "before",
                "not_after_from",
                "must be later than from",
            ));
        }
        if filter.month.is_some() && (filter.from.is_some() || filter.before.is_some()) {
            let detail = "use month, or from and before, not both";
            query.note(FieldErrors::at("month", "only_one", detail));
        }
        filter
    }

    /// The filter with the times of its month, which are those of the caller's time zone.
    pub(crate) async fn with_times(
        self,
        app: &App,
        caller: ClientCaller,
    ) -> Result<Self, StoreError> {
        if self.month.is_none() {
            return Ok(self);
        }
        let zone = zone_of(app, caller).await?;
        Ok(self.in_zone(&zone))
    }

    pub(crate) fn in_zone(self, zone: &Zone) -> Self {
        match self.month {
            None => self,
            Some(month) => Self {
                from: Some(month.start(zone)),
                before: Some(month.end(zone)),
                ..self
            },
        }
    }

    /// The collections with all matching rows. Ids sort by time, so the time bounds the range of keys.
    pub(crate) fn collections(&self, caller: ClientId) -> Vec<List<Payout>> {
        let sides = self
            .role
            .map_or_else(|| vec![Side::Source, Side::Target], |side| vec![side]);
        let bound = |time: Option<Timestamp>| time.map(|time| PayoutId::first_of(time).to_string());
        sides
            .into_iter()
            .map(|side| {
                keys::payouts_of(caller, side).between(bound(self.from), bound(self.before))
            })
            .collect()
    }

    /// Whether the conditions name members that a statement does not sum.
    pub(crate) fn names_a_sale(&self) -> bool {
        self.order.is_some() || self.subscription.is_some()
    }

    /// Whether a row meets the conditions on the members that a statement sums.
    pub(crate) fn sums(&self, caller: ClientId, row: &PayoutSum) -> bool {
        self.partner
            .is_none_or(|partner| row.partner_of(caller) == partner)
            && self
                .payout_type
                .is_none_or(|payout_type| row.payout_type == payout_type)
            && self
                .paid_status
                .is_none_or(|status| row.paid_status == status)
    }

    /// Whether a row meets the conditions that the collections do not cover.
    pub(crate) fn keeps(&self, caller: ClientId, row: &Payout) -> bool {
        self.sums(caller, &PayoutSum::from(row))
            && self.order.is_none_or(|order| row.order_id == order)
            && self
                .subscription
                .is_none_or(|subscription| row.subscription_id == subscription)
    }
}

/// The time zone of the caller's contracting company.
pub(crate) async fn zone_of(app: &App, caller: ClientCaller) -> Result<Zone, StoreError> {
    let company = app.store.get(&keys::company(caller.company_id)).await?;
    Ok(company.map(|company| company.time_zone).unwrap_or_default())
}
