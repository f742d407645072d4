//! The OpenTelemetry protocol in JSON.
//!
//! Source: <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>

use jiff::Timestamp;
use serde_json::{Value, json};

use super::layer::Recorded;

/// The body of an export.
pub(super) fn body(service: &str, spans: &[Recorded]) -> Value {
    let spans: Vec<Value> = spans.iter().map(span).collect();
    json!({
        "resourceSpans": [{
            "resource": {"attributes": [attribute("service.name", service)]},
            "scopeSpans": [{"scope": {"name": "tandem"}, "spans": spans}],
        }],
    })
}

fn span(span: &Recorded) -> Value {
    let attributes = span.attributes.iter();
    let attributes: Vec<Value> = attributes
        .map(|(name, value)| attribute(name, value))
        .collect();
    json!({
        "traceId": hex(&span.trace),
        "spanId": hex(&span.id),
        "parentSpanId": span.parent.map(|parent| hex(&parent)).unwrap_or_default(),
        "name": span.name,
        "kind": span.kind as u8,
        "startTimeUnixNano": nanoseconds(span.started),
        "endTimeUnixNano": nanoseconds(span.ended),
        "attributes": attributes,
    })
}

fn attribute(name: &str, value: &str) -> Value {
    json!({"key": name, "value": {"stringValue": value}})
}

/// As text: JSON's numbers do not hold 64 bits.
fn nanoseconds(time: Timestamp) -> String {
    time.as_nanosecond().to_string()
}

pub(super) fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
