//! The stored form of [`Imported`]: imports of equal members, which a leading system sends each night, have their members once.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{ClientId, CustomerId, PromiseId};
use crate::money::BasisPoints;
use crate::payment_method::PaymentMethod;
use crate::text::ExternalId;

use super::hash::ExternalHash;
use super::history::{Base, History};
use super::imported::{Imported, Sale};
use super::item::Members;
use super::kept::{End, Import, Kept};
use super::records::{Notes, Short, notes_of};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Stored {
    client_id: ClientId,
    external_hash: ExternalHash,
    external_system_id: ExternalId,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    sale: Option<Sale>,
    /// For readers that do not replay the imports, such as infra/operate.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    state: Option<State>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    base: Option<Base>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    imports: Vec<Equal>,
    /// Records of imports that are not replayed.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    settled: Vec<String>,
    #[serde(skip_serializing_if = "Notes::is_empty", default)]
    notes: Notes,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    paged_until: Option<PromiseId>,
    version: u64,
}

/// The members of the order, in the forms of those that its imports set.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct State {
    invoice_customer_id: CustomerId,
    quantity: u32,
    start_date: Timestamp,
    payment_method: PaymentMethod,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_date: Option<End>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_date: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_customer_id: Option<CustomerId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    discount_basis_points: Option<BasisPoints>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_payment_period_paid: Option<bool>,
}

impl From<Kept> for State {
    fn from(kept: Kept) -> Self {
        Self {
            invoice_customer_id: kept.invoice_customer_id,
            quantity: kept.quantity.value,
            start_date: kept.start_date.value,
            payment_method: kept.payment_method.value,
            end_date: kept.end_date.value,
            order_date: kept.order_date.value,
            delivery_customer_id: kept.delivery_customer_id.value,
            discount_basis_points: kept.discount_basis_points.value,
            current_payment_period_paid: kept.current_payment_period_paid.value,
        }
    }
}

/// Imports of equal members, one after the other.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Equal {
    records: Vec<String>,
    /// Of a retry.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    rank: Option<PromiseId>,
    #[serde(flatten)]
    members: Members,
}

impl From<Imported> for Stored {
    fn from(row: Imported) -> Self {
        let notes = notes_of(&row.records);
        let short = |promise: PromiseId| {
            let record = row.records.get(&promise)?;
            Some(Short::of(promise, record).to_string())
        };
        let mut imports: Vec<Equal> = Vec::new();
        for import in row.history.imports() {
            let rank = Some(import.rank).filter(|rank| *rank != import.promise);
            match imports.last_mut() {
                Some(last)
                    if last.members == import.members && last.rank.is_none() && rank.is_none() =>
                {
                    last.records.extend(short(import.promise));
                }
                _ => imports.push(Equal {
                    records: short(import.promise).into_iter().collect(),
                    rank,
                    members: import.members.clone(),
                }),
            }
        }
        let settled = row
            .records
            .keys()
            .filter(|promise| !row.history.contains(**promise));
        Self {
            settled: settled.filter_map(|promise| short(*promise)).collect(),
            client_id: row.client_id,
            external_hash: row.external_hash,
            external_system_id: row.external_system_id,
            state: row
                .sale
                .as_ref()
                .and_then(|_| row.history.kept())
                .map(State::from),
            sale: row.sale,
            base: row.history.into_base(),
            imports,
            notes,
            paged_until: row.paged_until,
            version: row.version,
        }
    }
}

impl TryFrom<Stored> for Imported {
    type Error = String;

    fn try_from(stored: Stored) -> Result<Self, String> {
        let read = |records: &[String]| {
            records
                .iter()
                .map(|text| text.parse())
                .collect::<Result<Vec<Short>, _>>()
        };
        let mut shorts = read(&stored.settled)?;
        let mut imports = Vec::new();
        for equal in stored.imports {
            for short in read(&equal.records)? {
                imports.push(Import {
                    promise: short.promise,
                    rank: equal.rank.unwrap_or(short.promise),
                    members: equal.members.clone(),
                });
                shorts.push(short);
            }
        }
        let history = History::of(stored.base, imports);
        if stored.sale.is_some() && history.kept().is_none() {
            return Err("an order without imports".to_owned());
        }
        let record = |short: &Short| (short.promise, short.record(&stored.notes));
        Ok(Self {
            client_id: stored.client_id,
            external_hash: stored.external_hash,
            external_system_id: stored.external_system_id,
            sale: stored.sale,
            records: shorts.iter().map(record).collect(),
            history,
            paged_until: stored.paged_until,
            version: stored.version,
        })
    }
}
