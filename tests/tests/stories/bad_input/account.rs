//! The caller's own account.

use serde_json::json;

use super::case::{Caller, Case};
use super::scene::Scene;

pub(super) fn cases(scene: &Scene) -> Vec<Case> {
    let case = |route| Case::new(route, Caller::Target);
    vec![
        case("GET /v1/me").list(&[]).limit(None),
        case("PATCH /v1/me").body(json!({"language": "en"})).wrong(
            json!({"email": "nobody", "language": "fr", "name": "Anders", "disabled": false}),
            &[
                ("email", "invalid_email"),
                ("language", "unknown_value"),
                ("name", "unknown_field"),
                ("disabled", "unknown_field"),
            ],
        ),
        case("POST /v1/api-keys")
            .optional_body(json!({"name": "Kasse"}))
            .wrong(
                json!({"name": [], "scopes": ["payouts", 5], "expiresAt": "tomorrow"}),
                &[
                    ("name", "not_a_string"),
                    ("scopes[0]", "invalid"),
                    ("scopes[1]", "not_a_string"),
                    ("expiresAt", "invalid_date"),
                ],
            )
            .wrong(
                json!({"name": "", "scopes": [], "expiresAt": "2020-01-01T00:00:00Z"}),
                &[
                    ("name", "empty"),
                    ("scopes", "wrong_length"),
                    ("expiresAt", "in_the_past"),
                ],
            ),
        case("GET /v1/api-keys").list(&[]),
        case("DELETE /v1/api-keys/{keyId}").id(&scene.key, "api_key_not_found"),
    ]
}
