//! The id of a request in the rows that follow from it.

use proptest::prelude::*;
use serde_json::json;
use tandem_domain::request_id::{InvalidRequestId, RequestId};

use crate::fixtures::request;

#[test]
fn an_id_of_the_http_api_is_stored_in_eleven_octets() {
    let stored = json!(request());
    assert_eq!(stored.as_array().map(Vec::len), Some(11));
    let lambda: RequestId = "0f8fad5b-d9cb-469f-a165-70867728950e".parse().expect("one");
    assert_eq!(json!(lambda).as_array().map(Vec::len), Some(27));
    let other: RequestId = "one of 2".replace(' ', "+").parse().expect("one");
    assert_eq!(json!(other), json!("one+of+2"));
}

#[test]
fn other_texts_are_no_request_ids() {
    for text in ["", "two words", "ü", "a\n", &"x".repeat(65)] {
        assert_eq!(text.parse::<RequestId>(), Err(InvalidRequestId), "{text:?}");
    }
}

proptest! {
    #[test]
    fn a_request_id_is_read_as_it_was(text in "[!-~]{1,64}") {
        let id: RequestId = text.parse().expect("a request id");
        let read: RequestId = serde_json::from_value(json!(id)).expect("stored");
        prop_assert_eq!(read.as_str(), text);
    }

    #[test]
    fn a_request_id_of_base64_is_read_as_it_was(text in "[A-Za-z0-9_-]{1,15}[AQgw]?=?=?") {
        let id: RequestId = text.parse().expect("a request id");
        let read: RequestId = serde_json::from_value(json!(id)).expect("stored");
        prop_assert_eq!(read.as_str(), text);
    }
}
