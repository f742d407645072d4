//! Input of carts.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use super::{
    Cart, CartError, CartStatus, Choice, MAX_POSITIONS, Occasion, OfferLookup, Position, check,
};
use crate::ids::{CartId, ClientId, OfferId};
use crate::input::{FieldErrors, Object, Parsed, boolean, integer, list, parsed};
use crate::metadata::Metadata;
use crate::text::{Description, Name};

/// A requested position. Its origin is unknown until the offer is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PositionDraft {
    pub number: u8,
    pub offer_id: OfferId,
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

    /// Reads the list of positions and sorts it by number.
    ///
    /// # Errors
    /// Each wrong member; the numbers must be 1, 2, 3 and so on without gap or repeat.
    pub fn parse_all(value: &Value) -> Parsed<Vec<Self>> {
        let mut positions = list(1..=MAX_POSITIONS, Self::parse)(value)?;
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

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CartDraft {
    name: Name,
    description: Option<Description>,
    pub positions: Vec<PositionDraft>,
    metadata: Metadata,
}

impl CartDraft {
    /// Reads `{name, description?, positions: [{position, offerId, mandatory, preselected?}], metadata?}`.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let name = object.required("name", Name::parse);
        let description = object.optional("description", Description::parse);
        let positions = object.required("positions", PositionDraft::parse_all);
        let metadata = object
            .optional("metadata", Metadata::parse)
            .unwrap_or_default();
        object.finish(|| {
            Some(Self {
                name: name?,
                description,
                positions: positions?,
                metadata,
            })
        })
    }

    /// Creates the cart; `lookup` finds the offers of its positions.
    ///
    /// # Errors
    /// The positions fail the [`check`].
    pub fn create<'a>(
        self,
        id: CartId,
        owner: ClientId,
        lookup: impl Fn(OfferId) -> OfferLookup<'a>,
        now: Timestamp,
    ) -> Result<Cart, CartError> {
        let positions = resolve(owner, &self.positions, lookup, now)?;
        Ok(Cart {
            id,
            client_id: owner,
            name: self.name,
            description: self.description,
            positions,
            metadata: self.metadata,
            status: CartStatus::Active,
            created_at: now,
            updated_at: now,
            version: 1,
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CartEdit {
    pub(super) name: Option<Name>,
    pub(super) description: Option<Option<Description>>,
    /// Replaces all positions, if given.
    pub positions: Option<Vec<PositionDraft>>,
    pub(super) metadata: Option<Option<Metadata>>,
}

impl CartEdit {
    /// The members that `null` clears.
    pub const CLEARABLE: &[&str] = &["description", "metadata"];

    /// Reads `{name?, description?, positions?, metadata?}`.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let edit = Self {
            name: object.optional("name", Name::parse),
            description: object.clearable("description", Description::parse),
            positions: object.optional("positions", PositionDraft::parse_all),
            metadata: object.clearable("metadata", Metadata::parse),
        };
        object.finish(|| Some(edit))
    }
}

/// Checks the drafts and adds each position's origin.
pub(super) fn resolve<'a>(
    owner: ClientId,
    drafts: &[PositionDraft],
    lookup: impl Fn(OfferId) -> OfferLookup<'a>,
    now: Timestamp,
) -> Result<Vec<Position>, CartError> {
    let positions: Vec<_> = drafts
        .iter()
        .map(|draft| {
            let position = Position {
                number: draft.number,
                offer_id: draft.offer_id,
                choice: draft.choice,
                origin: None,
            };
            (position, lookup(draft.offer_id))
        })
        .collect();
    let sellable = check(owner, &positions, (Occasion::Draft, now))?;
    Ok(sellable.positions.into_iter().map(Position::from).collect())
}
