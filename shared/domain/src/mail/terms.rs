//! Mails about shared offers, which name the reader's carts, and the warnings before the end of old terms.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Mail, MailKind};
use crate::cart::{Cart, CartStatus};
use crate::ids::{CartId, ClientId, ConnectionId, OfferId};
use crate::offer::Offer;
use crate::terms::{Standing, Terms};
use crate::text::Name;
use crate::words::words;

/// The most carts that a mail names.
pub const NAMED_CARTS: usize = 20;

words! {
    /// The mails about one proposal of terms.
    pub enum Occasion {
        /// At once.
        Proposed = "proposed",
        /// Seven days before the end of the old terms.
        WeekBefore = "weekBefore",
        /// 24 hours before it.
        DayBefore = "dayBefore",
    }
}

impl Occasion {
    fn before_the_end(self) -> Option<SignedDuration> {
        match self {
            Self::Proposed => None,
            Self::WeekBefore => Some(SignedDuration::from_hours(7 * 24)),
            Self::DayBefore => Some(SignedDuration::from_hours(24)),
        }
    }
}

/// A shared offer as a mail names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SharedOfferRef {
    pub source_id: ClientId,
    pub source_name: Name,
    pub connection_id: ConnectionId,
    pub offer_id: OfferId,
    pub offer_name: Name,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TermsProposal {
    pub accepted: Terms,
    pub proposed: Terms,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sell_old_terms_until: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NamedCart {
    pub id: CartId,
    pub name: Name,
}

/// The reader's active carts that are concerned, as found when the mail was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub struct AboutCarts {
    /// At most [`NAMED_CARTS`].
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub carts: Vec<NamedCart>,
    /// Whether there are more.
    #[serde(skip_serializing_if = "is_false", default)]
    pub more_carts: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the form that serde calls"
)]
fn is_false(value: &bool) -> bool {
    !value
}

impl AboutCarts {
    /// Of the newest carts, one more than a mail names.
    pub fn of(carts: &[Cart]) -> Self {
        let named = |cart: &Cart| NamedCart {
            id: cart.id,
            name: cart.name.clone(),
        };
        Self {
            carts: carts.iter().take(NAMED_CARTS).map(named).collect(),
            more_carts: carts.len() > NAMED_CARTS,
        }
    }
}

impl MailKind {
    /// The same mail for the next occasion, and its time. Occasions that have passed are left out.
    pub(super) fn next(&self, now: Timestamp) -> Option<(Self, Timestamp)> {
        let Self::TermsProposed {
            offer,
            proposal,
            occasion,
            ..
        } = self
        else {
            return None;
        };
        let until = proposal.sell_old_terms_until?;
        let later = match occasion {
            Occasion::Proposed => [Occasion::WeekBefore, Occasion::DayBefore].as_slice(),
            Occasion::WeekBefore => &[Occasion::DayBefore],
            Occasion::DayBefore => &[],
        };
        later.iter().find_map(|occasion| {
            let due_at = until.checked_sub(occasion.before_the_end()?).ok()?;
            let kind = Self::TermsProposed {
                offer: offer.clone(),
                proposal: *proposal,
                occasion: *occasion,
                carts: AboutCarts::default(),
            };
            (due_at > now).then_some((kind, due_at))
        })
    }

    fn carts(&mut self) -> Option<&mut AboutCarts> {
        match self {
            Self::OffersAccess { carts, .. }
            | Self::OfferArchived { carts, .. }
            | Self::TermsProposed { carts, .. } => Some(carts),
            _ => None,
        }
    }
}

impl Mail {
    /// The owner and the id of the offer that decides whether the mail is still true; `None` if it is true in any case.
    pub fn warns_about(&self) -> Option<(ClientId, OfferId)> {
        match &self.kind {
            MailKind::TermsProposed {
                offer, occasion, ..
            } if *occasion != Occasion::Proposed => Some((offer.source_id, offer.offer_id)),
            _ => None,
        }
    }

    /// Whether the warning still holds: the target has not accepted the proposal, whose deadline is the same.
    pub fn still_warns(&self, offer: Option<&Offer>, now: Timestamp) -> bool {
        let MailKind::TermsProposed { proposal, .. } = &self.kind else {
            return true;
        };
        let standing = offer.and_then(|offer| offer.standing(self.client_id, now));
        match standing {
            Some(Standing::Proposed {
                proposal: current, ..
            }) => {
                current.terms == proposal.proposed
                    && current.sell_old_terms_until == proposal.sell_old_terms_until
            }
            _ => false,
        }
    }

    /// Whether the mail names this cart of its reader; `None` if the mail names no carts.
    pub fn concerns(&self) -> Option<impl Fn(&Cart) -> bool + Send + Sync + use<>> {
        let (offer, connection) = match &self.kind {
            MailKind::OffersAccess { connection_id, .. } => (None, *connection_id),
            MailKind::OfferArchived { offer, .. } | MailKind::TermsProposed { offer, .. } => {
                (Some(offer.offer_id), offer.connection_id)
            }
            _ => return None,
        };
        Some(move |cart: &Cart| {
            cart.status == CartStatus::Active
                && cart.positions.iter().any(|position| match offer {
                    Some(offer) => position.offer_id == offer,
                    None => position
                        .origin
                        .is_some_and(|origin| origin.connection_id == connection),
                })
        })
    }

    /// The mail with the carts that it concerns, if it names carts.
    pub fn naming(mut self, carts: AboutCarts) -> Self {
        if let Some(named) = self.kind.carts() {
            *named = carts;
        }
        self
    }
}
