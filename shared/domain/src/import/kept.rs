//! The imported members of an order, each with the promise that set it last.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::external::External;
use crate::ids::{CustomerId, OfferId, PromiseId};
use crate::money::BasisPoints;
use crate::payment_method::PaymentMethod;
use crate::subscription::Life;
use crate::text::ExternalId;
use crate::words::words;

use super::change::Change;
use super::item::Members;
use super::problem::ItemProblem;

words! {
    /// A member that a later import can replace.
    pub enum Member {
        Quantity = "quantity",
        StartDate = "startDate",
        PaymentMethod = "paymentMethod",
        EndDate = "endDate",
        OrderDate = "orderDate",
        DeliveryCustomerId = "deliveryCustomerId",
        DiscountPercentage = "discountPercentage",
        CurrentPaymentPeriodPaid = "currentPaymentPeriodPaid",
    }
}

/// One promise's item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The place in the order of acceptance.
    pub promise: PromiseId,
    /// Members that a promise accepted after this one has set stay. Differs from `promise` for a retry, which has the rank of the
    /// import that it repeats.
    pub rank: PromiseId,
    pub members: Members,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamped<T> {
    pub value: T,
    /// The rank of the import that set the value; `None` if none did.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by: Option<PromiseId>,
}

impl<T> Stamped<T> {
    fn set(&mut self, value: T, rank: PromiseId) {
        if self.by.is_none_or(|by| by <= rank) {
            (self.value, self.by) = (value, Some(rank));
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    pub at: Timestamp,
    /// The time at which the first import with this end was accepted.
    pub since: Timestamp,
}

/// The imported members of an order. A function of its imports in their order of acceptance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    pub offer_id: OfferId,
    pub invoice_customer_id: CustomerId,
    pub quantity: Stamped<u32>,
    pub start_date: Stamped<Timestamp>,
    pub payment_method: Stamped<PaymentMethod>,
    pub end_date: Stamped<Option<End>>,
    pub order_date: Stamped<Option<Timestamp>>,
    pub delivery_customer_id: Stamped<Option<CustomerId>>,
    pub discount_basis_points: Stamped<Option<BasisPoints>>,
    pub current_payment_period_paid: Stamped<Option<bool>>,
}

impl Kept {
    /// The members after an import, or the reason for which they do not change. Every rule between members is judged on the
    /// result.
    pub fn after(before: Option<&Self>, import: &Import) -> Result<Self, ItemProblem> {
        let merged = match before {
            None => Self::new(import),
            Some(kept) if kept.offer_id != import.members.offer_id => {
                return Err(ItemProblem::OfferDiffers);
            }
            Some(kept) if kept.invoice_customer_id != import.members.invoice_customer_id => {
                return Err(ItemProblem::CustomerDiffers);
            }
            Some(kept) => kept.merged(import),
        };
        match merged.end_date.value {
            Some(end) if end.at < merged.start_date.value => Err(ItemProblem::EndBeforeStart),
            _ => Ok(merged),
        }
    }

    fn new(import: &Import) -> Self {
        fn unset<T>(value: T) -> Stamped<T> {
            Stamped { value, by: None }
        }
        let members = &import.members;
        Self {
            offer_id: members.offer_id,
            invoice_customer_id: members.invoice_customer_id,
            quantity: unset(members.quantity),
            start_date: unset(members.start_date),
            payment_method: unset(members.payment_method),
            end_date: unset(None),
            order_date: unset(None),
            delivery_customer_id: unset(None),
            discount_basis_points: unset(None),
            current_payment_period_paid: unset(None),
        }
        .merged(import)
    }

    /// Sets the members that the import names and that no import of a higher rank has set.
    fn merged(&self, import: &Import) -> Self {
        fn change<T>(kept: &mut Stamped<Option<T>>, change: Change<T>, rank: PromiseId) {
            match change {
                Change::Keep => {}
                Change::Clear => kept.set(None, rank),
                Change::Set(value) => kept.set(Some(value), rank),
            }
        }
        let (mut kept, members, rank) = (self.clone(), &import.members, import.rank);
        kept.quantity.set(members.quantity, rank);
        kept.start_date.set(members.start_date, rank);
        kept.payment_method.set(members.payment_method, rank);
        let end_date = match members.end_date {
            Change::Set(at) => Change::Set(self.end(at, import.promise)),
            Change::Clear => Change::Clear,
            Change::Keep => Change::Keep,
        };
        change(&mut kept.end_date, end_date, rank);
        change(&mut kept.order_date, members.order_date, rank);
        change(
            &mut kept.delivery_customer_id,
            members.delivery_customer_id,
            rank,
        );
        change(
            &mut kept.discount_basis_points,
            members.discount_basis_points,
            rank,
        );
        change(
            &mut kept.current_payment_period_paid,
            members.current_payment_period_paid,
            rank,
        );
        kept
    }

    /// Repeating the end is not a new cancellation.
    fn end(&self, at: Timestamp, promise: PromiseId) -> End {
        match self.end_date.value {
            Some(end) if end.at == at => end,
            _ => End {
                at,
                since: promise.time(),
            },
        }
    }

    pub(super) fn external(&self, external_system_id: ExternalId) -> External {
        External {
            external_system_id,
            ordered_at: self.order_date.value,
            delivery_customer_id: self.delivery_customer_id.value,
            discount_basis_points: self.discount_basis_points.value,
            current_payment_period_paid: self.current_payment_period_paid.value,
        }
    }

    pub(super) fn life(&self) -> Life {
        match self.end_date.value {
            None => Life::Active,
            Some(End { at, since }) => Life::Cancelled {
                cancelled_at: since,
                ends_at: at,
            },
        }
    }

    /// The members that the import names and that an import of a higher rank has set, with that rank. The members are equal
    /// where the third value is `true`.
    fn overtaken(
        &self,
        import: &Import,
    ) -> impl Iterator<Item = (Member, Option<PromiseId>, bool)> {
        let members = &import.members;
        let end = self.end_date.value.map(|end| end.at);
        [
            named(Member::Quantity, self.quantity, members.quantity),
            named(Member::StartDate, self.start_date, members.start_date),
            named(
                Member::PaymentMethod,
                self.payment_method,
                members.payment_method,
            ),
            optional(
                Member::EndDate,
                Stamped {
                    value: end,
                    by: self.end_date.by,
                },
                members.end_date,
            ),
            optional(Member::OrderDate, self.order_date, members.order_date),
            optional(
                Member::DeliveryCustomerId,
                self.delivery_customer_id,
                members.delivery_customer_id,
            ),
            optional(
                Member::DiscountPercentage,
                self.discount_basis_points,
                members.discount_basis_points,
            ),
            optional(
                Member::CurrentPaymentPeriodPaid,
                self.current_payment_period_paid,
                members.current_payment_period_paid,
            ),
        ]
        .into_iter()
        .flatten()
    }

    /// The members of the import that have another value, which an import of a higher rank set; and the highest of these ranks.
    pub fn superseded(&self, import: &Import) -> (Vec<Member>, Option<PromiseId>) {
        let superseded: Vec<_> = self
            .overtaken(import)
            .filter(|(_, by, equal)| !equal && *by > Some(import.rank))
            .collect();
        (
            superseded.iter().map(|(member, ..)| *member).collect(),
            superseded.iter().filter_map(|(_, by, _)| *by).max(),
        )
    }

    /// The highest rank among the members that the import names, if imports of higher ranks have set all of them.
    pub fn overtakes(&self, import: &Import) -> Option<PromiseId> {
        let all = self
            .overtaken(import)
            .all(|(_, by, _)| by > Some(import.rank));
        let highest = self.overtaken(import).filter_map(|(_, by, _)| by).max();
        highest.filter(|_| all)
    }
}

type Named = Option<(Member, Option<PromiseId>, bool)>;

fn named<T: PartialEq>(member: Member, kept: Stamped<T>, sent: T) -> Named {
    Some((member, kept.by, kept.value == sent))
}

fn optional<T: PartialEq>(member: Member, kept: Stamped<Option<T>>, sent: Change<T>) -> Named {
    (!sent.is_kept()).then(|| (member, kept.by, kept.value == sent.value()))
}
