//! The caller's own offers. One transaction changes an offer and its shares with target clients.

use std::collections::BTreeSet;

use serde_json::Value;
use tandem_api::idempotency::idempotent;
use tandem_api::paging::Paging;
use tandem_api::views::offer as view;
use tandem_api::{Answer, App, ClientCaller, Code, Decision, IdempotencyKey, Problem, Request};
use tandem_domain::Timestamp;
use tandem_domain::ids::{ClientId, OfferId};
use tandem_domain::input::FieldErrors;
use tandem_domain::offer::{CrossClient, EditedOffer, Offer, OfferDraft, OfferEdit, OfferStatus};
use tandem_store::rows::Share;
use tandem_store::{Transaction, keys};

use crate::partners::Partners;

pub(crate) async fn create(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let body = request.json()?;
    let draft = OfferDraft::parse(&body)?;
    idempotent(app, &IdempotencyKey::of(request, &body)?, || async {
        targets_are_connected(app, caller, draft.cross_client.as_ref(), &body).await?;
        let offer = draft
            .clone()
            .create(OfferId::generate(&mut app.ids()), caller.id, app.now());
        let mut transaction = Transaction::default();
        transaction.create(&offer)?;
        for target in targets(&offer) {
            transaction.create(&share(&offer, caller, target))?;
        }
        Ok(Decision::Commit(
            transaction,
            Answer::created(
                format!("/v1/offers/{}", offer.id),
                view::own(&offer, app.now()),
            ),
        ))
    })
    .await
}

pub(crate) async fn list(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let mut query = request.query();
    let status = query.optional("status", OfferStatus::parse);
    let paging = Paging::read(app, request, query)?;
    let keep = |offer: &Offer| status.is_none_or(|status| offer.status == status);
    let page = app
        .store
        .page(
            &keys::offers_of(caller.id),
            paging.after.as_deref(),
            paging.limit,
            keep,
        )
        .await?;
    Ok(paging.answer(app, page, |offer| view::own(&offer, app.now())))
}

pub(crate) async fn read(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let offer = load(app, request, caller).await?;
    Ok(Answer::ok(view::own(&offer, app.now())))
}

pub(crate) async fn edit(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let body = request.json()?;
    let edit = OfferEdit::parse(&body)?;
    idempotent(
        app,
        &IdempotencyKey::of_edit(request, &body, OfferEdit::CLEARABLE)?,
        || async {
            let before = load(app, request, caller).await?;
            let (old, edited) = (targets(&before), before.edit(edit.clone(), app.now())?);
            let EditedOffer { offer, changes } = edited;
            targets_are_connected(app, caller, edit.cross_client.as_ref(), &body).await?;
            let new = targets(&offer);
            let mut transaction = Transaction::default();
            transaction.replace(&offer)?;
            let affected = changes.iter().map(|change| change.target);
            let partners = Partners::load(app, caller, affected).await?;
            partners.add_changes(app, &offer, &changes, &mut transaction)?;
            for target in new.difference(&old) {
                transaction.create(&share(&offer, caller, *target))?;
            }
            for target in old.difference(&new) {
                transaction.delete(&keys::share(*target, offer.id));
            }
            if transaction.is_too_large() {
                return Err(too_many_events().into());
            }
            let answer = Answer::ok(view::own(&offer, app.now()));
            Ok(Decision::Commit(transaction, answer))
        },
    )
    .await
}

pub(crate) async fn archive(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let body = request.empty_body()?;
    idempotent(app, &IdempotencyKey::of(request, &body)?, || async {
        let offer = load(app, request, caller).await?.archive(app.now())?;
        let mut transaction = Transaction::default();
        transaction.replace(&offer)?;
        let sellers = sellers(&offer, app.now());
        let partners = Partners::load(app, caller, sellers).await?;
        partners.add_archive_rows(app, &offer, &mut transaction)?;
        // A share that stays is harmless, since the offer decides. It stays only if many targets get events.
        for target in targets(&offer).into_iter().take(transaction.room()) {
            transaction.delete(&keys::share(target, offer.id));
        }
        let answer = Answer::ok(view::own(&offer, app.now()));
        Ok(Decision::Commit(transaction, answer))
    })
    .await
}

async fn load(app: &App, request: &Request, caller: ClientCaller) -> Result<Offer, Problem> {
    let id: OfferId = request.id_in_path("offerId", Code::OfferNotFound)?;
    app.store
        .get(&keys::offer(caller.id, id))
        .await?
        .ok_or_else(|| Problem::missing(Code::OfferNotFound))
}

/// Two rows of each of forty targets always fit; the events of more than some eighteen do not.
fn too_many_events() -> FieldErrors {
    FieldErrors::at(
        "crossClient",
        "too_many_events",
        "the change concerns too many targets with event endpoints; give some of them targetTerms first",
    )
}

/// The targets that have accepted terms of the offer, and so may have it in their carts.
fn sellers(offer: &Offer, now: Timestamp) -> Vec<ClientId> {
    let accepted = |target: &ClientId| {
        let standing = offer.standing(*target, now);
        standing.is_some_and(|standing| standing.accepted().is_some())
    };
    targets(offer).into_iter().filter(accepted).collect()
}

fn targets(offer: &Offer) -> BTreeSet<ClientId> {
    offer
        .cross_client
        .iter()
        .flat_map(|sharing| sharing.target_client_ids.iter().copied())
        .collect()
}

fn share(offer: &Offer, owner: ClientCaller, target: ClientId) -> Share {
    Share {
        target,
        offer_id: offer.id,
        source: owner.id,
        source_company: owner.company_id,
    }
}

/// Rejects target clients to which the owner has no live connection, by their places in the body. This catches typing errors, and
/// reveals nothing about which clients exist.
async fn targets_are_connected(
    app: &App,
    caller: ClientCaller,
    sharing: Option<&CrossClient>,
    body: &Value,
) -> Result<(), Problem> {
    let Some(sharing) = sharing else {
        return Ok(());
    };
    let pair = |target: &ClientId| keys::pair(caller.id, *target);
    let pairs = app
        .store
        .load_all(sharing.target_client_ids.iter().map(pair))
        .await?;
    let mut errors = FieldErrors::default();
    let named = body["crossClient"]["targetClientIds"].as_array();
    // The body is searched, because the parsed ids are sorted and without repeats.
    for (index, named) in named.into_iter().flatten().enumerate() {
        let target = sharing
            .target_client_ids
            .iter()
            .find(|target| *named == target.to_string());
        if let Some(target) = target.filter(|target| !pairs.contains(&pair(target))) {
            let field = format!("crossClient.targetClientIds[{index}]");
            let detail = format!("you have no live connection to {target}; invite it first");
            errors
                .0
                .extend(FieldErrors::at(field, "not_connected", detail).0);
        }
    }
    if errors.0.is_empty() {
        Ok(())
    } else {
        Err(errors.into())
    }
}
