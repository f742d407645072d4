//! Input of terms.

use serde_json::Value;

use crate::ids::ClientId;
use crate::input::{FieldErrors, Object, Parsed, integer, parsed};
use crate::money::{BasisPoints, Money};

/// The largest version that a caller may name; a source would need some decades for as many changes.
const MAX_VERSION: i64 = 1_000_000_000;

/// The version of the terms that a target accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TermsVersion(pub u64);

impl TermsVersion {
    /// Reads `{version}`.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let version = object.required("version", integer(1..=MAX_VERSION));
        object.finish(|| u64::try_from(version?).ok().map(Self))
    }
}

/// Terms of one target of an offer, instead of the offer's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnTerms {
    pub target_client_id: ClientId,
    pub price: Option<Money>,
    pub seller_share_basis_points: Option<BasisPoints>,
}

impl OwnTerms {
    /// Reads `{targetClientId, price?, sellerShareBasisPoints?}`, with one of the two at least.
    pub(crate) fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let target = object.required("targetClientId", parsed::<ClientId>);
        let given = ["price", "sellerShareBasisPoints"]
            .iter()
            .any(|name| !value[name].is_null());
        let price = object.optional("price", Money::parse_price);
        let share = object.optional("sellerShareBasisPoints", BasisPoints::parse);
        if !given {
            object.note(FieldErrors::one(
                "nothing_given",
                "give a price, a sellerShareBasisPoints or both; without both, leave the target out",
            ));
        }
        object.finish(|| {
            Some(Self {
                target_client_id: target?,
                price,
                seller_share_basis_points: share,
            })
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.price.is_none() && self.seller_share_basis_points.is_none()
    }
}
