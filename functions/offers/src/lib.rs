//! Offers: a client's own, and those that other clients share with it.

mod accept;
mod own;
mod partners;
mod shared;

use tandem_api::{Answer, App, Code, Problem, Request};

pub async fn handle(app: App, request: Request) -> Result<Answer, Problem> {
    let caller = request.caller.client()?;
    match request.route.as_str() {
        "POST /v1/offers" => own::create(&app, &request, caller).await,
        "GET /v1/offers" => own::list(&app, &request, caller).await,
        "GET /v1/offers/{offerId}" => own::read(&app, &request, caller).await,
        "PATCH /v1/offers/{offerId}" => own::edit(&app, &request, caller).await,
        "POST /v1/offers/{offerId}/archive" => own::archive(&app, &request, caller).await,
        "GET /v1/offers/shared" => shared::list(&app, &request, caller).await,
        "GET /v1/offers/shared/{offerId}" => shared::read(&app, &request, caller).await,
        "POST /v1/offers/shared/{offerId}/accept-terms" => {
            accept::accept_terms(&app, &request, caller).await
        }
        _ => Err(Problem::missing(Code::RouteNotFound)),
    }
}
