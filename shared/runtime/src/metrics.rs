//! Business metrics, counted from values that a function knows anyway: one line of CloudWatch's embedded metric format on standard
//! output, no call and no wait.
//!
//! The metrics are for dashboards and trends. The table has the truth: a function that dies between its commit and the line counts
//! nothing, and an event that is handled again may count twice.

use std::io::Write as _;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Dimensions: the function, and for [`Metric::GrossAmount`] also the currency.
pub const NAMESPACE: &str = "Tandem";

/// The name of the function; absent in tests, which write no lines.
static FUNCTION: LazyLock<Option<String>> =
    LazyLock::new(|| std::env::var("AWS_LAMBDA_FUNCTION_NAME").ok());

macro_rules! metrics {
    ($($(#[$doc:meta])* $name:ident of $functions:expr;)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Metric {
            $($(#[$doc])* $name,)*
        }

        impl Metric {
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// The functions that count it.
            pub fn functions(self) -> &'static [&'static str] {
                match self {
                    $(Self::$name => &$functions,)*
                }
            }
        }
    };
}

/// All functions but `relay-outbox`, which has no table.
const WITH_TABLE: [&str; 19] = [
    "authorize",
    "tenants",
    "account",
    "connections",
    "offers",
    "carts",
    "purchase-cart",
    "customers",
    "orders",
    "subscriptions",
    "redeem-voucher",
    "callbacks",
    "payouts",
    "import-orders",
    "sweep-outbox",
    "deliver-callbacks",
    "send-mails",
    "note-mail-events",
    "process-imports",
];

metrics! {
    Purchases of ["purchase-cart"];
    /// The totals of purchases, in minor units.
    GrossAmount of ["purchase-cart"];
    VouchersRedeemed of ["redeem-voucher"];
    /// Those that are delivered later count again.
    CallbackFirstAttemptsFailed of ["deliver-callbacks"];
    CallbacksDeliveredLater of ["deliver-callbacks"];
    /// All attempts failed.
    CallbacksExhausted of ["deliver-callbacks"];
    /// An endpoint failed, or was slow, so that its callbacks are postponed.
    EndpointsPaused of ["deliver-callbacks"];
    /// A paused endpoint takes callbacks again.
    EndpointsResumed of ["deliver-callbacks"];
    /// An endpoint answered 410, or failed for days.
    EndpointsDisabled of ["deliver-callbacks"];
    ImportItemsCreated of ["process-imports"];
    ImportItemsUpdated of ["process-imports"];
    ImportItemsUnchanged of ["process-imports"];
    ImportItemsSuperseded of ["process-imports"];
    ImportItemsFailed of ["process-imports"];
    /// For how many seconds the oldest row waits for the sweep.
    SweepDelaySeconds of ["sweep-outbox"];
    /// Of the callbacks that the sweep sends again: for how many seconds the oldest is due.
    OldestDueCallbackSeconds of ["sweep-outbox"];
    /// Of the imports with chunks that the sweep sends again: how many seconds ago the oldest was accepted.
    OldestImportSeconds of ["sweep-outbox"];
    /// Attempts of calls to the table.
    ThrottledCalls of WITH_TABLE;
}

impl Metric {
    fn unit(self) -> &'static str {
        match self {
            Self::SweepDelaySeconds
            | Self::OldestDueCallbackSeconds
            | Self::OldestImportSeconds => "Seconds",
            _ => "Count",
        }
    }
}

/// Counts events; zeros are left out.
pub fn count(counts: &[(Metric, u32)], now: Timestamp) {
    let values: Vec<(Metric, Value)> = counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(metric, count)| (*metric, json!(count)))
        .collect();
    write(&values, None, now);
}

/// Reports durations in seconds.
pub fn durations(durations: &[(Metric, i64)], now: Timestamp) {
    let values = durations.iter();
    let values: Vec<_> = values
        .map(|(metric, seconds)| (*metric, json!(seconds)))
        .collect();
    write(&values, None, now);
}

/// Counts the throttled attempts of this process since the last count. `so_far` is [`Store::throttled`](tandem_store::Store::throttled)
/// of the process's one store.
pub fn throttled(so_far: u64, now: Timestamp) {
    static COUNTED: AtomicU64 = AtomicU64::new(0);
    let new = since(&COUNTED, so_far);
    if new > 0 {
        write(&[(Metric::ThrottledCalls, json!(new))], None, now);
    }
}

/// How many were not counted yet. Of two concurrent calls, each attempt counts in one.
fn since(counted: &AtomicU64, so_far: u64) -> u64 {
    so_far.saturating_sub(counted.fetch_max(so_far, Ordering::Relaxed))
}

/// Adds an amount in minor units to a sum in a currency.
pub fn add_amount(metric: Metric, amount: i64, currency: &str, now: Timestamp) {
    write(&[(metric, json!(amount))], Some(currency), now);
}

fn write(values: &[(Metric, Value)], currency: Option<&str>, now: Timestamp) {
    let Some(function) = FUNCTION.as_deref().filter(|_| !values.is_empty()) else {
        return;
    };
    let line = format!("{}\n", line(function, values, currency, now));
    // A lost metric is no reason to fail a call that had its effect.
    let _ = std::io::stdout().lock().write_all(line.as_bytes());
}

/// Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
fn line(
    function: &str,
    values: &[(Metric, Value)],
    currency: Option<&str>,
    now: Timestamp,
) -> Value {
    let names: Vec<Value> = values
        .iter()
        .map(|(metric, _)| json!({"Name": metric.name(), "Unit": metric.unit()}))
        .collect();
    let mut members = Map::new();
    let _ = members.insert("Function".to_owned(), function.into());
    if let Some(currency) = currency {
        let _ = members.insert("Currency".to_owned(), currency.into());
    }
    let dimensions: Vec<&String> = members.keys().collect();
    let metadata = json!({
        "Timestamp": now.as_millisecond(),
        "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": [dimensions], "Metrics": names}],
    });
    members.extend(
        values
            .iter()
            .map(|(metric, value)| (metric.name().to_owned(), value.clone())),
    );
    let _ = members.insert("_aws".to_owned(), metadata);
    Value::Object(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_embedded_metric_format() {
        let values = [(Metric::Purchases, json!(1))];
        assert_eq!(
            line("tandem-purchase-cart", &values, None, Timestamp::UNIX_EPOCH),
            json!({
                "_aws": {
                    "Timestamp": 0,
                    "CloudWatchMetrics": [{
                        "Namespace": "Tandem",
                        "Dimensions": [["Function"]],
                        "Metrics": [{"Name": "Purchases", "Unit": "Count"}],
                    }],
                },
                "Function": "tandem-purchase-cart",
                "Purchases": 1,
            })
        );
    }

    #[test]
    fn each_throttled_attempt_is_counted_once() {
        let counted = AtomicU64::new(0);
        let counts = [3, 3, 2, 5].map(|so_far| since(&counted, so_far));
        assert_eq!(counts, [3, 0, 0, 2]);
    }

    #[test]
    fn an_amount_has_its_currency_as_a_dimension() {
        let values = [(Metric::GrossAmount, json!(1_990))];
        let line = line("f", &values, Some("CHF"), Timestamp::UNIX_EPOCH);
        let dimensions = &line["_aws"]["CloudWatchMetrics"][0]["Dimensions"];
        let mut names: Vec<&str> = dimensions[0]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        names.sort_unstable();
        assert_eq!(names, ["Currency", "Function"]);
        assert_eq!(line["Currency"], "CHF");
        assert_eq!(line["GrossAmount"], 1_990);
    }
}
