//! The spans of a purchase and of its callback, with the calls of the real SDK.

use std::collections::BTreeSet;

use serde_json::Value;
use tandem_runtime::logs;
use tandem_runtime::spans::{Collector, traceparent};
use tandem_testing::REQUEST;
use tandem_tests::InProcess;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

fn texts<'a>(spans: impl IntoIterator<Item = &'a Value>, member: &str) -> BTreeSet<String> {
    let texts = spans.into_iter().map(|span| span[member].as_str());
    texts.map(|text| text.expect("text").to_owned()).collect()
}

#[tokio::test]
async fn a_purchase_and_its_callback_are_one_trace() {
    let server = MockServer::start().await;
    let traces = Mock::given(path("/v1/traces")).respond_with(ResponseTemplate::new(200));
    traces.mount(&server).await;
    let stage = InProcess::start().await;
    let setup = stage.setup();
    let receiver = setup.receiver().await;
    let pair = setup.pair_between_two_companies(&receiver.url()).await;
    let checkout = pair.checkout().await;
    stage.work().await;

    let (collector, recorder) = Collector::at(&server.uri(), "tandem").expect("a client");
    // With a single subscriber, `tracing` asks the thread that opens a span first whether anybody wants it: another test.
    let _second = tracing::Dispatch::new(logs::subscriber(std::io::sink));
    let guard = tracing::subscriber::set_default(logs::with_spans(std::io::sink, recorder));
    let _ = checkout.purchase("k1").await.created();
    stage.work().await;
    drop(guard);
    collector.export().await.expect("taken");

    assert_eq!(receiver.received().len(), 1);
    let requests = server.received_requests().await.expect("recorded");
    let body: Value = requests[0].body_json().expect("JSON");
    let spans = &body["resourceSpans"][0]["scopeSpans"][0]["spans"];
    let context = traceparent(REQUEST);
    let parts: Vec<&str> = context.split('-').collect();
    let spans: Vec<&Value> = spans.as_array().expect("spans").iter().collect();
    let of_trace = |span: &&&Value| span["traceId"] == parts[1];
    let trace: Vec<&Value> = spans.iter().filter(of_trace).copied().collect();
    let names = texts(trace.iter().copied(), "name");
    for name in [
        "POST /v1/carts/{cartId}/purchase",
        "DynamoDB.BatchGetItem",
        "DynamoDB.TransactWriteItems",
        "deliver a callback",
        "DynamoDB.PutItem",
    ] {
        assert!(names.contains(name), "no {name}: {names:?}");
    }
    let roots = trace.iter().filter(|span| span["parentSpanId"] == "");
    let roots = texts(roots.copied(), "spanId");
    assert_eq!(roots, BTreeSet::from([parts[2].to_owned()]));
    let work = trace
        .iter()
        .find(|span| span["name"] == "deliver a callback");
    assert_eq!(work.expect("a span")["parentSpanId"], parts[2]);
    // Of the customer, nothing.
    assert!(!body.to_string().contains('@'), "{body}");
}
