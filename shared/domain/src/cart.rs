//! Carts: bundles of a target client, and what must hold of them whenever they are made, edited or bought.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{CartId, ClientId, CompanyId, ConnectionId, OfferId};
use crate::input::{FieldErrors, Object, Parsed, boolean, integer, list, parsed};
use crate::offer::{Offer, OfferStatus};
use crate::sharing::{NotShared, SharedOffer};
use crate::text::{Description, Name};

/// The most positions of a cart. With the longest purchase (19 cross-client positions of five rows each) the transaction
/// still has at most 100 actions.
pub const MOST_POSITIONS: usize = 20;

/// How a position comes into a purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Choice {
    /// Always bought.
    Mandatory,
    /// Bought if chosen.
    Optional,
    /// Bought if chosen; the checkout should show it as chosen.
    Preselected,
}

/// Whose offer a cross-client position sells. All three never change for a connection that was active once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Origin {
    /// The source client.
    pub client_id: ClientId,
    /// Its contracting company.
    pub company_id: CompanyId,
    /// The connection by which it shares.
    pub connection_id: ConnectionId,
}

/// One position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Position {
    /// 1 for the first, without gaps.
    pub number: u8,
    /// What is sold.
    pub offer_id: OfferId,
    /// How it comes into a purchase.
    pub choice: Choice,
    /// Set for a cross-client offer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub origin: Option<Origin>,
}

/// Whether a cart can be bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CartStatus {
    /// It can.
    Active,
    /// It no longer can.
    Archived,
}

/// A cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cart {
    /// Id.
    pub id: CartId,
    /// The owner, who sells it.
    pub client_id: ClientId,
    /// Name.
    pub name: Name,
    /// Description.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub description: Option<Description>,
    /// In order of their numbers.
    pub positions: Vec<Position>,
    /// Active or archived.
    pub status: CartStatus,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Counts the changes, for optimistic locking.
    pub version: u64,
}

/// What a position's offer turned out to be when it was looked up.
#[derive(Debug, Clone, Copy)]
pub enum Found<'a> {
    /// An offer of the cart's owner.
    Own(&'a Offer),
    /// An offer that was or is shared with it.
    Shared(SharedOffer<'a>),
    /// Nothing the owner may know of.
    Nothing,
}

impl<'a> Found<'a> {
    /// The offer, if there is one.
    pub fn offer(&self) -> Option<&'a Offer> {
        match self {
            Self::Own(offer) => Some(offer),
            Self::Shared(shared) => Some(shared.offer),
            Self::Nothing => None,
        }
    }
}

/// What is wrong with one position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PositionProblem {
    /// No such offer, as far as this client can see.
    #[error("there is no such offer")]
    NotFound,
    /// The own offer is archived.
    #[error("the offer is archived")]
    Archived,
    /// Externally managed offers are only imported.
    #[error("the offer is externally managed; its orders come by import")]
    ExternallyManaged,
    /// Who shares an offer does not sell it.
    #[error("the offer is shared with other clients and not sold by its owner")]
    OwnCrossClient,
    /// A shared offer that is not available now.
    #[error("{0}")]
    NotShared(NotShared),
    /// Another currency than the first position.
    #[error("the offer's currency differs from the first position's")]
    OtherCurrency,
    /// The same offer twice.
    #[error("the offer stands in the cart already")]
    Repeated,
}

impl PositionProblem {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "offer_not_found",
            Self::Archived => "offer_archived",
            Self::ExternallyManaged => "offer_externally_managed",
            Self::OwnCrossClient => "offer_is_cross_client",
            Self::NotShared(_) => "offer_not_available",
            Self::OtherCurrency => "currency_differs",
            Self::Repeated => "offer_repeated",
        }
    }
}

/// Why a cart cannot be made or bought.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CartError {
    /// It is archived.
    #[error("the cart is archived")]
    Archived,
    /// Positions are wrong, each with its number.
    #[error("{} position(s) of the cart cannot be sold", .0.len())]
    Positions(Vec<(u8, PositionProblem)>),
    /// Nothing is always bought.
    #[error("at least one position must be mandatory")]
    NothingMandatory,
    /// Only other clients' offers.
    #[error("a cart with a cross-client offer must also hold an offer of its owner")]
    NothingOwn,
}

/// Checks positions with what their offers turned out to be, in the same order.
///
/// # Errors
/// All wrong positions, or else what is wrong with the whole.
pub fn check(owner: ClientId, positions: &[(Position, Found<'_>)]) -> Result<(), CartError> {
    let mut seen = BTreeSet::new();
    let currency = positions
        .iter()
        .find_map(|(_, found)| found.offer())
        .map(|offer| offer.price.currency);
    let wrong: Vec<_> = positions
        .iter()
        .filter_map(|(position, found)| {
            let repeated = !seen.insert(position.offer_id);
            let problem = check_position(owner, found).err().or_else(|| {
                let other = found.offer().map(|offer| offer.price.currency) != currency;
                repeated
                    .then_some(PositionProblem::Repeated)
                    .or_else(|| other.then_some(PositionProblem::OtherCurrency))
            });
            problem.map(|problem| (position.number, problem))
        })
        .collect();
    if !wrong.is_empty() {
        return Err(CartError::Positions(wrong));
    }
    if !positions
        .iter()
        .any(|(position, _)| position.choice == Choice::Mandatory)
    {
        return Err(CartError::NothingMandatory);
    }
    let holds = |wanted: fn(&Found<'_>) -> bool| positions.iter().any(|(_, found)| wanted(found));
    if holds(|found| matches!(found, Found::Shared(_)))
        && !holds(|found| matches!(found, Found::Own(_)))
    {
        return Err(CartError::NothingOwn);
    }
    Ok(())
}

fn check_position(owner: ClientId, found: &Found<'_>) -> Result<(), PositionProblem> {
    match found {
        Found::Nothing => Err(PositionProblem::NotFound),
        Found::Own(offer) if offer.externally_managed => Err(PositionProblem::ExternallyManaged),
        Found::Own(offer) if offer.cross_client.is_some() => Err(PositionProblem::OwnCrossClient),
        Found::Own(offer) if offer.status == OfferStatus::Archived => {
            Err(PositionProblem::Archived)
        }
        Found::Own(_) => Ok(()),
        Found::Shared(shared) => shared.visible_to(owner).map_err(PositionProblem::NotShared),
    }
}

/// A position as it was asked for; whose offer it is, is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PositionDraft {
    /// Number.
    pub number: u8,
    /// What to sell.
    pub offer_id: OfferId,
    /// How it comes into a purchase.
    pub choice: Choice,
}

impl PositionDraft {
    fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let number = object.required("position", integer(1..=20));
        let offer_id = object.required("offerId", parsed::<OfferId>);
        let mandatory = object.required("mandatory", boolean);
        let preselected = object.optional("preselected", boolean).unwrap_or(false);
        if mandatory == Some(true) && preselected {
            object.note(FieldErrors::at(
                "preselected",
                "not_optional",
                "only an optional position can be preselected",
            ));
        }
        object.finish(|| {
            let choice = match (mandatory?, preselected) {
                (true, _) => Choice::Mandatory,
                (false, true) => Choice::Preselected,
                (false, false) => Choice::Optional,
            };
            Some(Self {
                number: u8::try_from(number?).ok()?,
                offer_id: offer_id?,
                choice,
            })
        })
    }

    /// Reads the list of positions and puts it in order.
    ///
    /// # Errors
    /// Names each wrong member; numbers must be 1, 2, 3 and so on without gap or repeat.
    pub fn parse_all(value: &Value) -> Parsed<Vec<Self>> {
        let mut positions = list(1..=MOST_POSITIONS, Self::parse)(value)?;
        let expected: BTreeSet<usize> = (1..=positions.len()).collect();
        let given: BTreeSet<usize> = positions
            .iter()
            .map(|position| usize::from(position.number))
            .collect();
        if given != expected {
            let detail = format!(
                "the positions must be numbered 1 to {} without gap or repeat",
                positions.len()
            );
            return Err(FieldErrors::one("position_gap", detail));
        }
        positions.sort_unstable_by_key(|position| position.number);
        Ok(positions)
    }
}

/// Input of a new cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CartDraft {
    name: Name,
    description: Option<Description>,
    /// What it is to hold.
    pub positions: Vec<PositionDraft>,
}

impl CartDraft {
    /// Reads `{name, description?, positions: [{position, offerId, mandatory, preselected?}]}`.
    ///
    /// # Errors
    /// Names each wrong member.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let name = object.required("name", Name::parse);
        let description = object.optional("description", Description::parse);
        let positions = object.required("positions", PositionDraft::parse_all);
        object.finish(|| {
            Some(Self {
                name: name?,
                description,
                positions: positions?,
            })
        })
    }

    /// Makes the cart with the offers that were found for its positions, in order.
    ///
    /// # Errors
    /// See [`check`].
    pub fn create(
        self,
        id: CartId,
        owner: ClientId,
        found: &[Found<'_>],
        now: Timestamp,
    ) -> Result<Cart, CartError> {
        let positions = resolve(owner, &self.positions, found)?;
        Ok(Cart {
            id,
            client_id: owner,
            name: self.name,
            description: self.description,
            positions,
            status: CartStatus::Active,
            created_at: now,
            updated_at: now,
            version: 1,
        })
    }
}

/// Input of an edit of a cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CartEdit {
    name: Option<Name>,
    description: Option<Option<Description>>,
    /// The new positions, if they are to change; they replace the old ones.
    pub positions: Option<Vec<PositionDraft>>,
}

impl CartEdit {
    /// Reads `{name?, description?, positions?}`.
    ///
    /// # Errors
    /// Names each wrong member.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let edit = Self {
            name: object.optional("name", Name::parse),
            description: object.clearable("description", Description::parse),
            positions: object.optional("positions", PositionDraft::parse_all),
        };
        object.finish(|| Some(edit))
    }
}

impl Cart {
    /// The cart as it is after the edit; `found` belongs to the edit's positions, in order.
    ///
    /// # Errors
    /// It is archived, or see [`check`].
    pub fn edit(
        self,
        edit: CartEdit,
        found: &[Found<'_>],
        now: Timestamp,
    ) -> Result<Self, CartError> {
        if self.status == CartStatus::Archived {
            return Err(CartError::Archived);
        }
        let positions = match &edit.positions {
            Some(drafts) => resolve(self.client_id, drafts, found)?,
            None => self.positions,
        };
        Ok(Self {
            name: edit.name.unwrap_or(self.name),
            description: edit.description.unwrap_or(self.description),
            positions,
            updated_at: now,
            ..self
        })
    }

    /// The cart as it is after it was archived.
    ///
    /// # Errors
    /// It is archived already.
    pub fn archive(self, now: Timestamp) -> Result<Self, CartError> {
        match self.status {
            CartStatus::Active => Ok(Self {
                status: CartStatus::Archived,
                updated_at: now,
                ..self
            }),
            CartStatus::Archived => Err(CartError::Archived),
        }
    }
}

fn resolve(
    owner: ClientId,
    drafts: &[PositionDraft],
    found: &[Found<'_>],
) -> Result<Vec<Position>, CartError> {
    let positions: Vec<_> = drafts
        .iter()
        .zip(found)
        .map(|(draft, found)| {
            let origin = match found {
                Found::Shared(shared) => Some(Origin {
                    client_id: shared.connection.source.client_id,
                    company_id: shared.connection.source.company_id,
                    connection_id: shared.connection.id,
                }),
                Found::Own(_) | Found::Nothing => None,
            };
            (
                Position {
                    number: draft.number,
                    offer_id: draft.offer_id,
                    choice: draft.choice,
                    origin,
                },
                *found,
            )
        })
        .collect();
    check(owner, &positions)?;
    Ok(positions
        .into_iter()
        .map(|(position, _)| position)
        .collect())
}
