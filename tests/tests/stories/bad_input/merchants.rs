//! Connections, offers and carts.

use serde_json::{Value, json};

use super::case::{Caller, Case};
use super::scene::Scene;

const NOBODY: &str = "cli_0190b8f5c6f77c3ab0a1c2d3e4f50617";

pub(super) fn cases(scene: &Scene) -> Vec<Case> {
    [
        connections(scene),
        callback_addresses(scene),
        offers(scene),
        carts(scene),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn connections(scene: &Scene) -> Vec<Case> {
    let answer = |route| {
        Case::new(route, Caller::Target)
            .id(&scene.connection, "connection_not_found")
            .no_body()
    };
    let ask = |route| {
        Case::new(route, Caller::Source)
            .id(&scene.connection, "connection_not_found")
            .no_body()
    };
    let invite = |target: &str, url: Value| json!({"targetClientId": target, "offersAccess": true, "callback": {"url": url}});
    let callback = "https://example.com/callbacks";
    vec![
        Case::new("POST /v1/connections", Caller::Source)
            .body(invite(&scene.target_client, json!(callback)))
            .wrong(json!({}), &[("targetClientId", "required"), ("offersAccess", "required")])
            .wrong(
                json!({"targetClientId": "x", "offersAccess": "no", "callback": {"url": "ftp://example.com/", "secret": "s"}}),
                &[
                    ("targetClientId", "invalid"),
                    ("offersAccess", "not_a_boolean"),
                    ("callback.url", "not_https"),
                    ("callback.secret", "unknown_field"),
                ],
            )
            .wrong(invite(NOBODY, json!(callback)), &[("targetClientId", "not_found")])
            .wrong(invite(&scene.source_client, json!(callback)), &[("targetClientId", "is_caller")])
            .wrong(invite(&scene.neighbour, json!(callback)), &[("callback", "within_one_company")])
            .wrong(json!({"targetClientId": scene.target_client, "offersAccess": true}), &[("callback", "required")]),
        Case::new("GET /v1/connections", Caller::Source)
            .list(&[("role", "seller", "unknown_value"), ("status", "open", "unknown_value")]),
        Case::new("GET /v1/connections/{connectionId}", Caller::Source).id(&scene.connection, "connection_not_found"),
        Case::new("POST /v1/connections/{connectionId}/accept", Caller::Source)
            .id(&scene.invitation, "connection_not_found")
            .no_body(),
        answer("POST /v1/connections/{connectionId}/decline"),
        Case::new("POST /v1/connections/{connectionId}/withdraw", Caller::Source)
            .id(&scene.invitation, "connection_not_found")
            .no_body(),
        Case::new("POST /v1/connections/{connectionId}/resend-invitation", Caller::Source)
            .id(&scene.invitation, "connection_not_found")
            .no_body(),
        answer("POST /v1/connections/{connectionId}/block"),
        answer("POST /v1/connections/{connectionId}/unblock"),
        ask("POST /v1/connections/{connectionId}/callback/rotate-secret"),
        ask("POST /v1/connections/{connectionId}/callback/test"),
    ]
}

fn callback_addresses(scene: &Scene) -> Vec<Case> {
    let to = |url: &str| json!({"callback": {"url": url}});
    let edit = Case::new("PATCH /v1/connections/{connectionId}", Caller::Source)
        .id(&scene.connection, "connection_not_found")
        .body(to("https://example.com/other"))
        .wrong(
            json!({"offersAccess": 1, "callback": {"url": 5}, "metadata": "a", "status": "blocked"}),
            &[
                ("metadata", "not_an_object"),
                ("offersAccess", "not_a_boolean"),
                ("callback.url", "not_a_string"),
                ("status", "unknown_field"),
            ],
        )
        .wrong(
            json!({"callback": {"headers": [{"name": "X-A", "value": "ä"}]}}),
            &[("callback.headers[0].value", "invalid_header_value")],
        )
        .wrong(
            json!({"callback": {"headers": "X-A"}}),
            &[("callback.headers", "not_a_list")],
        )
        .wrong(to("example.com"), &[("callback.url", "invalid_url")])
        .wrong(to("http://example.com/"), &[("callback.url", "not_https")])
        .wrong(
            to("https://user:word@example.com/"),
            &[("callback.url", "credentials_in_url")],
        )
        .wrong(
            to("https://example.com/#here"),
            &[("callback.url", "fragment_in_url")],
        )
        .wrong(
            to("https://example.com:22/"),
            &[("callback.url", "port_not_allowed")],
        )
        .wrong(
            to(&format!("https://example.com/{}", "a".repeat(2_048))),
            &[("callback.url", "too_long")],
        )
        .wrong(
            to("https://localhost/"),
            &[("callback.url", "private_host")],
        )
        .wrong(
            to("https://169.254.169.254/latest/meta-data"),
            &[("callback.url", "private_host")],
        )
        .wrong(
            to("https://100.64.0.1/"),
            &[("callback.url", "private_host")],
        )
        .wrong(
            to("https://[2002:7f00:1::]/"),
            &[("callback.url", "private_host")],
        )
        .wrong(to("https://a..b/"), &[("callback.url", "invalid_host")])
        .wrong(
            to(&format!("https://example.com/{}", "\u{e4}".repeat(900))),
            &[("callback.url", "too_long")],
        );
    vec![edit]
}

fn offers(scene: &Scene) -> Vec<Case> {
    let right = json!({
        "name": "Neu", "type": "subscription", "period": {"unit": "month", "count": 1}, "renews": true,
        "price": {"amount": 999, "currency": "EUR"},
        "crossClient": {"targetClientIds": [scene.target_client], "sellerShareBasisPoints": 2_000},
    });
    let all_wrong = json!({
        "name": [], "description": "a".repeat(2_001), "type": "subscription", "period": {"unit": "hour", "count": 0}, "renews": 1,
        "price": {"amount": -1, "currency": "EUX", "tax": 7}, "externallyManaged": "no", "oncePerCustomer": 1, "status": "active",
        "metadata": [], "costCenters": [{"targetClientId": "x", "costCenter": ""}],
        "crossClient": {"targetClientIds": ["x", 5], "sellerShareBasisPoints": 10_001},
    });
    let mut single = right.clone();
    single["type"] = json!("single");
    single["oncePerCustomer"] = json!(true);
    let mut managed = right.clone();
    managed["externallyManaged"] = json!(true);
    let mut fractions = right.clone();
    fractions["price"]["amount"] = json!(9.99);
    fractions["period"]["count"] = json!(367);
    let mut elsewhere = right.clone();
    elsewhere["crossClient"]["targetClientIds"] = json!([scene.target_client, NOBODY]);
    let id = |route| Case::new(route, Caller::Source).id(&scene.shared_offer, "offer_not_found");
    vec![
        Case::new("POST /v1/offers", Caller::Source)
            .body(right)
            .wrong(json!({}), &[("name", "required"), ("type", "required"), ("price", "required")])
            .wrong(
                all_wrong,
                &[
                    ("name", "not_a_string"),
                    ("description", "too_long"),
                    ("period.unit", "unknown_value"),
                    ("period.count", "out_of_range"),
                    ("renews", "not_a_boolean"),
                    ("price.amount", "out_of_range"),
                    ("price.currency", "unknown_currency"),
                    ("price.tax", "unknown_field"),
                    ("externallyManaged", "not_a_boolean"),
                    ("oncePerCustomer", "not_a_boolean"),
                    ("metadata", "not_an_object"),
                    ("costCenters[0].targetClientId", "invalid"),
                    ("costCenters[0].costCenter", "empty"),
                    ("status", "unknown_field"),
                    ("crossClient.targetClientIds[0]", "invalid"),
                    ("crossClient.targetClientIds[1]", "not_a_string"),
                    ("crossClient.sellerShareBasisPoints", "out_of_range"),
                ],
            )
            .wrong(
                json!({"name": "Neu", "type": "subscription", "price": {}}),
                &[("period", "required"), ("renews", "required"), ("price.amount", "required"), ("price.currency", "required")],
            )
            .wrong(single, &[("period", "not_for_single"), ("renews", "not_for_single"), ("oncePerCustomer", "not_for_single"), ("crossClient", "not_time_based")])
            .wrong(managed, &[("externallyManaged", "contradicts_cross_client")])
            .wrong(fractions, &[("price.amount", "not_an_integer"), ("period.count", "out_of_range")])
            .wrong(elsewhere, &[("crossClient.targetClientIds[1]", "not_connected")]),
        Case::new("GET /v1/offers", Caller::Source).list(&[("status", "sold", "unknown_value")]),
        Case::new("GET /v1/offers/shared", Caller::Target).list(&[("sourceClientId", "x", "invalid")]),
        Case::new("GET /v1/offers/shared/{offerId}", Caller::Target).id(&scene.shared_offer, "offer_not_found"),
        Case::new("POST /v1/offers/shared/{offerId}/accept-terms", Caller::Target)
            .id(&scene.shared_offer, "offer_not_found")
            .body(json!({"version": 1}))
            .wrong(json!({}), &[("version", "required")])
            .wrong(json!({"version": 0, "price": 1}), &[("version", "out_of_range"), ("price", "unknown_field")])
            .wrong(json!({"version": "1"}), &[("version", "not_an_integer")]),
        id("GET /v1/offers/{offerId}"),
        id("PATCH /v1/offers/{offerId}")
            .body(json!({"name": "Anders"}))
            .wrong(
                json!({"name": "", "description": 5, "price": {}, "crossClient": {}, "oncePerCustomer": "no", "metadata": {"a": 1}, "type": "single",
                    "costCenters": [{"targetClientId": NOBODY, "costCenter": "1"}, {"targetClientId": NOBODY, "costCenter": "2"}]}),
                &[
                    ("name", "empty"),
                    ("description", "not_a_string"),
                    ("price.amount", "required"),
                    ("price.currency", "required"),
                    ("crossClient.targetClientIds", "required"),
                    ("crossClient.sellerShareBasisPoints", "required"),
                    ("oncePerCustomer", "not_a_boolean"),
                    ("metadata.a", "not_a_string"),
                    ("costCenters[1].targetClientId", "repeated"),
                    ("type", "unknown_field"),
                ],
            )
            .wrong(
                json!({"crossClient": {"targetClientIds": [scene.neighbour, NOBODY], "sellerShareBasisPoints": 0}}),
                &[("crossClient.targetClientIds[1]", "not_connected")],
            )
            .wrong(
                json!({"sellOldTermsUntil": "soon", "crossClient": {
                    "targetClientIds": [scene.neighbour],
                    "sellerShareBasisPoints": 0,
                    "targetTerms": [
                        {"targetClientId": scene.neighbour, "price": {"amount": -1}, "share": 1},
                        {"sellerShareBasisPoints": 10_001},
                    ],
                }}),
                &[
                    ("crossClient.targetTerms[0].price.amount", "out_of_range"),
                    ("crossClient.targetTerms[0].price.currency", "required"),
                    ("crossClient.targetTerms[0].share", "unknown_field"),
                    ("crossClient.targetTerms[1].targetClientId", "required"),
                    ("crossClient.targetTerms[1].sellerShareBasisPoints", "out_of_range"),
                    ("sellOldTermsUntil", "invalid_date"),
                ],
            )
            .wrong(
                json!({"crossClient": {"targetClientIds": [scene.neighbour], "sellerShareBasisPoints": 0, "targetTerms": [
                    {"targetClientId": scene.neighbour, "sellerShareBasisPoints": 1},
                    {"targetClientId": scene.neighbour, "sellerShareBasisPoints": 2},
                    {"targetClientId": NOBODY, "sellerShareBasisPoints": 2},
                ]}}),
                &[
                    ("crossClient.targetTerms[1].targetClientId", "repeated"),
                    ("crossClient.targetTerms[2].targetClientId", "not_a_target"),
                ],
            )
            .wrong(json!({"sellOldTermsUntil": "2001-01-01T00:00:00Z"}), &[("sellOldTermsUntil", "in_the_past")])
            .wrong(json!({"sellOldTermsUntil": "9998-01-01T00:00:00Z"}), &[("sellOldTermsUntil", "nothing_proposed")]),
        id("POST /v1/offers/{offerId}/archive").no_body(),
    ]
}

fn carts(scene: &Scene) -> Vec<Case> {
    let of = |offers: &[&String]| {
        let position = |(offer, number): (&&String, usize)| json!({"position": number, "offerId": offer, "mandatory": true});
        Value::Array(offers.iter().zip(1..).map(position).collect())
    };
    let cart = |positions: Value| json!({"name": "Neu", "positions": positions});
    let unknown = "off_0190b8f5c6f77c3ab0a1c2d3e4f50617".to_owned();
    let unsold = of(&[
        &scene.own_offer,
        &unknown,
        &scene.archived_offer,
        &scene.managed_offer,
        &scene.lent_offer,
        &scene.offer_in_francs,
        &scene.own_offer,
    ]);
    const UNSOLD: &[(&str, &str)] = &[
        ("positions[1].offerId", "offer_not_found"),
        ("positions[2].offerId", "offer_archived"),
        ("positions[3].offerId", "offer_externally_managed"),
        ("positions[4].offerId", "offer_is_cross_client"),
        ("positions[5].offerId", "currency_differs"),
        ("positions[6].offerId", "offer_repeated"),
    ];
    let malformed = json!([
        {"position": 0, "offerId": "x", "mandatory": "yes", "preselected": 1, "price": 5},
        {"position": 2, "mandatory": true, "preselected": true},
    ]);
    const MALFORMED: &[(&str, &str)] = &[
        ("positions[0].position", "out_of_range"),
        ("positions[0].offerId", "invalid"),
        ("positions[0].mandatory", "not_a_boolean"),
        ("positions[0].preselected", "not_a_boolean"),
        ("positions[0].price", "unknown_field"),
        ("positions[1].offerId", "required"),
        ("positions[1].preselected", "not_optional"),
    ];
    let mut gap = of(&[&scene.own_offer, &scene.shared_offer]);
    gap[1]["position"] = json!(3);
    let mut optional = of(&[&scene.own_offer]);
    optional[0]["mandatory"] = json!(false);
    let id = |route| Case::new(route, Caller::Target).id(&scene.cart, "cart_not_found");
    vec![
        Case::new("POST /v1/carts", Caller::Target)
            .body(cart(of(&[&scene.own_offer, &scene.shared_offer])))
            .wrong(
                json!({}),
                &[("name", "required"), ("positions", "required")],
            )
            .wrong(cart(malformed.clone()), MALFORMED)
            .wrong(cart(unsold.clone()), UNSOLD)
            .wrong(cart(gap.clone()), &[("positions", "position_gap")])
            .wrong(cart(json!([])), &[("positions", "wrong_length")])
            .wrong(
                cart(of(&[&scene.own_offer; 21])),
                &[("positions", "wrong_length")],
            )
            .wrong(
                cart(optional.clone()),
                &[("positions", "nothing_mandatory")],
            )
            .wrong(
                cart(of(&[&scene.shared_offer])),
                &[("positions", "nothing_own")],
            ),
        Case::new("GET /v1/carts", Caller::Target).list(&[("status", "sold", "unknown_value")]),
        id("GET /v1/carts/{cartId}"),
        id("PATCH /v1/carts/{cartId}")
            .body(json!({"name": "Anders"}))
            .wrong(
                json!({"name": 5, "description": "", "positions": "all", "status": "archived"}),
                &[
                    ("name", "not_a_string"),
                    ("description", "empty"),
                    ("positions", "not_a_list"),
                    ("status", "unknown_field"),
                ],
            )
            .wrong(json!({"positions": malformed}), MALFORMED)
            .wrong(json!({"positions": unsold}), UNSOLD)
            .wrong(json!({"positions": gap}), &[("positions", "position_gap")])
            .wrong(
                json!({"positions": optional}),
                &[("positions", "nothing_mandatory")],
            )
            .wrong(
                json!({"positions": of(&[&scene.shared_offer])}),
                &[("positions", "nothing_own")],
            ),
        id("POST /v1/carts/{cartId}/archive").no_body(),
    ]
}
