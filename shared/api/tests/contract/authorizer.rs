//! How the gateway asks who calls. It keeps the authorizer's answers, so the template says how long a key that was revoked still
//! works, and on which routes an answer counts.

use serde_json::json;

use crate::template::{list, of_type, referred, text};

/// Seconds that SECURITY.md and docs/errors.md promise.
const LONGEST: u64 = 60;

#[test]
fn an_authorizers_answer_is_kept_for_a_minute_at_most_and_for_one_key_and_route() {
    let [(api, properties)] = of_type("AWS::Serverless::HttpApi")
        .try_into()
        .expect("one API");
    let auth = &properties["Auth"];
    let authorizer = &auth["Authorizers"][text(&auth["DefaultAuthorizer"])];
    assert_eq!(
        referred(&authorizer["FunctionArn"]),
        "AuthorizeFunction",
        "{api}"
    );
    assert_eq!(authorizer["EnableSimpleResponses"], true);
    let identity = &authorizer["Identity"];
    let seconds = identity["ReauthorizeEvery"]
        .as_u64()
        .expect("a number; without one, SAM leaves it to the gateway: 300");
    assert!((1..=LONGEST).contains(&seconds), "{seconds}");
    assert_eq!(list(&identity["Headers"]), [json!("Authorization")]);
    assert_eq!(
        list(&identity["Context"]),
        [json!("routeKey")],
        "the scope depends on the route"
    );
}

#[test]
fn every_route_is_of_the_one_api_and_leaves_its_authorizer_in_place() {
    let template = tandem_testing::template();
    assert_eq!(
        template["Globals"].get("HttpApi"),
        None,
        "it would be merged into the API"
    );
    let mut routes = 0;
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
            assert_eq!(trigger["Properties"].get("Auth"), None, "{name}: {event}");
            routes += 1;
        }
        assert_eq!(
            function.get("FunctionUrlConfig"),
            None,
            "{name}: an address past the gateway"
        );
    }
    assert!(routes > 60, "{routes}");
}
