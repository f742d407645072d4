//! Carts of a client. Every position is checked when a cart is created or edited, and again when it is bought.

use tandem_api::idempotency::idempotent;
use tandem_api::lookup::Offers;
use tandem_api::paging::Paging;
use tandem_api::refusals::draft_refused;
use tandem_api::views::cart as view;
use tandem_api::{Answer, App, ClientCaller, Code, Decision, IdempotencyKey, Problem, Request};
use tandem_domain::cart::{
    Cart, CartDraft, CartEdit, CartStatus, OfferLookup, PositionDraft, sellability,
};
use tandem_domain::ids::{CartId, OfferId};
use tandem_store::{StoreError, Transaction, keys};

pub async fn handle(app: App, request: Request) -> Result<Answer, Problem> {
    let caller = request.caller.client()?;
    match request.route.as_str() {
        "POST /v1/carts" => create(&app, &request, caller).await,
        "GET /v1/carts" => list(&app, &request, caller).await,
        "GET /v1/carts/{cartId}" => read(&app, &request, caller).await,
        "PATCH /v1/carts/{cartId}" => edit(&app, &request, caller).await,
        "POST /v1/carts/{cartId}/archive" => archive(&app, &request, caller).await,
        _ => Err(Problem::missing(Code::RouteNotFound)),
    }
}

async fn create(app: &App, request: &Request, caller: ClientCaller) -> Result<Answer, Problem> {
    let body = request.json()?;
    let draft = CartDraft::parse(&body)?;
    idempotent(app, &IdempotencyKey::of(request, &body)?, || async {
        let offers = find(app, caller, &draft.positions).await?;
        let cart = draft
            .clone()
            .create(
                CartId::generate(&mut app.ids()),
                caller.id,
                |offer| offers.of(offer),
                app.now(),
            )
            .map_err(draft_refused)?;
        let mut transaction = Transaction::default();
        transaction.create(&cart)?;
        accept_first_terms(app, caller, (&cart, &offers), &mut transaction)?;
        Ok(Decision::Commit(
            transaction,
            Answer::created(format!("/v1/carts/{}", cart.id), view::cart(&cart)),
        ))
    })
    .await
}

async fn list(app: &App, request: &Request, caller: ClientCaller) -> Result<Answer, Problem> {
    let mut query = request.query();
    let status = query.optional("status", CartStatus::parse);
    let paging = Paging::read(app, request, query)?;
    let keep = |cart: &Cart| status.is_none_or(|status| cart.status == status);
    let page = app
        .store
        .page(
            &keys::carts_of(caller.id),
            paging.after.as_deref(),
            paging.limit,
            keep,
        )
        .await?;
    Ok(paging.answer(app, page, |cart| view::cart(&cart)))
}

async fn read(app: &App, request: &Request, caller: ClientCaller) -> Result<Answer, Problem> {
    let cart = load(app, request, caller).await?;
    let wanted: Vec<_> = cart
        .positions
        .iter()
        .map(|position| (position.offer_id, position.origin))
        .collect();
    let offers = Offers::load(app, caller, &wanted).await?;
    let found: Vec<_> = cart
        .positions
        .iter()
        .map(|position| (*position, offers.of(position.offer_id)))
        .collect();
    let sellability = sellability(caller.id, cart.status, &found, app.now());
    Ok(Answer::ok(view::sellable_cart(&cart, &sellability)))
}

async fn edit(app: &App, request: &Request, caller: ClientCaller) -> Result<Answer, Problem> {
    let body = request.json()?;
    let edit = CartEdit::parse(&body)?;
    let drafts = edit.positions.clone().unwrap_or_default();
    idempotent(
        app,
        &IdempotencyKey::of_edit(request, &body, CartEdit::CLEARABLE)?,
        || async {
            let before = load(app, request, caller).await?;
            let offers = find(app, caller, &drafts).await?;
            let cart = before
                .edit(edit.clone(), |offer| offers.of(offer), app.now())
                .map_err(draft_refused)?;
            let mut transaction = Transaction::default();
            transaction.replace(&cart)?;
            if edit.positions.is_some() {
                accept_first_terms(app, caller, (&cart, &offers), &mut transaction)?;
            }
            Ok(Decision::Commit(transaction, Answer::ok(view::cart(&cart))))
        },
    )
    .await
}

async fn archive(app: &App, request: &Request, caller: ClientCaller) -> Result<Answer, Problem> {
    let body = request.empty_body()?;
    idempotent(app, &IdempotencyKey::of(request, &body)?, || async {
        let cart = load(app, request, caller)
            .await?
            .archive(app.now())
            .map_err(draft_refused)?;
        let mut transaction = Transaction::default();
        transaction.replace(&cart)?;
        Ok(Decision::Commit(transaction, Answer::ok(view::cart(&cart))))
    })
    .await
}

async fn load(app: &App, request: &Request, caller: ClientCaller) -> Result<Cart, Problem> {
    let id: CartId = request.id_in_path("cartId", Code::CartNotFound)?;
    app.store
        .get(&keys::cart(caller.id, id))
        .await?
        .ok_or_else(|| Problem::missing(Code::CartNotFound))
}

/// Putting a shared offer into a cart accepts its first terms. The offer's row holds the acceptance, so that it and a proposal of
/// the source take place one after the other.
fn accept_first_terms(
    app: &App,
    caller: ClientCaller,
    (cart, offers): (&Cart, &Offers),
    transaction: &mut Transaction,
) -> Result<(), StoreError> {
    for position in &cart.positions {
        if let OfferLookup::Shared(shared) = offers.of(position.offer_id)
            && let Some(accepted) = shared.offer.put_into_cart(caller.id, app.now())
        {
            transaction.replace(&accepted)?;
        }
    }
    Ok(())
}

async fn find(
    app: &App,
    caller: ClientCaller,
    drafts: &[PositionDraft],
) -> Result<Offers, Problem> {
    let ids: Vec<OfferId> = drafts.iter().map(|draft| draft.offer_id).collect();
    Ok(Offers::find(app, caller, &ids).await?)
}
