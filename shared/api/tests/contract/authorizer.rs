//! The gateway caches the authorizer's answers. The template sets for how long, which bounds the time that a revoked key still works.

use serde_json::json;

use crate::template::{is_default_route, list, of_type, referred, text};

/// The limit that SECURITY.md and docs/errors.md promise, in seconds.
const MAX_SECONDS: u64 = 60;

#[test]
fn an_authorization_is_cached_for_a_minute_per_key_and_route() {
    let [(api, properties)] = of_type("AWS::Serverless::HttpApi")
        .try_into()
        .expect("one API");
    let auth = &properties["Auth"];
    let authorizer = &auth["Authorizers"][text(&auth["DefaultAuthorizer"])];
    // The alias: a rollout moves it like that of every other function.
    assert_eq!(
        referred(&authorizer["FunctionArn"]),
        "AuthorizeFunction.Alias",
        "{api}"
    );
    assert_eq!(authorizer["EnableSimpleResponses"], true);
    let identity = &authorizer["Identity"];
    let seconds = identity["ReauthorizeEvery"]
        .as_u64()
        .expect("ReauthorizeEvery is set; the default of the gateway is 300");
    assert!((1..=MAX_SECONDS).contains(&seconds), "{seconds}");
    assert_eq!(list(&identity["Headers"]), [json!("Authorization")]);
    assert_eq!(
        list(&identity["Context"]),
        [json!("routeKey")],
        "the scope depends on the route"
    );
}

#[test]
fn every_route_has_the_apis_authorizer() {
    let template = tandem_testing::template();
    assert_eq!(
        template["Globals"].get("HttpApi"),
        None,
        "SAM merges it into the API"
    );
    let (mut routes, mut defaults) = (0, 0);
    for (name, function) in of_type("AWS::Serverless::Function") {
        let events = function["Events"].as_object().cloned().unwrap_or_default();
        for (event, trigger) in events
            .into_iter()
            .filter(|(_, trigger)| text(&trigger["Type"]).ends_with("Api"))
        {
            assert_eq!(trigger["Type"], "HttpApi", "{name}: {event}");
            assert_eq!(
                referred(&trigger["Properties"]["ApiId"]),
                "Api",
                "{name}: {event}"
            );
            if is_default_route(&trigger) {
                let auth = &trigger["Properties"]["Auth"];
                assert_eq!(auth, &json!({"Authorizer": "NONE"}), "{name}: {event}");
                defaults += 1;
                continue;
            }
            assert_eq!(trigger["Properties"].get("Auth"), None, "{name}: {event}");
            routes += 1;
        }
        assert_eq!(
            function.get("FunctionUrlConfig"),
            None,
            "{name}: a function URL bypasses the gateway"
        );
    }
    assert!(routes > 60, "{routes}");
    // Its calls reach no handler: `tandem_api::serve` answers 404.
    assert_eq!(defaults, 1, "one default route");
}
