//! The operator's routes.

use serde_json::json;

use super::case::{Caller, Case};
use super::scene::Scene;

pub(super) fn cases(scene: &Scene) -> Vec<Case> {
    let case = |route| Case::new(route, Caller::Operator);
    let modules = json!({"crossClientConnections": false});
    let client = json!({"contractingCompanyId": scene.company, "name": "Neu", "email": "neu@example.com", "language": "de"});
    vec![
        case("POST /v1/contracting-companies")
            .body(json!({"name": scene.marker, "modules": modules}))
            .wrong(json!({}), &[("name", "required")])
            .wrong(
                json!({"name": " ", "modules": {"crossClientConnections": "yes", "more": 1}, "timeZone": "Berlin", "colour": "red"}),
                &[
                    ("name", "empty"),
                    ("modules.crossClientConnections", "not_a_boolean"),
                    ("modules.more", "unknown_field"),
                    ("timeZone", "unknown_time_zone"),
                    ("colour", "unknown_field"),
                ],
            ),
        case("GET /v1/contracting-companies").list(&[]),
        case("GET /v1/contracting-companies/{companyId}").id(&scene.company, "company_not_found"),
        case("PATCH /v1/contracting-companies/{companyId}")
            .id(&scene.company, "company_not_found")
            .body(json!({"name": "Anders"}))
            .wrong(
                json!({"name": "a\u{0}b", "modules": {}}),
                &[("name", "invalid_characters"), ("modules.crossClientConnections", "required")],
            )
            .wrong(json!({"name": "a".repeat(201), "modules": true, "timeZone": 1}), &[("name", "too_long"), ("modules", "not_an_object"), ("timeZone", "not_a_string")]),
        case("POST /v1/clients")
            .body(client.clone())
            .wrong(
                json!({}),
                &[("contractingCompanyId", "required"), ("name", "required"), ("email", "required"), ("language", "required")],
            )
            .wrong(
                json!({"contractingCompanyId": "x", "name": 5, "email": "nobody", "language": "fr"}),
                &[
                    ("contractingCompanyId", "invalid"),
                    ("name", "not_a_string"),
                    ("email", "invalid_email"),
                    ("language", "unknown_value"),
                ],
            )
            .wrong(
                json!({"contractingCompanyId": "cco_0190b8f5c6f77c3ab0a1c2d3e4f50617", "name": "Neu", "email": "neu@example.com", "language": "de"}),
                &[("contractingCompanyId", "not_found")],
            ),
        case("GET /v1/clients").list(&[("contractingCompanyId", "x", "invalid")]),
        case("GET /v1/clients/{clientId}").id(&scene.target_client, "client_not_found"),
        case("PATCH /v1/clients/{clientId}")
            .id(&scene.target_client, "client_not_found")
            .body(json!({"name": "Anders"}))
            .wrong(
                json!({"name": "", "email": "nobody", "language": "fr", "disabled": "yes", "contractingCompanyId": scene.company}),
                &[
                    ("name", "empty"),
                    ("email", "invalid_email"),
                    ("language", "unknown_value"),
                    ("disabled", "not_a_boolean"),
                    ("contractingCompanyId", "unknown_field"),
                ],
            ),
        case("POST /v1/clients/{clientId}/api-keys")
            .id(&scene.target_client, "client_not_found")
            .optional_body(json!({"name": "Kasse"}))
            .wrong(
                json!({"name": [], "scopes": ["payouts", 5], "expiresAt": "tomorrow"}),
                &[("name", "not_a_string"), ("scopes[0]", "invalid"), ("scopes[1]", "not_a_string"), ("expiresAt", "invalid_date")],
            )
            .wrong(
                json!({"name": "", "scopes": [], "expiresAt": "2020-01-01T00:00:00Z"}),
                &[("name", "empty"), ("scopes", "wrong_length"), ("expiresAt", "in_the_past")],
            ),
        case("GET /v1/clients/{clientId}/api-keys").id(&scene.target_client, "client_not_found").list(&[]),
        case("DELETE /v1/clients/{clientId}/api-keys/{keyId}")
            .id(&scene.target_client, "api_key_not_found")
            .id(&scene.key, "api_key_not_found"),
    ]
}
