//! Business metrics, counted from values that a function knows anyway: one line of CloudWatch's embedded metric format on standard
//! output, no call and no wait.
//!
//! The metrics are for dashboards and trends. The table has the truth: a function that dies between its commit and the line counts
//! nothing, and an event that is handled again may count twice.

use std::io::Write as _;
use std::sync::LazyLock;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Dimensions: the function, and for [`Metric::GrossAmount`] also the currency.
pub const NAMESPACE: &str = "Tandem";

/// The name of the function; absent in tests, which write no lines.
static FUNCTION: LazyLock<Option<String>> =
    LazyLock::new(|| std::env::var("AWS_LAMBDA_FUNCTION_NAME").ok());

macro_rules! metrics {
    ($($(#[$doc:meta])* $name:ident of $function:literal;)*) => {
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

            /// The function that counts it.
            pub fn function(self) -> &'static str {
                match self {
                    $(Self::$name => $function,)*
                }
            }
        }
    };
}

metrics! {
    Purchases of "purchase-cart";
    /// The totals of purchases, in minor units.
    GrossAmount of "purchase-cart";
    VouchersRedeemed of "redeem-voucher";
    /// Those that are delivered later count again.
    CallbackFirstAttemptsFailed of "deliver-callbacks";
    CallbacksDeliveredLater of "deliver-callbacks";
    /// All attempts failed.
    CallbacksExhausted of "deliver-callbacks";
    ImportItemsCreated of "process-imports";
    ImportItemsUpdated of "process-imports";
    ImportItemsUnchanged of "process-imports";
    ImportItemsSuperseded of "process-imports";
    ImportItemsFailed of "process-imports";
    /// For how many seconds the oldest row waits for the sweep.
    SweepDelaySeconds of "sweep-outbox";
}

impl Metric {
    fn unit(self) -> &'static str {
        match self {
            Self::SweepDelaySeconds => "Seconds",
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

/// Reports a duration.
pub fn duration(metric: Metric, seconds: i64, now: Timestamp) {
    write(&[(metric, json!(seconds))], None, now);
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
