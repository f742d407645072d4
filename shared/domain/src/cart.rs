//! Carts: bundles that a target client sells. The same check applies when a cart is created, edited and bought.

mod check;
mod input;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use check::{
    CartError, Occasion, OfferLookup, PositionProblem, Sellability, Sellable, SellableOffer,
    SellablePosition, check, sellability,
};
pub use input::{CartDraft, CartEdit, PositionDraft};

use crate::ids::{CartId, ClientId, CompanyId, ConnectionId, OfferId};
use crate::metadata::{Metadata, edited};
use crate::text::{Description, Name};
use crate::words::words;

/// The most positions of a cart. The largest purchase (19 cross-client positions of five rows each) still fits the
/// 100 actions of a transaction.
pub const MAX_POSITIONS: usize = 20;

words! {
    pub enum Choice {
        /// Always bought.
        Mandatory = "mandatory",
        /// Bought if chosen.
        Optional = "optional",
        /// Bought if chosen; the checkout should preselect it.
        Preselected = "preselected",
    }
}

/// Whose offer a cross-client position sells. All three ids are fixed once the connection was active.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Origin {
    /// The source client.
    pub client_id: ClientId,
    pub company_id: CompanyId,
    pub connection_id: ConnectionId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Position {
    /// 1 for the first, without gaps.
    pub number: u8,
    pub offer_id: OfferId,
    pub choice: Choice,
    /// Set for a cross-client offer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub origin: Option<Origin>,
}

words! {
    pub enum CartStatus {
        Active = "active",
        /// Can no longer be bought or edited.
        Archived = "archived",
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cart {
    pub id: CartId,
    /// The owner, who sells it.
    pub client_id: ClientId,
    pub name: Name,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub description: Option<Description>,
    /// In order of their numbers.
    pub positions: Vec<Position>,
    #[serde(skip_serializing_if = "Metadata::is_empty", default)]
    pub metadata: Metadata,
    pub status: CartStatus,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub version: u64,
}

impl Cart {
    /// Returns the edited cart; `lookup` finds the offers of the new positions.
    ///
    /// # Errors
    /// The cart is archived, or the new positions fail the [`check`].
    pub fn edit<'a>(
        self,
        edit: CartEdit,
        lookup: impl Fn(OfferId) -> OfferLookup<'a>,
        now: Timestamp,
    ) -> Result<Self, CartError> {
        if self.status == CartStatus::Archived {
            return Err(CartError::Archived);
        }
        let positions = match &edit.positions {
            Some(drafts) => input::resolve(self.client_id, drafts, lookup, now)?,
            None => self.positions,
        };
        Ok(Self {
            name: edit.name.unwrap_or(self.name),
            description: edit.description.unwrap_or(self.description),
            positions,
            metadata: edited(edit.metadata, self.metadata),
            updated_at: now,
            ..self
        })
    }

    /// # Errors
    /// The cart is archived already.
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
