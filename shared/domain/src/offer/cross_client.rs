//! The sharing of an offer with target clients.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::ClientId;
use crate::input::{FieldErrors, Object, Parsed, list, parsed};
use crate::money::BasisPoints;
use crate::terms::OwnTerms;

/// The most target clients of one offer. Their share rows, or their history lines and mails, still fit one transaction with the
/// offer.
pub const MAX_TARGETS: usize = 40;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CrossClient {
    /// The clients that may sell the offer, sorted, without repeats.
    pub target_client_ids: Vec<ClientId>,
    /// The seller's part of the gross amount.
    pub seller_share_basis_points: BasisPoints,
}

/// A sharing as its owner gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sharing {
    cross_client: CrossClient,
    own_terms: Option<Vec<OwnTerms>>,
}

impl Sharing {
    pub(super) fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let targets = object.required("targetClientIds", |value| {
            let mut ids: Vec<ClientId> = list(1..=MAX_TARGETS, parsed)(value)?;
            ids.sort_unstable();
            ids.dedup();
            Ok(ids)
        });
        let share = object.required("sellerShareBasisPoints", BasisPoints::parse);
        let own_terms = object.optional("targetTerms", list(0..=MAX_TARGETS, OwnTerms::parse));
        if let (Some(targets), Some(own_terms)) = (&targets, &own_terms) {
            object.note(of_targets(targets, own_terms));
        }
        object.finish(|| {
            Some(Self {
                cross_client: CrossClient {
                    target_client_ids: targets?,
                    seller_share_basis_points: share?,
                },
                own_terms,
            })
        })
    }

    pub(super) fn split(this: Option<Self>) -> (Option<CrossClient>, Option<Vec<OwnTerms>>) {
        this.map_or((None, None), |sharing| {
            (Some(sharing.cross_client), sharing.own_terms)
        })
    }
}

/// The errors of own terms that are not those of one target each.
fn of_targets(targets: &[ClientId], own_terms: &[OwnTerms]) -> FieldErrors {
    let mut errors = FieldErrors::default();
    for (index, own) in own_terms.iter().enumerate() {
        let target = own.target_client_id;
        let field = format!("targetTerms[{index}].targetClientId");
        let found = if !targets.contains(&target) {
            FieldErrors::at(
                field,
                "not_a_target",
                "targetClientIds must contain this client",
            )
        } else if own_terms[..index]
            .iter()
            .any(|earlier| earlier.target_client_id == target)
        {
            FieldErrors::at(field, "repeated", "this client is listed twice")
        } else {
            continue;
        };
        errors.0.extend(found.0);
    }
    errors
}
