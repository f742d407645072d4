//! The statement and the CSV agree with the rows.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tandem_tests::{Client, Module, Pair, Setup, id, mandatory};

/// Partner, role, month, currency.
type Key = [String; 4];

/// A client that is the source of two others and the target of one of them, with rows of all types, paid and open, in
/// euros and francs.
async fn busy_client() -> (Client, Vec<Client>) {
    let setup = Setup::new().await;
    let company = setup.company("Medienhaus, \"Nord\"", Module::On).await;
    let client = setup.client(&company, "Garden, \"Weekly\"", "en").await;
    let (one, other) = (
        setup.client(&company, "=Morgenblatt", "de").await,
        setup
            .client(&company, "Abend\u{fc}ber\u{201c}blatt", "de")
            .await,
    );
    let pairs = [
        Pair::connect(client.clone(), one.clone(), None).await,
        Pair::connect(client.clone(), other.clone(), None).await,
        Pair::connect(one.clone(), client.clone(), None).await,
    ];
    for (pair, currency, price) in [
        (&pairs[0], "EUR", 999),
        (&pairs[0], "CHF", 1_295),
        (&pairs[1], "EUR", 501),
        (&pairs[2], "EUR", 3),
    ] {
        let orders = sell_three(pair, currency, price).await;
        let target = &pair.target.api;
        let _ = target
            .post(
                &format!("/v1/orders/{}/refund", id(&orders[0])),
                json!({"positions": [2]}),
            )
            .await
            .ok();
        let _ = target
            .post(
                &format!("/v1/orders/{}/charge-back", id(&orders[1])),
                json!({}),
            )
            .await
            .ok();
        let subscription = orders[2]["positions"][1]["subscriptionId"]
            .as_str()
            .expect("an id");
        let _ = target
            .act(&format!("/v1/subscriptions/{subscription}/payments"))
            .await
            .ok();
        let rows = pair
            .source
            .api
            .all(&format!(
                "/v1/payouts?type=PAYMENT&subscriptionId={subscription}"
            ))
            .await;
        let _ = pair
            .source
            .api
            .act(&format!("/v1/payouts/{}/mark-paid", id(&rows[0])))
            .await
            .ok();
    }
    (client, vec![one, other])
}

async fn sell_three(pair: &Pair, currency: &str, price: i64) -> Vec<Value> {
    let offer = |name: &str, price: i64| {
        json!({"name": name, "type": "subscription", "period": {"unit": "month", "count": 1}, "renews": true,
            "price": {"amount": price, "currency": currency}})
    };
    let own = pair
        .target
        .api
        .post("/v1/offers", offer("Eigenes", 1_990))
        .await
        .created();
    let mut shared = offer("=SUM(A1), \"Garten\"", price);
    shared["crossClient"] =
        json!({"targetClientIds": [pair.target.id], "sellerShareBasisPoints": 3_333});
    let shared = pair.source.api.post("/v1/offers", shared).await.created();
    let cart = pair
        .target
        .cart(&[mandatory(&own), mandatory(&shared)])
        .await;
    let customer = pair.target.customer().await;
    let mut orders = Vec::new();
    for quantity in [1, 2, 7] {
        let positions = json!([{"position": 2, "quantity": quantity}]);
        let body =
            json!({"customerId": id(&customer), "paymentMethod": "TWINT", "positions": positions});
        orders.push(pair.target.purchase(&cart, body).await.created());
    }
    orders
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Number of rows, and the sums of gross, due and open, by partner, role, month and currency.
fn sums<'a>(rows: impl IntoIterator<Item = &'a Value>) -> BTreeMap<Key, [i64; 4]> {
    let mut sums = BTreeMap::<Key, [i64; 4]>::new();
    for row in rows {
        let partner = if row["role"] == "source" {
            &row["target"]
        } else {
            &row["source"]
        };
        let month = text(&row["createdAt"])[..7].to_owned();
        let key = [
            text(&partner["clientId"]),
            text(&row["role"]),
            month,
            text(&row["gross"]["currency"]),
        ];
        let (gross, due) = (
            row["gross"]["amount"].as_i64().expect("cents"),
            row["due"]["amount"].as_i64().expect("cents"),
        );
        let open = if row["paidStatus"] == "OPEN" { due } else { 0 };
        let sum = sums.entry(key).or_default();
        *sum = [sum[0] + 1, sum[1] + gross, sum[2] + due, sum[3] + open];
    }
    sums
}

fn lines(statement: &Value) -> BTreeMap<Key, [i64; 4]> {
    let line = |line: &Value| {
        let currency = text(&line["gross"]["currency"]);
        assert!(
            ["due", "open"]
                .iter()
                .all(|sum| line[sum]["currency"] == currency.as_str()),
            "{line}"
        );
        let key = [
            text(&line["partnerClientId"]),
            text(&line["role"]),
            text(&line["month"]),
            currency,
        ];
        let sums = [
            &line["rows"],
            &line["gross"]["amount"],
            &line["due"]["amount"],
            &line["open"]["amount"],
        ];
        (key, sums.map(|sum| sum.as_i64().expect("a whole number")))
    };
    let all = statement["lines"].as_array().expect("lines");
    let lines: BTreeMap<_, _> = all.iter().map(line).collect();
    assert_eq!(
        lines.len(),
        all.len(),
        "one line for each partner, role, month and currency"
    );
    lines
}

#[tokio::test]
async fn the_statement_sums_the_rows_by_partner_month_and_currency() {
    let (client, partners) = busy_client().await;
    let rows = client.api.all("/v1/payouts").await;
    assert_eq!(
        rows.len(),
        4 * 6,
        "three sales, a refund, a loss and a renewal each"
    );
    let statement = client.api.get("/v1/payouts/statement").await.ok();
    let found = lines(&statement);
    assert!(found.len() >= 4, "{statement}");
    assert_eq!(found, sums(&rows));
    for line in statement["lines"].as_array().expect("lines") {
        let partner = partners
            .iter()
            .find(|partner| line["partnerClientId"] == partner.id.as_str())
            .expect("a partner");
        assert_eq!(line["partnerName"], partner.name.as_str());
    }

    let middle = text(&rows[rows.len() / 2]["createdAt"]);
    for filter in [
        "role=target".to_owned(),
        "type=REFUND".to_owned(),
        "type=LOSS&role=source".to_owned(),
        "paidStatus=PAID".to_owned(),
        format!("partnerClientId={}", partners[0].id),
        format!("before={middle}"),
        format!("from={middle}"),
    ] {
        let some = client.api.all(&format!("/v1/payouts?{filter}")).await;
        assert!(
            !some.is_empty() && some.len() < rows.len(),
            "{filter}: {} rows",
            some.len()
        );
        let statement = client
            .api
            .get(&format!("/v1/payouts/statement?{filter}"))
            .await
            .ok();
        assert_eq!(lines(&statement), sums(&some), "{filter}");
    }
}

#[tokio::test]
async fn the_csv_has_every_row_with_all_it_says() {
    let (client, _) = busy_client().await;
    let rows = client.api.all("/v1/payouts").await;
    let export = client.api.get("/v1/payouts/export").await;
    assert_eq!(
        (export.status, export.header("content-type")),
        (200, Some("text/csv; charset=utf-8")),
        "{export}"
    );
    assert_eq!(export.header("link"), None);
    let written = records(&export.text);
    assert_eq!(written, rows.iter().map(as_record).collect::<Vec<_>>());

    let sum = |name: &str| {
        written
            .iter()
            .map(|record| record[name].parse::<i64>().expect("cents"))
            .sum::<i64>()
    };
    let all: Vec<[i64; 4]> = sums(&rows).into_values().collect();
    assert_eq!(
        (sum("gross"), sum("due")),
        (
            all.iter().map(|sum| sum[1]).sum(),
            all.iter().map(|sum| sum[2]).sum()
        )
    );

    let (mut parts, mut next) = (
        Vec::new(),
        Some("/v1/payouts/export?role=source&limit=7".to_owned()),
    );
    while let Some(path) = next {
        let part = client.api.get(&path).await;
        let some = records(&part.text);
        assert!(some.len() <= 7);
        parts.extend(some);
        next = part.header("link").map(|link| {
            link[1..]
                .split_once('>')
                .expect("<path>; rel=\"next\"")
                .0
                .to_owned()
        });
    }
    let sources: Vec<_> = written
        .into_iter()
        .filter(|record| record["role"] == "source")
        .collect();
    assert_eq!(parts, sources, "in parts as in one");
}

fn records(csv: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    reader
        .deserialize()
        .collect::<Result<_, _>>()
        .expect("CSV with the same fields in every line")
}

/// The expected CSV of a row. The one text that a spreadsheet would read as a formula begins with `=`.
/// The amount with two decimals.
fn in_euros(money: &Value) -> String {
    let cents = money["amount"].as_i64().expect("cents");
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.unsigned_abs();
    format!("{sign}{}.{:02}", cents / 100, cents % 100)
}

fn as_record(row: &Value) -> BTreeMap<String, String> {
    let defused = |value: &Value| {
        let text = text(value);
        if text.starts_with('=') {
            format!("'{text}")
        } else {
            text
        }
    };
    let fields = [
        ("id", &row["id"]),
        ("type", &row["type"]),
        ("role", &row["role"]),
        ("createdAt", &row["createdAt"]),
        ("sourceClientId", &row["source"]["clientId"]),
        ("sourceName", &row["source"]["name"]),
        ("targetClientId", &row["target"]["clientId"]),
        ("targetName", &row["target"]["name"]),
        ("orderId", &row["orderId"]),
        ("subscriptionId", &row["subscriptionId"]),
        ("periodNumber", &row["periodNumber"]),
        ("offerId", &row["offerId"]),
        ("offerName", &row["offerName"]),
        ("customerId", &row["customerId"]),
        ("paymentMethod", &row["paymentMethod"]),
        ("currency", &row["gross"]["currency"]),
        ("gross", &row["gross"]["amount"]),
        ("sellerShareBasisPoints", &row["sellerShareBasisPoints"]),
        ("due", &row["due"]["amount"]),
        ("paidStatus", &row["paidStatus"]),
        ("paidAt", &row["paidAt"]),
        ("differsFromTerms", &row["differsFromTerms"]),
        ("externalSystemId", &row["externalSystemId"]),
        ("grossDecimal", &json!(in_euros(&row["gross"]))),
        ("dueDecimal", &json!(in_euros(&row["due"]))),
        // No sale here names any.
        ("metadata", &json!("")),
        ("offerMetadata", &json!("")),
        ("costCenter", &row["costCenter"]),
    ];
    fields
        .map(|(name, value)| (name.to_owned(), defused(value)))
        .into_iter()
        .collect()
}
