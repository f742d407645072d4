//! A request that would exceed its function's timeout.

use std::time::{Duration, SystemTime};

use lambda_http::{Context, RequestExt as _};
use serde_json::Value;
use tandem_api::serve::respond;
use tandem_api::{Answer, App, Problem, Request};
use tandem_testing::HttpCall;
use tandem_tests::InProcess;

async fn never(_: App, _: Request) -> Result<Answer, Problem> {
    std::future::pending().await
}

#[tokio::test]
async fn a_slow_request_is_answered_before_the_function_times_out() {
    let stage = InProcess::start().await;
    let deadline = SystemTime::now() + Duration::from_millis(700);
    let mut context = Context::default();
    context.deadline = deadline
        .duration_since(SystemTime::UNIX_EPOCH)
        .expect("later")
        .as_millis()
        .try_into()
        .expect("fits");
    let event = HttpCall::new("GET /v1/clients")
        .operator()
        .request()
        .with_lambda_context(context);
    let response = respond(stage.app.clone(), event, never).await;
    assert_eq!(
        (
            response.status().as_u16(),
            &response.headers()["retry-after"]
        ),
        (503, &"1".parse().expect("a value"))
    );
    let body: Value = serde_json::from_slice(response.body()).expect("JSON");
    assert_eq!(body["code"], "unavailable");
}
