//! Terms of a shared offer: price and seller's share, with a version. The period is part of them, and never changes.
//!
//! A target sells the offer at the version that it accepted. [`Standing`] is the state of one target:
//!
//! ```text
//!        accept                 propose                sellOldTermsUntil comes
//!  open --------> accepted <----------------> proposed ------------------------> expired
//!                     ^          accept                                            |
//!                     +------------------------------------------------------------+
//!                                                accept
//! ```
//!
//! A change that only favours the target is accepted for it at once. An offer of an earlier release has no [`OfferTerms`]: its
//! targets have accepted version 1.

mod change;
mod events;
mod input;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use change::{Effect, TermsChange, in_words};
pub(crate) use change::{TermsEdit, changed};
pub use input::{OwnTerms, TermsVersion};

use crate::ids::ClientId;
use crate::money::{BasisPoints, Money};
use crate::offer::{Offer, OfferStatus};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Terms {
    /// Counts the changes; 1 for the first terms.
    pub version: u64,
    /// Of one unit for one period.
    pub price: Money,
    /// The seller's part of the gross amount.
    pub seller_share_basis_points: BasisPoints,
}

impl Terms {
    /// Whether a target that accepted the terms `before` needs no question: all that differs is a higher share for it.
    pub fn only_favour(&self, before: &Self) -> bool {
        self.price == before.price
            && self.seller_share_basis_points.0 >= before.seller_share_basis_points.0
    }

    /// Apart from the version.
    fn equal(&self, other: &Self) -> bool {
        self.price == other.price
            && self.seller_share_basis_points == other.seller_share_basis_points
    }
}

/// The versions of an offer's terms, and the terms of each target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OfferTerms {
    /// The highest version that any terms had.
    pub latest: u64,
    /// Of the terms for targets without terms of their own.
    pub version: u64,
    /// Targets that accepted terms, or have terms of their own; sorted by id.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub targets: Vec<TargetTerms>,
}

/// Shown to the source, and to this target only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetTerms {
    pub client_id: ClientId,
    /// Of the terms that the source offers to the target at present.
    pub version: u64,
    /// Replaces the offer's price for this target.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub price: Option<Money>,
    /// Replaces the offer's share for this target.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub seller_share_basis_points: Option<BasisPoints>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub accepted: Option<Terms>,
    /// The end of sales at accepted terms of an older version.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sell_old_terms_until: Option<Timestamp>,
}

impl OfferTerms {
    /// Of a new offer, whose targets have accepted nothing.
    pub(crate) fn new(own: Vec<OwnTerms>) -> Self {
        let mut targets: Vec<_> = own.into_iter().map(TargetTerms::from).collect();
        targets.sort_unstable_by_key(|entry| entry.client_id);
        Self {
            latest: 1,
            version: 1,
            targets,
        }
    }

    pub fn of(&self, target: ClientId) -> Option<&TargetTerms> {
        self.targets.iter().find(|entry| entry.client_id == target)
    }
}

impl From<OwnTerms> for TargetTerms {
    fn from(own: OwnTerms) -> Self {
        Self {
            client_id: own.target_client_id,
            version: 1,
            price: own.price,
            seller_share_basis_points: own.seller_share_basis_points,
            accepted: None,
            sell_old_terms_until: None,
        }
    }
}

/// Terms that a target has not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proposal {
    pub terms: Terms,
    /// Until then the target sells at the terms that it accepted; `None` without end.
    pub sell_old_terms_until: Option<Timestamp>,
}

/// The state of one target towards the terms of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The target has accepted nothing.
    Open(Terms),
    /// The target accepted the present terms.
    Accepted(Terms),
    /// It sells at the terms that it accepted.
    Proposed { accepted: Terms, proposal: Proposal },
    /// It sells no longer: `sell_old_terms_until` has come.
    Expired { accepted: Terms, proposal: Proposal },
}

/// The target must accept the present terms before it sells the offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("version {version} of the offer's terms is not accepted")]
pub struct TermsNotAccepted {
    /// The version to accept.
    pub version: u64,
}

impl Standing {
    /// The terms of a sale.
    pub fn sold_at(&self) -> Result<Terms, TermsNotAccepted> {
        match self {
            Self::Accepted(terms)
            | Self::Proposed {
                accepted: terms, ..
            } => Ok(*terms),
            Self::Open(terms)
            | Self::Expired {
                proposal: Proposal { terms, .. },
                ..
            } => Err(TermsNotAccepted {
                version: terms.version,
            }),
        }
    }

    /// The terms of a position that is put into a cart, which accepts the first ones.
    pub fn put_into_cart_at(&self) -> Result<Terms, TermsNotAccepted> {
        match self {
            Self::Open(terms) => Ok(*terms),
            _ => self.sold_at(),
        }
    }

    /// The terms that the target last accepted.
    pub fn accepted(&self) -> Option<Terms> {
        match self {
            Self::Open(_) => None,
            Self::Accepted(accepted)
            | Self::Proposed { accepted, .. }
            | Self::Expired { accepted, .. } => Some(*accepted),
        }
    }

    /// The terms that the target may accept.
    pub fn proposal(&self) -> Option<Proposal> {
        match self {
            Self::Accepted(_) => None,
            Self::Open(terms) => Some(Proposal {
                terms: *terms,
                sell_old_terms_until: None,
            }),
            Self::Proposed { proposal, .. } | Self::Expired { proposal, .. } => Some(*proposal),
        }
    }
}

/// Why terms cannot be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TermsError {
    /// The offer does not name the client, or is archived.
    #[error("the offer is not shared with this client")]
    NotShared,
    #[error("version {current} of the terms is the one to accept")]
    OtherVersion { current: u64 },
}

/// An offer whose terms a target accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedTerms {
    pub offer: Offer,
    /// `None` if these are the first ones.
    pub before: Option<Terms>,
    pub accepted: Terms,
}

impl Offer {
    /// As stored, or those of an offer of an earlier release; `None` for an offer that is not shared.
    pub fn terms_of_targets(&self) -> Option<OfferTerms> {
        let sharing = self.cross_client.as_ref()?;
        let stored = self.terms.clone();
        Some(stored.unwrap_or_else(|| {
            OfferTerms {
                targets: sharing
                    .target_client_ids
                    .iter()
                    .map(|client_id| TargetTerms {
                        client_id: *client_id,
                        version: 1,
                        price: None,
                        seller_share_basis_points: None,
                        accepted: Some(Terms {
                            version: 1,
                            price: self.price,
                            seller_share_basis_points: sharing.seller_share_basis_points,
                        }),
                        sell_old_terms_until: None,
                    })
                    .collect(),
                ..OfferTerms::new(Vec::new())
            }
        }))
    }

    /// The terms that the source offers to the target at present; `None` if the offer does not name it.
    pub fn terms_for(&self, target: ClientId) -> Option<Terms> {
        let sharing = self.cross_client.as_ref()?;
        let terms = self.terms_of_targets().filter(|_| self.names(target))?;
        let own = terms.of(target);
        let (price, share) = own.map_or((None, None), |own| {
            (own.price, own.seller_share_basis_points)
        });
        Some(Terms {
            version: own.map_or(terms.version, |own| own.version),
            price: price.unwrap_or(self.price),
            seller_share_basis_points: share.unwrap_or(sharing.seller_share_basis_points),
        })
    }

    /// `None` if the offer does not name the target.
    pub fn standing(&self, target: ClientId, now: Timestamp) -> Option<Standing> {
        let present = self.terms_for(target)?;
        let terms = self.terms_of_targets()?;
        let own = terms.of(target);
        let Some(accepted) = own.and_then(|own| own.accepted) else {
            return Some(Standing::Open(present));
        };
        if accepted.version == present.version {
            return Some(Standing::Accepted(accepted));
        }
        let sell_old_terms_until = own.and_then(|own| own.sell_old_terms_until);
        let proposal = Proposal {
            terms: present,
            sell_old_terms_until,
        };
        Some(if sell_old_terms_until.is_some_and(|until| until <= now) {
            Standing::Expired { accepted, proposal }
        } else {
            Standing::Proposed { accepted, proposal }
        })
    }

    /// Whether a target sells at older terms than the present ones, or may no longer.
    pub(crate) fn has_open_proposal(&self) -> bool {
        self.terms
            .iter()
            .flat_map(|terms| &terms.targets)
            .any(|own| {
                own.accepted
                    .is_some_and(|accepted| accepted.version != own.version)
            })
    }

    /// The target accepts the present terms, named by their version; `None` if it has accepted them already.
    ///
    /// # Errors
    /// The offer is not for the target, or the version is not the present one.
    pub fn accept_terms(
        mut self,
        target: ClientId,
        version: u64,
    ) -> Result<Option<AcceptedTerms>, TermsError> {
        if self.status == OfferStatus::Archived {
            return Err(TermsError::NotShared);
        }
        let (Some(accepted), Some(mut terms)) = (self.terms_for(target), self.terms_of_targets())
        else {
            return Err(TermsError::NotShared);
        };
        if accepted.version != version {
            return Err(TermsError::OtherVersion {
                current: accepted.version,
            });
        }
        let own = terms.of(target).copied();
        let before = own.and_then(|own| own.accepted);
        if before.is_some_and(|before| before.version == version) {
            return Ok(None);
        }
        terms.targets.retain(|entry| entry.client_id != target);
        terms.targets.push(TargetTerms {
            client_id: target,
            version,
            price: own.and_then(|own| own.price),
            seller_share_basis_points: own.and_then(|own| own.seller_share_basis_points),
            accepted: Some(accepted),
            sell_old_terms_until: None,
        });
        terms.targets.sort_unstable_by_key(|entry| entry.client_id);
        self.terms = Some(terms);
        Ok(Some(AcceptedTerms {
            offer: self,
            before,
            accepted,
        }))
    }

    /// The offer after the target put it into a cart; `None` unless this accepts the first terms.
    pub fn put_into_cart(&self, target: ClientId, now: Timestamp) -> Option<Self> {
        let Standing::Open(terms) = self.standing(target, now)? else {
            return None;
        };
        let accepted = self.clone().accept_terms(target, terms.version).ok()??;
        Some(accepted.offer)
    }
}
