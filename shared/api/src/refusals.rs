//! Maps each error of the domain to the problem that the caller gets.

use serde_json::{Value, json};
use tandem_domain::after_sale::SubscriptionError;
use tandem_domain::cart::CartError;
use tandem_domain::connection::ConnectionError;
use tandem_domain::erasure::ErasureError;
use tandem_domain::ids::SubscriptionId;
use tandem_domain::input::{FieldError, FieldErrors};
use tandem_domain::offer::OfferError;
use tandem_domain::order::{Order, OrderPosition, ReversalError};
use tandem_domain::payout::PayoutError;
use tandem_domain::purchase::PurchaseError;
use tandem_domain::tenancy::KeyError;
use tandem_domain::terms::TermsError;
use tandem_domain::voucher::RedeemError;

use crate::problem::{Code, Problem};

impl From<ConnectionError> for Problem {
    fn from(error: ConnectionError) -> Self {
        let field = |name: &str, code| Self::from(FieldErrors::at(name, code, error.to_string()));
        match error {
            ConnectionError::OtherSide { .. } => {
                Self::new(Code::ConnectionOtherSide, error.to_string())
            }
            ConnectionError::ResendByTarget => {
                Self::new(Code::ConnectionOtherSide, error.to_string())
            }
            ConnectionError::EditByTarget => Self::new(Code::ConnectionReadOnly, error.to_string()),
            ConnectionError::ImpossibleTransition { .. }
            | ConnectionError::EditImpossible { .. }
            | ConnectionError::ResendImpossible { .. } => {
                Self::new(Code::ConnectionStatus, error.to_string())
            }
            ConnectionError::BlockedByOther { .. } => {
                Self::new(Code::ConnectionBlockedByOther, error.to_string())
            }
            ConnectionError::ModuleOff { .. } => Self::new(
                Code::ModuleOff,
                format!("{error}; the operator can switch it on"),
            ),
            ConnectionError::TargetDisabled => field("targetClientId", "client_disabled"),
            ConnectionError::Itself => field("targetClientId", "is_caller"),
            ConnectionError::CallbackWithinCompany => field("callback", "within_one_company"),
            ConnectionError::CallbackMissing => field("callback", "required"),
        }
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        match &error {
            KeyError::CallerInvalid => Self::new(Code::Unauthenticated, error.to_string()),
            KeyError::BeyondScopes(_) => {
                FieldErrors::at("scopes", "beyond_calling_key", error.to_string()).into()
            }
            KeyError::BeyondExpiry(_) => {
                FieldErrors::at("expiresAt", "beyond_calling_key", error.to_string()).into()
            }
            KeyError::LastKey => Self::new(Code::LastKey, error.to_string()),
        }
    }
}

impl From<OfferError> for Problem {
    fn from(error: OfferError) -> Self {
        match error {
            OfferError::Archived => Self::new(Code::OfferArchived, "create a new offer instead"),
            OfferError::SharingIsFixed => Self::new(
                Code::OfferSharingFixed,
                "create a new offer with crossClient instead",
            ),
            OfferError::PriceTooLarge => {
                FieldErrors::at("price.amount", "out_of_range", error.to_string()).into()
            }
            OfferError::RulesOfSingle => {
                FieldErrors::at("graceDays", "not_for_single", error.to_string()).into()
            }
            OfferError::OnceNotForSingle => {
                FieldErrors::at("oncePerCustomer", "not_for_single", error.to_string()).into()
            }
            OfferError::DeadlineInThePast => {
                FieldErrors::at("sellOldTermsUntil", "in_the_past", error.to_string()).into()
            }
            OfferError::NothingProposed => {
                FieldErrors::at("sellOldTermsUntil", "nothing_proposed", error.to_string()).into()
            }
        }
    }
}

impl From<TermsError> for Problem {
    fn from(error: TermsError) -> Self {
        match error {
            TermsError::NotShared => Self::missing(Code::OfferNotFound),
            TermsError::OtherVersion { .. } => Self::new(
                Code::TermsOtherVersion,
                format!("{error}; read the offer, and accept the terms that it proposes"),
            ),
        }
    }
}

/// The problem of a cart that is created or edited: it names the positions of the body.
pub fn draft_refused(error: CartError) -> Problem {
    match error {
        CartError::Archived => Problem::new(Code::CartArchived, "create a new cart instead"),
        CartError::Positions(wrong) => {
            let error =
                |(number, problem): &(u8, tandem_domain::cart::PositionProblem)| FieldError {
                    field: format!(
                        "positions[{}].offerId",
                        usize::from(*number).saturating_sub(1)
                    ),
                    code: problem.code(),
                    detail: format!("position {number}: {problem}"),
                };
            FieldErrors(wrong.iter().map(error).collect()).into()
        }
        CartError::NothingMandatory => {
            FieldErrors::at("positions", "nothing_mandatory", error.to_string()).into()
        }
        CartError::NothingOwn => {
            FieldErrors::at("positions", "nothing_own", error.to_string()).into()
        }
    }
}

impl From<PurchaseError> for Problem {
    fn from(error: PurchaseError) -> Self {
        match error {
            PurchaseError::UnknownPositions(numbers) => {
                let error = |number: &u8| FieldError {
                    field: "positions".to_owned(),
                    code: "no_such_position",
                    detail: format!("the cart has no position {number}"),
                };
                FieldErrors(numbers.iter().map(error).collect()).into()
            }
            PurchaseError::TotalTooLarge(_) => {
                FieldErrors::at("positions", "total_too_large", error.to_string()).into()
            }
            PurchaseError::TotalDiffers { ref order, .. } => Self {
                totals: Some(totals(order)),
                ..Self::new(
                    Code::TotalDiffers,
                    format!("nothing was bought; {error}; show the customer the new total first"),
                )
            },
            PurchaseError::TooManyOnce => {
                FieldErrors::at("positions", "too_many_once_per_customer", error.to_string()).into()
            }
            PurchaseError::AlreadySubscribed(running) => Self {
                errors: running.iter().map(already_subscribed).collect(),
                ..Self::new(
                    Code::AlreadySubscribed,
                    "nothing was bought; the offer is sold once to a customer, until its subscription ends",
                )
            },
            PurchaseError::StartTooFar => {
                FieldErrors::at("startDate", "out_of_range", error.to_string()).into()
            }
            PurchaseError::Cart(CartError::Archived) => {
                Self::new(Code::CartArchived, "an archived cart cannot be bought")
            }
            PurchaseError::Cart(CartError::Positions(wrong)) => {
                let named = wrong
                    .iter()
                    .map(|(number, problem)| format!("position {number}: {problem}"))
                    .collect::<Vec<_>>();
                let error =
                    |(number, problem): &(u8, tandem_domain::cart::PositionProblem)| FieldError {
                        field: format!("position {number}"),
                        code: problem.code(),
                        detail: problem.to_string(),
                    };
                Self {
                    errors: wrong.iter().map(error).collect(),
                    ..Self::new(
                        Code::CartNotSellable,
                        format!("nothing was bought; {}", named.join("; ")),
                    )
                }
            }
            PurchaseError::Cart(error @ (CartError::NothingMandatory | CartError::NothingOwn)) => {
                Self::new(
                    Code::CartNotSellable,
                    format!("nothing was bought; {error}"),
                )
            }
        }
    }
}

/// The amounts of an order that is not bought.
fn totals(order: &Order) -> Value {
    let position = |position: &OrderPosition| {
        json!({
            "position": position.position,
            "quantity": position.quantity,
            "unitPrice": position.unit_price,
            "amount": position.amount,
        })
    };
    let positions: Vec<_> = order.positions.iter().map(position).collect();
    json!({"total": order.total, "positions": positions})
}

fn already_subscribed((position, id): &(u8, SubscriptionId)) -> FieldError {
    FieldError {
        field: id.to_string(),
        code: "already_subscribed",
        detail: format!("position {position}: the customer has the offer by this subscription"),
    }
}

impl From<ErasureError> for Problem {
    fn from(error: ErasureError) -> Self {
        let ErasureError::StillRunning { own, others } = &error;
        let running = |(id, status): &(SubscriptionId, &str)| FieldError {
            field: id.to_string(),
            code: "subscription_running",
            detail: format!(
                "the subscription is {status}; end it first by cancellation, refund, charge-back or import"
            ),
        };
        let theirs = if *others {
            "; another client of your contracting company has running subscriptions, ask it to end them"
        } else {
            ""
        };
        Self {
            errors: own.iter().map(running).collect(),
            ..Self::new(
                Code::SubscriptionsRunning,
                format!("nothing was erased; {error}{theirs}"),
            )
        }
    }
}

impl From<ReversalError> for Problem {
    fn from(error: ReversalError) -> Self {
        match error {
            ReversalError::UnknownPositions(_) => {
                FieldErrors::at("positions", "no_such_position", error.to_string()).into()
            }
            ReversalError::ExternallyManaged => {
                Self::new(Code::ExternallyManaged, error.to_string())
            }
            ReversalError::NotPaid(_) => Self::new(Code::PositionNotPaid, error.to_string()),
            ReversalError::AmountOfSeveral => {
                FieldErrors::at("positions", "one_position", error.to_string()).into()
            }
            ReversalError::Subscription(error) => error.into(),
        }
    }
}

impl From<SubscriptionError> for Problem {
    fn from(error: SubscriptionError) -> Self {
        match error {
            SubscriptionError::ReadOnly => Self::new(Code::SubscriptionReadOnly, error.to_string()),
            SubscriptionError::ExternallyManaged => {
                Self::new(Code::ExternallyManaged, error.to_string())
            }
            SubscriptionError::DoesNotRenew => {
                Self::new(Code::SubscriptionDoesNotRenew, error.to_string())
            }
            SubscriptionError::Ended { .. } | SubscriptionError::Expired => {
                Self::new(Code::SubscriptionEnded, error.to_string())
            }
            SubscriptionError::OtherPeriod { .. } => {
                Self::new(Code::SubscriptionOtherPeriod, error.to_string())
            }
            SubscriptionError::PastDue { .. } => {
                Self::new(Code::SubscriptionPastDue, error.to_string())
            }
            SubscriptionError::NoSuchPeriod { .. } => {
                Self::new(Code::PeriodNotFound, error.to_string())
            }
            SubscriptionError::NothingLeft { .. } => {
                Self::new(Code::NothingLeft, error.to_string())
            }
            SubscriptionError::TooManyUnpaid => Self::new(Code::TooManyUnpaid, error.to_string()),
            SubscriptionError::NotCancelled => {
                Self::new(Code::SubscriptionNotCancelled, error.to_string())
            }
            SubscriptionError::AmountOutOfRange { .. } => {
                FieldErrors::at("amount.amount", "out_of_range", error.to_string()).into()
            }
            SubscriptionError::OtherCurrency { .. } => {
                FieldErrors::at("amount.currency", "currency_differs", error.to_string()).into()
            }
            SubscriptionError::EndsInThePast { member } => {
                FieldErrors::at(member, "in_the_past", error.to_string()).into()
            }
        }
    }
}

impl From<RedeemError> for Problem {
    fn from(error: RedeemError) -> Self {
        match error {
            RedeemError::NotFound => Self::missing(Code::VoucherNotFound),
            RedeemError::OtherCustomer => Self::new(Code::VoucherRedeemed, error.to_string()),
        }
    }
}

impl From<PayoutError> for Problem {
    fn from(error: PayoutError) -> Self {
        match error {
            PayoutError::NotDueToCaller => Self::new(Code::PayoutNotDueToCaller, error.to_string()),
        }
    }
}
