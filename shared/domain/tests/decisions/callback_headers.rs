//! Static headers of callbacks.

use proptest::prelude::*;
use serde_json::{Value, json};
use tandem_domain::callback_headers::{HeaderDraft, StaticHeaders};
use tandem_domain::input::FieldError;

fn header(name: &str, value: &str) -> Value {
    json!({"name": name, "value": value})
}

fn wrong(value: &Value) -> Vec<(String, &'static str)> {
    let errors = HeaderDraft::parse(value).expect_err("invalid headers").0;
    let code = |error: FieldError| (error.field, error.code);
    errors.into_iter().map(code).collect()
}

fn stored(value: &Value) -> Option<StaticHeaders> {
    let draft = HeaderDraft::parse(value).expect("headers");
    draft.sealed(|text| text.to_vec().into())
}

#[test]
fn names_are_stored_in_lower_case_and_values_sealed() {
    let headers = stored(&json!([
        header("X-Tenant", "7"),
        header("Authorization", "Basic YTpi")
    ]));
    let headers = headers.expect("headers");
    assert_eq!(headers.names, ["authorization", "x-tenant"]);
    let opened = StaticHeaders::open(&headers.sealed).expect("a map");
    assert_eq!(opened["authorization"], "Basic YTpi");
    assert_eq!(opened["x-tenant"], "7");
}

#[test]
fn no_headers_remove_all() {
    assert_eq!(stored(&json!([])), None);
}

#[test]
fn a_draft_does_not_print_its_values() {
    let draft = HeaderDraft::parse(&json!([header("Authorization", "Basic YTpi")]));
    assert_eq!(
        format!("{:?}", draft.expect("headers")),
        r#"{"authorization"}"#
    );
}

#[test]
fn each_wrong_header_is_reported_by_its_number() {
    let many = json!([
        header("Content-Length", "7"), header("Héader", "x"), header("webhook-id", "x"), header("X-A", " x"),
        {"name": "X-B", "value": "x\r\nX-C: y", "secret": true},
    ]);
    let expected = [
        ("[0].name", "reserved_header"),
        ("[1].name", "invalid_header_name"),
        ("[2].name", "reserved_header"),
        ("[3].value", "invalid_header_value"),
        ("[4].value", "invalid_header_value"),
        ("[4].secret", "unknown_field"),
    ];
    assert_eq!(
        wrong(&many),
        expected.map(|(field, code)| (field.to_owned(), code))
    );
}

#[test]
fn names_their_number_and_all_octets_are_limited() {
    let six: Vec<_> = (0..6).map(|n| header(&format!("X-{n}"), "x")).collect();
    let twice = json!([header("X-A", "x"), header("x-a", "y")]);
    let long: Vec<_> = (0..3)
        .map(|n| header(&format!("X-{n}"), &"x".repeat(700)))
        .collect();
    for (headers, field, code) in [
        (json!(six), "", "wrong_length"),
        (twice, "[1].name", "repeated"),
        (json!(long), "", "too_long"),
        (json!({}), "", "not_a_list"),
    ] {
        assert_eq!(wrong(&headers), [(field.to_owned(), code)]);
    }
}

#[test]
fn the_headers_that_tandem_or_http_sets_are_reserved() {
    for name in [
        "Host",
        "HOST",
        "User-Agent",
        "Accept",
        "Accept-Encoding",
        "Connection",
        "Transfer-Encoding",
        "TE",
        "Trailer",
        "Upgrade",
        "Expect",
        "Content-Type",
        "Content-Encoding",
        "Webhook-Signature",
        "Proxy-Authorization",
        "Date",
    ] {
        let expected = [("[0].name".to_owned(), "reserved_header")];
        assert_eq!(wrong(&json!([header(name, "x")])), expected, "{name}");
    }
}

proptest! {
    #[test]
    fn accepted_headers_are_headers_of_http(name in "[ -~]{1,3}|[A-Za-z0-9_-]{1,70}", value in "(?s)[ -~]{0,9}|.{0,9}") {
        if let Ok(draft) = HeaderDraft::parse(&json!([header(&name, &value)])) {
            prop_assert!(http::HeaderName::from_bytes(name.as_bytes()).is_ok());
            prop_assert!(http::HeaderValue::from_str(&value).is_ok());
            let stored = draft.sealed(|text| text.to_vec().into()).expect("a header");
            let opened = StaticHeaders::open(&stored.sealed).expect("a map");
            prop_assert_eq!(&opened[&name.to_ascii_lowercase()], &value);
        }
    }
}
