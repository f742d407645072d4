//! The imports of one `externalSystemId`, in their order of acceptance.
//!
//! The state of an order is the replay of its imports in their order of acceptance, so it does not depend on the order in which
//! they run. An import that runs after a later accepted one is inserted at its place, and those after it are judged again.
//!
//! The history keeps the imports of the last [`REMEMBERED`], at most [`MAX_IMPORTS`]. Older ones are replayed into a base for
//! good. An import that is older than the base is merged into it: it sets the members that no later import has set.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::{CustomerId, PromiseId};

use super::change::Change;
use super::kept::{Import, Kept};
use super::problem::ItemProblem;

/// As long as SQS keeps a dead letter, which may be redriven.
pub const REMEMBERED: SignedDuration = SignedDuration::from_hours(14 * 24);
/// One transaction writes the item's rows and revises the results of all other imports; it has at most 100 actions.
pub const MAX_IMPORTS: usize = 24;

/// Whether an import sets its members.
pub type Verdict = Result<(), ItemProblem>;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    base: Option<Base>,
    /// Those after the base, in their order of acceptance, without those that fail whatever the others set.
    imports: Vec<Import>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Base {
    /// The last import that the base contains.
    until: PromiseId,
    kept: Kept,
}

/// The effect of one more import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub history: History,
    pub verdict: Verdict,
    /// `None` only if there is no import.
    pub kept: Option<Kept>,
    /// The other imports whose verdict changes, with the new one.
    pub revised: Vec<(Import, Verdict)>,
}

impl History {
    /// The imports after a base, in their order of acceptance.
    pub(super) fn of(base: Option<Base>, imports: Vec<Import>) -> Self {
        Self { base, imports }
    }

    /// Those after the base, in their order of acceptance.
    pub fn imports(&self) -> &[Import] {
        &self.imports
    }

    pub(super) fn into_base(self) -> Option<Base> {
        self.base
    }

    /// Whether the import is still replayed.
    pub fn contains(&self, promise: PromiseId) -> bool {
        self.imports
            .binary_search_by_key(&promise, |import| import.promise)
            .is_ok()
    }

    /// The state after all imports.
    pub fn kept(&self) -> Option<Kept> {
        self.replay().0
    }

    fn replay(&self) -> (Option<Kept>, Vec<Verdict>) {
        let mut kept = self.base.as_ref().map(|base| base.kept.clone());
        let verdicts = self
            .imports
            .iter()
            .map(|import| {
                kept = Some(Kept::after(kept.as_ref(), import)?);
                Ok(())
            })
            .collect();
        (kept, verdicts)
    }

    /// Receives an import at its place in the order of acceptance.
    pub fn receive(mut self, import: &Import, now: Timestamp) -> Received {
        let before = self.replay().1;
        let late = self
            .base
            .as_mut()
            .filter(|base| import.promise <= base.until);
        let (verdict, place) = if let Some(base) = late {
            let verdict = Kept::after(Some(&base.kept), import).map(|kept| base.kept = kept);
            (Some(verdict), None)
        } else {
            let place = self
                .imports
                .partition_point(|other| other.promise < import.promise);
            self.imports.insert(place, import.clone());
            (None, Some(place))
        };
        let (kept, after) = self.replay();
        let verdict = verdict.or_else(|| after.get(place?).copied());
        let others = || (0..).zip(&self.imports).zip(&after);
        let revised = others()
            .filter(|((number, _), _)| Some(*number) != place)
            .zip(&before)
            .filter(|((_, after), before)| after != before)
            .map(|(((_, import), verdict), _)| (import.clone(), *verdict))
            .collect();
        Received {
            history: self.forgetting(now),
            verdict: verdict.unwrap_or(Ok(())),
            kept,
            revised,
        }
    }

    /// Replays the oldest imports into the base. The state stays the same.
    fn forgetting(self, now: Timestamp) -> Self {
        let oldest = PromiseId::first_of(now.saturating_sub(REMEMBERED).unwrap_or(Timestamp::MIN));
        let old = self
            .imports
            .iter()
            .take_while(|import| import.promise < oldest)
            .count()
            .max(self.imports.len().saturating_sub(MAX_IMPORTS));
        let mut base = self.base;
        for import in &self.imports[..old] {
            let kept = base.as_ref().map(|base| &base.kept);
            let kept = Kept::after(kept, import).ok().or_else(|| kept.cloned());
            base = kept.map(|kept| Base {
                until: import.promise,
                kept,
            });
        }
        Self {
            base,
            imports: self.imports[old..].to_vec(),
        }
    }

    /// The delivery customers that some import named.
    pub fn delivery_customers(&self) -> impl Iterator<Item = CustomerId> {
        let base = self.base.as_ref();
        let kept = base.and_then(|base| base.kept.delivery_customer_id.value);
        let named = self
            .imports
            .iter()
            .filter_map(|import| import.members.delivery_customer_id.value());
        kept.into_iter().chain(named)
    }

    /// Removes erased delivery customers.
    #[must_use]
    pub fn without_delivery_to(mut self, erased: &[CustomerId]) -> Self {
        if let Some(base) = &mut self.base {
            let delivery = &mut base.kept.delivery_customer_id.value;
            *delivery = delivery.filter(|id| !erased.contains(id));
        }
        for import in &mut self.imports {
            let delivery = &mut import.members.delivery_customer_id;
            if delivery.value().is_some_and(|id| erased.contains(&id)) {
                *delivery = Change::Clear;
            }
        }
        self
    }
}
