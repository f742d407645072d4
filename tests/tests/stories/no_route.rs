//! Calls for which the API has no route.

use reqwest::Method;
use serde_json::Value;
use tandem_tests::{Api, Setup};

/// The answer to a method and path, as a problem.
async fn refused(caller: &Api, method: Method, path: &str) -> Value {
    let answer = caller.call(method.clone(), path).send().await;
    assert_eq!(answer.status, 404, "{answer}");
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json"),
        "{answer}"
    );
    if method == Method::HEAD {
        return Value::Null;
    }
    assert_eq!(answer.body["code"], "route_not_found", "{answer}");
    assert!(answer.body["requestId"].is_string(), "{answer}");
    answer.body["detail"].clone()
}

#[tokio::test]
async fn a_call_without_a_route_gets_a_problem() {
    let setup = Setup::new().await;
    let operator = &setup.operator;
    let unsigned = Api::new(operator.stage().clone(), None);
    for caller in [operator, &unsigned] {
        let unknown = "no route has this method and path";
        let slash = "no route has this method and path; leave out the slash at the end of the path";
        for (method, path, detail) in [
            (Method::GET, "/", unknown),
            (Method::GET, "/v1/nothing", unknown),
            (Method::GET, "/v1/clients/", slash),
            (Method::POST, "/v1/clients/?a=b", slash),
            (Method::DELETE, "/v1/clients", unknown),
        ] {
            assert_eq!(refused(caller, method, path).await, detail, "{path}");
        }
        let _ = refused(caller, Method::HEAD, "/v1/clients").await;
    }
}
