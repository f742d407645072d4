//! Offers: what is sold, how it is shared, and who manages it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{ClientId, OfferId};
use crate::input::{FieldErrors, Object, Parsed, boolean, list, parsed};
use crate::money::{BasisPoints, Money};
use crate::period::Period;
use crate::text::{Description, Name};
use crate::words::words;

/// The most target clients that one offer names; with their share rows the offer still fits one transaction.
pub const MOST_TARGETS: usize = 40;

/// What kind of thing is sold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "type")]
pub enum OfferKind {
    /// Time-based: each payment covers one period.
    Subscription {
        /// What one payment covers.
        period: Period,
        /// Whether further periods may be paid.
        renews: bool,
    },
    /// Sold once.
    Single,
}

/// How an offer is shared with target clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CrossClient {
    /// Who may sell it, without repeats.
    pub target_client_ids: Vec<ClientId>,
    /// What the seller keeps of the gross amount.
    pub seller_share_basis_points: BasisPoints,
}

impl CrossClient {
    fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let targets = object.required("targetClientIds", |value| {
            let mut ids: Vec<ClientId> = list(1..=MOST_TARGETS, parsed)(value)?;
            ids.sort_unstable();
            ids.dedup();
            Ok(ids)
        });
        let share = object.required("sellerShareBasisPoints", BasisPoints::parse);
        object.finish(|| {
            Some(Self {
                target_client_ids: targets?,
                seller_share_basis_points: share?,
            })
        })
    }
}

words! {
    pub enum OfferStatus {
        Active = "active",
        /// Can no longer be sold; sold subscriptions stay.
        Archived = "archived",
    }
}

/// Something a client sells, or shares for others to sell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Offer {
    /// Id.
    pub id: OfferId,
    /// The owner.
    pub client_id: ClientId,
    /// Name.
    pub name: Name,
    /// Description.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub description: Option<Description>,
    /// Subscription or single.
    #[serde(flatten)]
    pub kind: OfferKind,
    /// Price of one unit for one period.
    pub price: Money,
    /// Set if shared; the owner then does not sell it itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cross_client: Option<CrossClient>,
    /// Never sold in a cart, only imported from the leading system.
    pub externally_managed: bool,
    /// Active or archived.
    pub status: OfferStatus,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Counts the changes, for optimistic locking.
    pub version: u64,
}

/// The offer cannot be changed that way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    /// Archived offers stay as they were sold.
    #[error("the offer is archived")]
    Archived,
    /// An offer is cross-client from its first day or not at all: carts rely on it.
    #[error("an offer cannot become or cease to be cross-client")]
    SharingIsFixed,
}

/// Input of a new offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferDraft {
    name: Name,
    description: Option<Description>,
    kind: OfferKind,
    price: Money,
    /// Set if it is to be shared.
    pub cross_client: Option<CrossClient>,
    externally_managed: bool,
}

impl OfferDraft {
    /// Reads a new offer.
    ///
    /// # Errors
    /// Names each wrong member, and members that do not go together.
    pub fn parse(value: &Value) -> Parsed<Self> {
        words! {
            enum Type {
                Subscription = "subscription",
                Single = "single",
            }
        }
        let mut object = Object::read(value)?;
        let name = object.required("name", Name::parse);
        let description = object.optional("description", Description::parse);
        let kind = object.required("type", Type::parse);
        let price = object.required("price", Money::parse_price);
        let cross_client = object.optional("crossClient", CrossClient::parse);
        let externally_managed = object
            .optional("externallyManaged", boolean)
            .unwrap_or(false);
        let (period, renews) = match kind {
            Some(Type::Subscription) => (
                object.required("period", Period::parse),
                object.required("renews", boolean),
            ),
            _ => (
                object.optional("period", Period::parse),
                object.optional("renews", boolean),
            ),
        };
        if kind == Some(Type::Single) {
            for (name, given) in [("period", period.is_some()), ("renews", renews.is_some())] {
                if given {
                    object.note(FieldErrors::at(
                        name,
                        "not_for_single",
                        "only an offer of type subscription has this field",
                    ));
                }
            }
            if cross_client.is_some() {
                object.note(FieldErrors::at(
                    "crossClient",
                    "not_time_based",
                    "only an offer of type subscription can be shared",
                ));
            }
        }
        if cross_client.is_some() && externally_managed {
            let detail =
                "an externally managed offer is never sold in a cart and so cannot be shared";
            object.note(FieldErrors::at(
                "externallyManaged",
                "contradicts_cross_client",
                detail,
            ));
        }
        object.finish(|| {
            let kind = match kind? {
                Type::Subscription => OfferKind::Subscription {
                    period: period?,
                    renews: renews?,
                },
                Type::Single => OfferKind::Single,
            };
            Some(Self {
                name: name?,
                description,
                kind,
                price: price?,
                cross_client,
                externally_managed,
            })
        })
    }

    /// Makes the offer.
    pub fn create(self, id: OfferId, client_id: ClientId, now: Timestamp) -> Offer {
        Offer {
            id,
            client_id,
            name: self.name,
            description: self.description,
            kind: self.kind,
            price: self.price,
            cross_client: self.cross_client,
            externally_managed: self.externally_managed,
            status: OfferStatus::Active,
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }
}

/// Input of an edit of an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferEdit {
    name: Option<Name>,
    description: Option<Option<Description>>,
    price: Option<Money>,
    /// New sharing, if it is to change.
    pub cross_client: Option<CrossClient>,
}

impl OfferEdit {
    /// Reads an edit. Type, period and management are fixed: make a new offer instead.
    ///
    /// # Errors
    /// Names each wrong member.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let edit = Self {
            name: object.optional("name", Name::parse),
            description: object.clearable("description", Description::parse),
            price: object.optional("price", Money::parse_price),
            cross_client: object.optional("crossClient", CrossClient::parse),
        };
        object.finish(|| Some(edit))
    }
}

impl Offer {
    /// The offer as it is after the edit. What was sold keeps its price.
    ///
    /// # Errors
    /// The offer is archived, or its sharing would begin.
    pub fn edit(self, edit: OfferEdit, now: Timestamp) -> Result<Self, OfferError> {
        if self.status == OfferStatus::Archived {
            return Err(OfferError::Archived);
        }
        if edit.cross_client.is_some() && self.cross_client.is_none() {
            return Err(OfferError::SharingIsFixed);
        }
        Ok(Self {
            name: edit.name.unwrap_or(self.name),
            description: edit.description.unwrap_or(self.description),
            price: edit.price.unwrap_or(self.price),
            cross_client: edit.cross_client.or(self.cross_client),
            updated_at: now,
            ..self
        })
    }

    /// The offer as it is after it was archived.
    ///
    /// # Errors
    /// It is archived already.
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

    /// Whether the offer names this client as one that may sell it.
    pub fn names(&self, target: ClientId) -> bool {
        self.cross_client
            .as_ref()
            .is_some_and(|sharing| sharing.target_client_ids.contains(&target))
    }
}
