//! Offers that other clients share with the caller, as far as the caller may see them now.

use serde_json::{Value, json};
use tandem_api::lookup::{Offers, origins};
use tandem_api::paging::Paging;
use tandem_api::views::offer as view;
use tandem_api::{Answer, App, ClientCaller, Code, Problem, Request};
use tandem_domain::cart::OfferLookup;
use tandem_domain::ids::{ClientId, OfferId};
use tandem_domain::input::parsed;
use tandem_store::rows::Share;
use tandem_store::{StoreError, keys};

/// Most pages of shares that one request searches for visible offers.
const MAX_PAGES: usize = 5;

pub(crate) async fn list(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let mut query = request.query();
    let source = query.optional("sourceClientId", parsed::<ClientId>);
    let paging = Paging::read(app, request, query)?;
    let mut items = Vec::new();
    let mut next = paging.after.clone();
    for _ in 0..MAX_PAGES {
        let keep = |share: &Share| source.is_none_or(|source| share.source == source);
        let page = app
            .store
            .page(
                &keys::shares_with(caller.id),
                next.as_deref(),
                paging.limit - items.len(),
                keep,
            )
            .await?;
        next = page.next;
        items.extend(visible(app, caller, &page.items).await?);
        if items.len() == paging.limit || next.is_none() {
            break;
        }
    }
    let cursor = next.map(|position| paging.cursor(app, &position));
    Ok(Answer::ok(json!({"items": items, "nextCursor": cursor})))
}

pub(crate) async fn read(
    app: &App,
    request: &Request,
    caller: ClientCaller,
) -> Result<Answer, Problem> {
    let missing = || Problem::missing(Code::OfferNotFound);
    let id: OfferId = request.id_in_path("offerId", Code::OfferNotFound)?;
    let share = app
        .store
        .get(&keys::share(caller.id, id))
        .await?
        .ok_or_else(missing)?;
    visible(app, caller, &[share])
        .await?
        .pop()
        .map(Answer::ok)
        .ok_or_else(missing)
}

async fn visible(app: &App, caller: ClientCaller, shares: &[Share]) -> Result<Vec<Value>, Problem> {
    let offers = offers_of(app, caller, shares).await?;
    let seen = shares
        .iter()
        .filter_map(|share| match offers.of(share.offer_id) {
            OfferLookup::Shared(shared) => {
                let available = shared.available_to(caller.id).ok()?;
                view::shared(&available, caller.id, app.now())
            }
            _ => None,
        });
    Ok(seen.collect())
}

/// The offers of shares with a live connection, whether the caller may see them now or not.
pub(crate) async fn offers_of(
    app: &App,
    caller: ClientCaller,
    shares: &[Share],
) -> Result<Offers, StoreError> {
    let origins = origins(app, caller, shares).await?;
    let wanted: Vec<_> = shares
        .iter()
        .filter_map(|share| Some((share.offer_id, Some(*origins.get(&share.offer_id)?))))
        .collect();
    Offers::load(app, caller, &wanted).await
}
