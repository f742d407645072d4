//! Spans for OpenTelemetry, if a collector is set: `OTEL_EXPORTER_OTLP_ENDPOINT`, such as `http://localhost:4318` of a layer.
//!
//! Without a collector nothing is built, no span is recorded, and no call is made. With it, the spans of an invocation are sent before
//! it ends, as OTLP over HTTP in JSON: a frozen function sends nothing.
//!
//! A request and all work that follows from it are one trace. The rows keep the request's id, and the trace context follows from
//! that: [`traceparent`]. So a row has no further octet, and a trace is found by a request id.
//!
//! Not guaranteed: a span of an invocation that dies, or that the collector does not take within a second.

mod layer;
mod otlp;

use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use tandem_domain::request_id::RequestId;
use tandem_sealing::sha256_start;
use tracing::Span;

use crate::{http_client, settings};
use layer::Ended;
pub use layer::SpanLayer;
pub(crate) use layer::is_recorded;

/// The target of our own spans. Its level is below that of the log.
const TARGET: &str = "spans";
const REQUEST: &str = "request";
const WORK: &str = "work";
/// For the export of an invocation's spans.
const TIMEOUT: Duration = Duration::from_secs(1);

static COLLECTOR: OnceLock<Collector> = OnceLock::new();

/// Sends spans to a collector.
pub struct Collector {
    uri: String,
    /// The name of the function.
    service: String,
    ended: Arc<Ended>,
    client: SharedHttpConnector,
}

impl Collector {
    /// The collector at an endpoint, and the layer that records its spans.
    ///
    /// # Errors
    /// The certificates to trust cannot be read.
    pub fn at(endpoint: &str, service: &str) -> Result<(Self, SpanLayer)> {
        let ended = Arc::<Ended>::default();
        let collector = Self {
            uri: format!("{}/v1/traces", endpoint.trim_end_matches('/')),
            service: service.to_owned(),
            ended: ended.clone(),
            client: http_client::connector()?,
        };
        Ok((collector, SpanLayer::new(ended)))
    }

    /// Sends the spans that have ended since the last export.
    ///
    /// # Errors
    /// The collector does not take them; they are lost.
    pub async fn export(&self) -> Result<()> {
        let spans = self.ended.take();
        if spans.is_empty() {
            return Ok(());
        }
        let body = otlp::body(&self.service, &spans).to_string();
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_method("POST").context("a method")?;
        request.set_uri(self.uri.as_str()).context("an address")?;
        request
            .headers_mut()
            .insert("content-type", "application/json");
        let answer = tokio::time::timeout(TIMEOUT, self.client.call(request)).await??;
        ensure!(
            answer.status().is_success(),
            "the collector answers {}",
            answer.status()
        );
        Ok(())
    }
}

/// The layer of the collector that is set; `None` if there is none.
pub(crate) fn start() -> Option<SpanLayer> {
    let endpoint = settings::optional("OTEL_EXPORTER_OTLP_ENDPOINT")?;
    let service = std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default();
    // Without certificates the AWS clients fail and say so.
    let (collector, layer) = Collector::at(&endpoint, &service).ok()?;
    COLLECTOR.set(collector).ok()?;
    Some(layer)
}

/// Runs an invocation, then sends its spans.
pub async fn exported<T>(invocation: impl Future<Output = T>) -> T {
    let result = invocation.await;
    if let Some(collector) = COLLECTOR.get()
        && let Err(error) = collector.export().await
    {
        tracing::warn!(
            error = format!("{error:#}"),
            "the spans of an invocation are lost"
        );
    }
    result
}

/// The span of a request: the root of its trace.
pub fn of_request(request: &str, route: &str) -> Span {
    tracing::debug_span!(target: TARGET, REQUEST, request, name = route)
}

/// The span of a worker's work on a row that follows from a request.
pub fn of_work(
    name: &'static str,
    row: impl std::fmt::Display,
    request: Option<&RequestId>,
) -> Span {
    let request = request.map(RequestId::as_str);
    tracing::debug_span!(target: TARGET, WORK, request, name, row = %row)
}

/// The trace and the root span of a request.
fn context_of(request: &str) -> ([u8; 16], [u8; 8]) {
    let of = |part: &str| format!("{part} {request}");
    (
        sha256_start(of("trace").as_bytes()),
        sha256_start(of("span").as_bytes()),
    )
}

/// The trace context of a request and of the rows that keep its id, in the form of W3C: the trace is the first 16 octets of the
/// SHA-256 of `trace ID`, its root span the first 8 of that of `span ID`.
pub fn traceparent(request: &str) -> String {
    let (trace, root) = context_of(request);
    format!("00-{}-{}-01", otlp::hex(&trace), otlp::hex(&root))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tracing::Instrument as _;
    use tracing_subscriber::layer::SubscriberExt as _;
    use wiremock::matchers::{header, method, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::logs;

    const ID: &str = "Yx3kWhO_FiAEJ1g=";

    /// A collector that takes all spans.
    async fn collector(status: u16) -> (MockServer, Collector, SpanLayer) {
        let server = MockServer::start().await;
        Mock::given(method("POST"))
            .and(path("/v1/traces"))
            .and(header("content-type", "application/json"))
            .respond_with(ResponseTemplate::new(status))
            .mount(&server)
            .await;
        let (collector, layer) = Collector::at(&server.uri(), "tandem-test").expect("a client");
        (server, collector, layer)
    }

    /// The spans of all exports.
    async fn exported_to(server: &MockServer) -> Vec<Value> {
        let requests = server.received_requests().await.expect("recorded");
        let bodies = requests
            .iter()
            .map(|request| request.body_json::<Value>().expect("JSON"));
        let spans = bodies.flat_map(|body| {
            let of = &body["resourceSpans"][0];
            let service = json!([{"key": "service.name", "value": {"stringValue": "tandem-test"}}]);
            assert_eq!(of["resource"]["attributes"], service);
            of["scopeSpans"][0]["spans"]
                .as_array()
                .expect("spans")
                .clone()
        });
        spans.collect()
    }

    fn named<'a>(spans: &'a [Value], name: &str) -> &'a Value {
        let found = spans.iter().find(|span| span["name"] == name);
        found.unwrap_or_else(|| panic!("no span {name}: {spans:?}"))
    }

    async fn call(name: &'static str) {
        let span = match name {
            "SQS.SendMessage" => {
                tracing::debug_span!(target: "aws_sdk_sqs::operation", "SQS.SendMessage")
            }
            _ => {
                tracing::debug_span!(target: "aws_sdk_dynamodb::operation", "DynamoDB.PutItem", rpc.method = "PutItem")
            }
        };
        async { tracing::info!("an event") }.instrument(span).await;
    }

    #[tokio::test]
    async fn a_request_and_the_work_that_follows_are_one_trace() {
        let (server, collector, layer) = collector(200).await;
        let log = logs::with_spans(std::io::sink, layer);
        // With a single subscriber, `tracing` asks the thread that opens a span first whether anybody wants it: another test.
        let _second = tracing::Dispatch::new(logs::subscriber(std::io::sink));
        let guard = tracing::subscriber::set_default(log);
        call("DynamoDB.PutItem")
            .instrument(of_request(ID, "POST /v1/orders"))
            .await;
        let request: RequestId = ID.parse().expect("a request id");
        let work = of_work("deliver a callback", "cbk_1", Some(&request));
        call("SQS.SendMessage").instrument(work).await;
        call("DynamoDB.PutItem")
            .instrument(of_work("send a mail", "mal_1", None))
            .await;
        drop(guard);
        collector.export().await.expect("taken");
        collector.export().await.expect("nothing to send");
        let spans = exported_to(&server).await;
        assert_eq!(
            (
                spans.len(),
                server.received_requests().await.expect("all").len()
            ),
            (6, 1)
        );
        let (root, put, work, sent) = (
            named(&spans, "POST /v1/orders"),
            named(&spans, "DynamoDB.PutItem"),
            named(&spans, "deliver a callback"),
            named(&spans, "SQS.SendMessage"),
        );
        let context = format!("00-{}-{}-01", text(&root["traceId"]), text(&root["spanId"]));
        assert_eq!(context, traceparent(ID));
        for (span, parent, kind) in [
            (root, None, 2),
            (put, Some(root), 3),
            (work, Some(root), 5),
            (sent, Some(work), 3),
        ] {
            assert_eq!(span["traceId"], root["traceId"], "{span}");
            let parent = parent.map_or("", |parent| text(&parent["spanId"]));
            assert_eq!(
                (text(&span["parentSpanId"]), &span["kind"]),
                (parent, &json!(kind)),
                "{span}"
            );
            let times = ["startTimeUnixNano", "endTimeUnixNano"]
                .map(|name| text(&span[name]).parse::<u64>().ok());
            assert!(times[0].is_some() && times[0] <= times[1], "{span}");
        }
        let request = json!({"key": "request", "value": {"stringValue": ID}});
        assert!(
            work["attributes"]
                .as_array()
                .expect("a list")
                .contains(&request)
        );
        let other = named(&spans, "send a mail");
        assert!(
            other["traceId"] != root["traceId"] && other["parentSpanId"] == "",
            "{other}"
        );
    }

    fn text(value: &Value) -> &str {
        value.as_str().expect("text")
    }

    #[tokio::test]
    async fn a_collector_that_fails_loses_the_spans_only() {
        let (server, collector, layer) = collector(500).await;
        let log = logs::with_spans(std::io::sink, layer);
        let _second = tracing::Dispatch::new(logs::subscriber(std::io::sink));
        let guard = tracing::subscriber::set_default(log);
        drop(of_request(ID, "GET /v1/orders"));
        drop(guard);
        let error = collector.export().await.expect_err("not taken");
        assert!(format!("{error:#}").contains("500"), "{error:#}");
        drop(server);
        collector.export().await.expect("nothing to send");
    }

    #[tokio::test]
    async fn without_a_collector_nothing_is_built_or_recorded() {
        assert!(start().is_none());
        assert!(COLLECTOR.get().is_none());
        assert_eq!(exported(async { 7 }).await, 7);
        let log =
            tracing_subscriber::registry().with(tracing_subscriber::filter::LevelFilter::INFO);
        let _second = tracing::Dispatch::new(logs::subscriber(std::io::sink));
        tracing::subscriber::with_default(log, || {
            assert!(of_request(ID, "GET /v1/orders").is_disabled());
            assert!(of_work("send a mail", "mal_1", None).is_disabled());
        });
        tracing::subscriber::with_default(logs::subscriber(std::io::sink), || {
            assert!(of_request(ID, "GET /v1/orders").is_disabled());
        });
    }
}
