//! A target accepts the terms of a shared offer. The offer's row holds the acceptance, so that it and a change by the source take
//! place one after the other.

use tandem_api::client_events::EventEndpoints;
use tandem_api::idempotency::idempotent;
use tandem_api::views::offer as view;
use tandem_api::{Answer, App, ClientCaller, Code, Decision, IdempotencyKey, Problem, Request};
use tandem_domain::cart::OfferLookup;
use tandem_domain::connection::{Action, Connection, Side, TermsEntry};
use tandem_domain::ids::{ClientId, MailId, OfferId, TermsEntryId};
use tandem_domain::mail::{Mail, MailKind};
use tandem_domain::sharing::{AvailableOffer, SharedOffer};
use tandem_domain::terms::{AcceptedTerms, TermsVersion, in_words};
use tandem_store::rows::TermsRow;
use tandem_store::{StoreError, Transaction, keys};

use crate::shared::offers_of;

pub(crate) async fn accept_terms(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let missing = || Problem::missing(Code::OfferNotFound);
    let id: OfferId = request.id_in_path("offerId", Code::OfferNotFound)?;
    let body = request.json()?;
    let TermsVersion(version) = TermsVersion::parse(&body)?;
    idempotent(app, &IdempotencyKey::of(request, &body)?, || async {
        let share = app.store.get(&keys::share(caller.id, id)).await?;
        let offers = offers_of(app, caller, share.as_slice()).await?;
        let OfferLookup::Shared(shared) = offers.of(id) else {
            return Err(missing());
        };
        let available = shared.available_to(caller.id).map_err(|_| missing())?;
        let Some(accepted) = shared.offer.clone().accept_terms(caller.id, version)? else {
            let answer = shown(app, &available, caller.id).ok_or_else(missing)?;
            return Ok(Decision::answered(answer));
        };
        let transaction = rows_of(app, &accepted, shared.connection).await?;
        let now_accepted = SharedOffer {
            offer: &accepted.offer,
            ..shared
        };
        let available = now_accepted
            .available_to(caller.id)
            .map_err(|_| missing())?;
        let answer = shown(app, &available, caller.id).ok_or_else(missing)?;
        Ok(Decision::Commit(transaction, answer))
    })
    .await
}

fn shown(app: &App, available: &AvailableOffer<'_>, caller: ClientId) -> Option<Answer> {
    view::shared(available, caller, app.now()).map(Answer::ok)
}

/// The offer, a history line, and a mail and an event to the source.
async fn rows_of(
    app: &App,
    accepted: &AcceptedTerms,
    connection: &Connection,
) -> Result<Transaction, StoreError> {
    let mut transaction = Transaction::default();
    let offer = &accepted.offer;
    transaction.replace(offer)?;
    transaction.create(&TermsRow {
        connection_id: connection.id,
        entry: TermsEntry {
            id: TermsEntryId::generate(&mut app.ids()),
            offer_id: offer.id,
            at: app.now(),
            by: Side::Target,
            action: Action::TermsAccepted,
            changes: in_words(accepted.before, accepted.accepted),
        },
    })?;
    let source_id = connection.source.client_id;
    let keys = (keys::client(source_id), keys::event_endpoint(source_id));
    let (source, endpoint) = app.store.load(keys).await?;
    let mut endpoints = EventEndpoints::default();
    endpoints.insert(endpoint);
    let event = accepted.event(connection.target.client_id, connection.id);
    endpoints.announce(app, &mut app.ids(), &mut transaction, None, [event])?;
    if let Some(source) = source {
        let kind = MailKind::TermsAccepted {
            target_name: connection.target.name.clone(),
            connection_id: connection.id,
            offer_id: offer.id,
            offer_name: offer.name.clone(),
            terms: accepted.accepted,
        };
        let id = MailId::generate(&mut app.ids());
        transaction.create(&Mail::new(id, &source, kind, app.now()))?;
    }
    Ok(transaction)
}
