//! Periods and statements count in the time zone of the caller's contracting company.

use jiff::Timestamp;
use serde_json::json;
use tandem_tests::{InProcess, Pair, id};

const UNUSED_URL: &str = "http://127.0.0.1:9/";

/// Two companies a day apart, at a time that is in March for the source and in February for the target.
async fn pair_in_two_months(stage: &std::sync::Arc<InProcess>) -> Pair {
    let setup = stage.setup();
    let pair = setup.pair_between_two_companies(UNUSED_URL).await;
    for (client, zone) in [
        (&pair.source, "Pacific/Kiritimati"),
        (&pair.target, "Pacific/Honolulu"),
    ] {
        setup.set_time_zone(&client.company, zone).await;
    }
    let march: Timestamp = "2027-03-01T05:00:00Z".parse().expect("a time");
    stage.advance(march.duration_since(setup.now()).as_secs());
    pair
}

#[tokio::test]
async fn a_sale_keeps_the_zone_of_its_sellers_company() {
    let stage = InProcess::start().await;
    let pair = pair_in_two_months(&stage).await;
    let sale = pair.sell().await;
    let path = format!("/v1/subscriptions/{}", sale.shared_subscription_id());
    // Until 28 March, 19:00 in Honolulu.
    for api in [&pair.source.api, &pair.target.api] {
        let sold = api.get(&path).await.ok();
        assert_eq!(sold["timeZone"], "Pacific/Honolulu");
        let until = sold["paidUntil"].as_str().expect("a time");
        assert!(until.starts_with("2027-03-29T05:00:"), "{until}");
    }
    let setup = stage.setup();
    setup.set_time_zone(&pair.target.company, "UTC").await;
    let payments = format!("{path}/payments");
    let renewed = pair
        .target
        .api
        .post(&payments, json!({"periodNumber": 2}))
        .await;
    let renewed = renewed.ok();
    assert_eq!(renewed["timeZone"], "Pacific/Honolulu");
    let until = renewed["paidUntil"].as_str().expect("a time");
    assert!(until.starts_with("2027-04-29T05:00:"), "{until}");
    let later = pair.sell().await;
    let path = format!("/v1/subscriptions/{}", later.shared_subscription_id());
    let later = pair.target.api.get(&path).await.ok();
    assert_eq!(later["timeZone"], "UTC");
}

#[tokio::test]
async fn each_sides_statement_has_the_months_of_its_own_zone() {
    let stage = InProcess::start().await;
    let pair = pair_in_two_months(&stage).await;
    let _ = pair.sell().await;
    for (client, zone, month, other) in [
        (&pair.source, "Pacific/Kiritimati", "2027-03", "2027-02"),
        (&pair.target, "Pacific/Honolulu", "2027-02", "2027-03"),
    ] {
        let statement = client.api.get("/v1/payouts/statement").await.ok();
        assert_eq!(statement["timeZone"], zone);
        assert_eq!(statement["lines"][0]["month"], month);
        let row = client.api.all("/v1/payouts").await.remove(0);
        for (asked, rows) in [(month, 1), (other, 0)] {
            let of_month = format!("?month={asked}");
            let statement = format!("/v1/payouts/statement{of_month}");
            let statement = client.api.get(&statement).await.ok();
            let lines = statement["lines"].as_array().expect("lines");
            assert_eq!(lines.len(), rows, "{asked}");
            let listed = client.api.all(&format!("/v1/payouts{of_month}")).await;
            assert_eq!(listed.len(), rows, "{asked}");
            let csv = client
                .api
                .get(&format!("/v1/payouts/export{of_month}"))
                .await;
            assert_eq!(csv.text.contains(id(&row)), rows == 1, "{asked}");
        }
    }
}

#[tokio::test]
async fn a_month_is_not_combined_with_from_or_before() {
    let stage = InProcess::start().await;
    let pair = stage.setup().pair_within_one_company().await;
    for query in [
        "month=2026-11&from=2026-11-01T00:00:00Z",
        "month=2026-11&before=2026-11-01T00:00:00Z",
    ] {
        for path in ["", "/statement", "/export"] {
            let answer = pair
                .source
                .api
                .get(&format!("/v1/payouts{path}?{query}"))
                .await;
            assert_eq!(answer.body["errors"][0]["code"], "only_one");
            let _ = answer.problem(400, "invalid_query");
        }
    }
}
