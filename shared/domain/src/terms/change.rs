//! A change of terms by the source, and its effect on each target.

use jiff::Timestamp;

use super::{OfferTerms, OwnTerms, TargetTerms, Terms};
use crate::ids::ClientId;
use crate::offer::Offer;

/// The parts of an edit that concern the terms, beside the offer's own price, share and targets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct TermsEdit {
    /// Replaces the own terms of all targets, if given.
    pub(crate) own: Option<Vec<OwnTerms>>,
    /// The end of sales at older terms, if given; `Some(None)` takes it back.
    pub(crate) sell_old_terms_until: Option<Option<Timestamp>>,
}

/// The effect of an edit on a target that had accepted terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The target sells at the new terms at once, which only favour it.
    Favoured,
    /// The target is asked to accept the new terms.
    Proposed {
        sell_old_terms_until: Option<Timestamp>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TermsChange {
    pub target: ClientId,
    /// The terms that the target had accepted.
    pub accepted: Terms,
    /// The terms that the source now offers to it.
    pub present: Terms,
    pub effect: Effect,
}

impl TermsChange {
    /// The old and new values, in words, for the history of the connection.
    pub fn in_words(&self) -> Vec<String> {
        let mut words = in_words(Some(self.accepted), self.present);
        if let Effect::Proposed {
            sell_old_terms_until: Some(until),
        } = self.effect
        {
            words.push(format!("sellOldTermsUntil: {until}"));
        }
        words
    }
}

/// The values of `after`, and those of `before` that differ.
pub fn in_words(before: Option<Terms>, after: Terms) -> Vec<String> {
    let share = |terms: &Terms| terms.seller_share_basis_points.0.to_string();
    let value = |name: &str, of: &dyn Fn(&Terms) -> String| {
        let (old, new) = (before.as_ref().map(of), of(&after));
        match old.filter(|old| *old != new) {
            Some(old) => format!("{name}: {old} -> {new}"),
            None => format!("{name}: {new}"),
        }
    };
    vec![
        value("version", &|terms| terms.version.to_string()),
        value("price", &|terms| terms.price.to_string()),
        value("sellerShareBasisPoints", &share),
    ]
}

/// The terms of an edited offer, whose price, share and targets are already the new ones, and the effect on each target that
/// had accepted terms. `None` if the offer is not shared.
pub(crate) fn changed(
    before: &Offer,
    after: &Offer,
    edit: &TermsEdit,
) -> Option<(OfferTerms, Vec<TermsChange>)> {
    let (old, sharing) = (before.terms_of_targets()?, after.cross_client.as_ref()?);
    let next = old.latest + 1;
    let of_offer = |offer: &Offer| {
        let share = offer.cross_client.as_ref()?.seller_share_basis_points;
        Some((offer.price, share))
    };
    let version = if of_offer(before) == of_offer(after) {
        old.version
    } else {
        next
    };
    let mut targets = Vec::new();
    let mut changes = Vec::new();
    for target in &sharing.target_client_ids {
        let was = before.terms_for(*target);
        let previous = old.of(*target).copied().filter(|_| was.is_some());
        let own = own_terms(*target, edit, previous.as_ref());
        let mut present = Terms {
            version: next,
            price: own.price.unwrap_or(after.price),
            seller_share_basis_points: own
                .seller_share_basis_points
                .unwrap_or(sharing.seller_share_basis_points),
        };
        match was {
            Some(was) if was.equal(&present) => present.version = was.version,
            None if own.is_empty() => present.version = version,
            _ => (),
        }
        let entry = TargetTerms {
            client_id: *target,
            version: present.version,
            price: own.price,
            seller_share_basis_points: own.seller_share_basis_points,
            accepted: previous.and_then(|previous| previous.accepted),
            sell_old_terms_until: None,
        };
        let (entry, change) = judge(entry, present, previous.as_ref(), edit);
        changes.extend(change);
        if !is_default(&entry, version) {
            targets.push(entry);
        }
    }
    let used = targets.iter().map(|entry| entry.version).max();
    let latest = old.latest.max(version).max(used.unwrap_or_default());
    let terms = OfferTerms {
        latest,
        version,
        targets,
    };
    Some((terms, changes))
}

fn own_terms(target: ClientId, edit: &TermsEdit, previous: Option<&TargetTerms>) -> OwnTerms {
    let none = OwnTerms {
        target_client_id: target,
        price: None,
        seller_share_basis_points: None,
    };
    match &edit.own {
        Some(own) => own
            .iter()
            .find(|own| own.target_client_id == target)
            .copied()
            .unwrap_or(none),
        None => previous.map_or(none, |previous| OwnTerms {
            price: previous.price,
            seller_share_basis_points: previous.seller_share_basis_points,
            ..none
        }),
    }
}

/// Accepts terms that only favour the target, or proposes them.
fn judge(
    entry: TargetTerms,
    present: Terms,
    previous: Option<&TargetTerms>,
    edit: &TermsEdit,
) -> (TargetTerms, Option<TermsChange>) {
    let Some(accepted) = entry
        .accepted
        .filter(|accepted| accepted.version != present.version)
    else {
        return (entry, None);
    };
    let change = |effect| TermsChange {
        target: entry.client_id,
        accepted,
        present,
        effect,
    };
    if present.only_favour(&accepted) {
        let accepted = Some(present);
        let entry = TargetTerms { accepted, ..entry };
        return (entry, Some(change(Effect::Favoured)));
    }
    let (old_version, old_until) = previous.map_or((0, None), |previous| {
        (previous.version, previous.sell_old_terms_until)
    });
    // A deadline belongs to the terms with which it was given.
    let kept = old_until.filter(|_| old_version == present.version);
    let until = edit.sell_old_terms_until.unwrap_or(kept);
    let is_new = old_version != present.version || old_until != until;
    let entry = TargetTerms {
        sell_old_terms_until: until,
        ..entry
    };
    let effect = Effect::Proposed {
        sell_old_terms_until: until,
    };
    (entry, is_new.then(|| change(effect)))
}

/// Whether an entry says nothing that the offer itself does not say.
fn is_default(entry: &TargetTerms, version: u64) -> bool {
    entry.version == version
        && entry.price.is_none()
        && entry.seller_share_basis_points.is_none()
        && entry.accepted.is_none()
}
