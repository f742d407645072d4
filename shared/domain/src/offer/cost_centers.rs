//! Cost centers of a shared offer, one for each target client, for the books of both sides.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::ClientId;
use crate::input::{FieldErrors, Object, Parsed, list, parsed};
use crate::offer::MAX_TARGETS;
use crate::text::Text;

/// A cost center in a merchant's books.
pub type CostCenter = Text<40>;

/// The cost centers by target client. A client that the offer does not name has no effect.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CostCenters(Vec<OfTarget>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfTarget {
    target_client_id: ClientId,
    cost_center: CostCenter,
}

impl CostCenters {
    /// Reads `[{targetClientId, costCenter}]`, each client at most once.
    pub fn parse(value: &Value) -> Parsed<Self> {
        let entries = list(0..=MAX_TARGETS, OfTarget::parse)(value)?;
        for (at, entry) in entries.iter().enumerate() {
            let earlier = &entries[..at];
            let is_repeated = |other: &OfTarget| other.target_client_id == entry.target_client_id;
            if earlier.iter().any(is_repeated) {
                let field = format!("[{at}].targetClientId");
                let detail = "the client has a cost center in an earlier entry";
                return Err(FieldErrors::at(field, "repeated", detail));
            }
        }
        Ok(Self(entries))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn of(&self, target: ClientId) -> Option<&CostCenter> {
        let entry = self.0.iter().find(|entry| entry.target_client_id == target);
        entry.map(|entry| &entry.cost_center)
    }
}

impl OfTarget {
    fn parse(value: &Value) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let target = object.required("targetClientId", parsed::<ClientId>);
        let cost_center = object.required("costCenter", CostCenter::parse);
        object.finish(|| {
            Some(Self {
                target_client_id: target?,
                cost_center: cost_center?,
            })
        })
    }
}
