//! Offers: products, their sharing, and the system that manages them.

mod contradictions;
mod cost_centers;
mod cross_client;
mod renewal_rules;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{ClientId, OfferId};
use crate::input::{Object, Parsed, boolean};
use crate::instant::instant;
use crate::metadata::{Metadata, edited};
use crate::money::{MAX_EXACT_AMOUNT, Money};
use crate::period::Period;
use crate::terms::{OfferTerms, OwnTerms, TermsChange, TermsEdit, changed};
use crate::text::{Description, Name};
use crate::words::words;

pub use cost_centers::{CostCenter, CostCenters};
pub use cross_client::{CrossClient, MAX_TARGETS};
pub use renewal_rules::RenewalRules;

use contradictions::contradictions;
use cross_client::Sharing;
use renewal_rules::{RenewalRulesEdit, not_for_single};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "type")]
pub enum OfferKind {
    Subscription {
        /// The time that one payment covers.
        period: Period,
        /// Whether further periods may be paid.
        renews: bool,
    },
    /// Sold once.
    Single,
}

words! {
    enum OfferType {
        Subscription = "subscription",
        Single = "single",
    }
}

impl OfferKind {
    /// Reads `period` and `renews`, which an offer has if it is a subscription, and only then.
    fn read(object: &mut Object<'_>, offer_type: Option<OfferType>) -> Option<Self> {
        if offer_type == Some(OfferType::Subscription) {
            let period = object.required("period", Period::parse);
            let renews = object.required("renews", boolean);
            return Some(Self::Subscription {
                period: period?,
                renews: renews?,
            });
        }
        let period = object.optional("period", Period::parse).is_some();
        let renews = object.optional("renews", boolean).is_some();
        // With an unknown type, the fields may be right or wrong.
        if offer_type == Some(OfferType::Single) {
            for (name, given) in [("period", period), ("renews", renews)] {
                if given {
                    object.note(not_for_single(name));
                }
            }
        }
        offer_type.map(|_| Self::Single)
    }
}

words! {
    pub enum OfferStatus {
        Active = "active",
        /// Can no longer be sold; sold subscriptions stay.
        Archived = "archived",
    }
}

/// The largest price of an externally managed offer, in minor units. The largest quantity of an import (10^4) then makes an
/// order of at most [`MAX_EXACT_AMOUNT`]. A purchase checks its total itself.
pub const MAX_MANAGED_PRICE: i64 = MAX_EXACT_AMOUNT / 10_000;

/// A product that a client sells, or shares for other clients to sell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Offer {
    pub id: OfferId,
    /// The owner.
    pub client_id: ClientId,
    pub name: Name,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub description: Option<Description>,
    #[serde(flatten)]
    pub kind: OfferKind,
    /// Of one unit for one period.
    pub price: Money,
    #[serde(flatten)]
    pub rules: RenewalRules,
    /// Set if shared; the owner itself then does not sell the offer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cross_client: Option<CrossClient>,
    /// Of a shared offer; `None` in a row of an earlier release.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub terms: Option<OfferTerms>,
    /// Never sold in a cart, only imported from the leading system.
    pub externally_managed: bool,
    /// A customer who has a running subscription of the offer cannot buy it again.
    #[serde(skip_serializing_if = "is_false", default)]
    pub once_per_customer: bool,
    /// Copied into sales; targets see them.
    #[serde(skip_serializing_if = "Metadata::is_empty", default)]
    pub metadata: Metadata,
    /// Copied into the sales of the target.
    #[serde(skip_serializing_if = "CostCenters::is_empty", default)]
    pub cost_centers: CostCenters,
    pub status: OfferStatus,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub version: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature of serde")]
fn is_false(value: &bool) -> bool {
    !value
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    #[error("the offer is archived")]
    Archived,
    /// Carts rely on it.
    #[error("an offer cannot become or cease to be cross-client")]
    SharingIsFixed,
    #[error("an externally managed offer costs at most {MAX_MANAGED_PRICE}")]
    PriceTooLarge,
    /// It has neither renewals nor access.
    #[error("only an offer of type subscription has graceDays and renewalAmountTolerancePercent")]
    RulesOfSingle,
    #[error("only an offer of type subscription has this field")]
    OnceNotForSingle,
    #[error("sellOldTermsUntil must be in the future")]
    DeadlineInThePast,
    #[error("no target sells the offer at older terms, so none has to accept new ones")]
    NothingProposed,
}

/// An edited offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditedOffer {
    pub offer: Offer,
    /// The changes for targets that had accepted terms.
    pub changes: Vec<TermsChange>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferDraft {
    name: Name,
    description: Option<Description>,
    kind: OfferKind,
    price: Money,
    rules: RenewalRules,
    /// Set if the offer is shared.
    pub cross_client: Option<CrossClient>,
    own_terms: Option<Vec<OwnTerms>>,
    externally_managed: bool,
    once_per_customer: bool,
    metadata: Metadata,
    cost_centers: CostCenters,
}

impl OfferDraft {
    pub fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let name = object.required("name", Name::parse);
        let description = object.optional("description", Description::parse);
        let offer_type = object.required("type", OfferType::parse);
        let price = object.required("price", Money::parse_price);
        let (cross_client, own_terms) =
            Sharing::split(object.optional("crossClient", Sharing::parse));
        let externally_managed = object
            .optional("externallyManaged", boolean)
            .unwrap_or(false);
        let kind = OfferKind::read(&mut object, offer_type);
        let rules = RenewalRules::read(&mut object, offer_type == Some(OfferType::Single));
        let metadata = object
            .optional("metadata", Metadata::parse)
            .unwrap_or_default();
        let cost_centers = object
            .optional("costCenters", CostCenters::parse)
            .unwrap_or_default();
        let once_per_customer = object.optional("oncePerCustomer", boolean).unwrap_or(false);
        object.note(contradictions(
            offer_type,
            price,
            cross_client.is_some(),
            externally_managed,
            once_per_customer,
        ));
        object.finish(|| {
            Some(Self {
                name: name?,
                description,
                kind: kind?,
                price: price?,
                rules,
                cross_client,
                own_terms,
                externally_managed,
                once_per_customer,
                metadata,
                cost_centers,
            })
        })
    }

    pub fn create(self, id: OfferId, client_id: ClientId, now: Timestamp) -> Offer {
        let terms = self.cross_client.as_ref().map(|_| {
            let own = self.own_terms.unwrap_or_default();
            OfferTerms::new(own)
        });
        Offer {
            id,
            client_id,
            name: self.name,
            description: self.description,
            kind: self.kind,
            price: self.price,
            rules: self.rules,
            cross_client: self.cross_client,
            terms,
            externally_managed: self.externally_managed,
            once_per_customer: self.once_per_customer,
            metadata: self.metadata,
            cost_centers: self.cost_centers,
            status: OfferStatus::Active,
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferEdit {
    name: Option<Name>,
    description: Option<Option<Description>>,
    price: Option<Money>,
    rules: RenewalRulesEdit,
    /// Replaces the sharing, if given.
    pub cross_client: Option<CrossClient>,
    terms: TermsEdit,
    once_per_customer: Option<bool>,
    metadata: Option<Option<Metadata>>,
    cost_centers: Option<Option<CostCenters>>,
}

impl OfferEdit {
    /// The members that `null` clears.
    pub const CLEARABLE: &[&str] = &[
        "description",
        "sellOldTermsUntil",
        RenewalRules::CLEARABLE,
        "metadata",
        "costCenters",
    ];

    /// Type, period and management are fixed: they need a new offer.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let name = object.optional("name", Name::parse);
        let description = object.clearable("description", Description::parse);
        let price = object.optional("price", Money::parse_price);
        let rules = RenewalRulesEdit::read(&mut object);
        let (cross_client, own) = Sharing::split(object.optional("crossClient", Sharing::parse));
        let sell_old_terms_until = object.clearable("sellOldTermsUntil", instant);
        let once_per_customer = object.optional("oncePerCustomer", boolean);
        let metadata = object.clearable("metadata", Metadata::parse);
        let cost_centers = object.clearable("costCenters", CostCenters::parse);
        object.finish(|| {
            Some(Self {
                name,
                description,
                price,
                rules,
                cross_client,
                terms: TermsEdit {
                    own,
                    sell_old_terms_until,
                },
                once_per_customer,
                metadata,
                cost_centers,
            })
        })
    }
}

impl Offer {
    /// Sold subscriptions keep their price. Targets keep the terms that they accepted.
    pub fn edit(self, edit: OfferEdit, now: Timestamp) -> Result<EditedOffer, OfferError> {
        if self.status == OfferStatus::Archived {
            return Err(OfferError::Archived);
        }
        if edit.cross_client.is_some() && self.cross_client.is_none() {
            return Err(OfferError::SharingIsFixed);
        }
        if edit.rules.sets() && self.kind == OfferKind::Single {
            return Err(OfferError::RulesOfSingle);
        }
        let price = edit.price.unwrap_or(self.price);
        if self.externally_managed && price.amount > MAX_MANAGED_PRICE {
            return Err(OfferError::PriceTooLarge);
        }
        let once_per_customer = edit.once_per_customer.unwrap_or(self.once_per_customer);
        if once_per_customer && self.kind == OfferKind::Single {
            return Err(OfferError::OnceNotForSingle);
        }
        let deadline = edit.terms.sell_old_terms_until.flatten();
        if deadline.is_some_and(|deadline| deadline <= now) {
            return Err(OfferError::DeadlineInThePast);
        }
        let mut offer = Self {
            name: edit.name.unwrap_or_else(|| self.name.clone()),
            description: edit.description.unwrap_or_else(|| self.description.clone()),
            price,
            rules: self.rules.edited(edit.rules),
            cross_client: edit.cross_client.or_else(|| self.cross_client.clone()),
            once_per_customer,
            metadata: edited(edit.metadata, self.metadata.clone()),
            cost_centers: edit
                .cost_centers
                .map_or_else(|| self.cost_centers.clone(), Option::unwrap_or_default),
            updated_at: now,
            ..self.clone()
        };
        let (terms, changes) = changed(&self, &offer, &edit.terms).unzip();
        offer.terms = terms;
        if deadline.is_some() && !offer.has_open_proposal() {
            return Err(OfferError::NothingProposed);
        }
        Ok(EditedOffer {
            offer,
            changes: changes.unwrap_or_default(),
        })
    }

    pub fn archive(self, now: Timestamp) -> Result<Self, OfferError> {
        match self.status {
            OfferStatus::Active => Ok(Self {
                status: OfferStatus::Archived,
                updated_at: now,
                ..self
            }),
            OfferStatus::Archived => Err(OfferError::Archived),
        }
    }

    /// Whether the client may sell the offer.
    pub fn names(&self, target: ClientId) -> bool {
        self.cross_client
            .as_ref()
            .is_some_and(|sharing| sharing.target_client_ids.contains(&target))
    }
}
