//! Payout rows, their statements and their filters.

use jiff::Timestamp;
use serde_json::Value;
use tandem_tests::{id, side_by_side};

use super::{Sales, all, filtered, same, time};

pub(super) async fn payouts(sales: &Sales) {
    let (api, seller) = (&sales.source.api, &sales.targets[0].api);
    let before = all(api, "/v1/payouts").await;
    assert_eq!(before.len(), 260 + 28);
    let to_be_paid: Vec<&Value> = before
        .iter()
        .filter(|row| row["type"] == "PAYMENT")
        .step_by(13)
        .collect();
    assert_eq!(to_be_paid.len(), 20);
    side_by_side(to_be_paid.iter().map(async |row| {
        api.act(&format!("/v1/payouts/{}/mark-paid", id(row)))
            .await
            .ok()
    }))
    .await;

    let whole = all(api, "/v1/payouts").await;
    same(&whole, &before);
    let of = |kind: &str| {
        let rows = whole.iter().filter(|row| row["type"] == kind);
        let mut subscriptions: Vec<&Value> = rows.map(|row| &row["subscriptionId"]).collect();
        subscriptions.sort_unstable_by_key(|id| id.as_str());
        subscriptions
    };
    let mut sold: Vec<Value> = sales
        .orders
        .iter()
        .chain(&sales.others)
        .map(|order| order["positions"][1]["subscriptionId"].clone())
        .collect();
    sold.sort_unstable_by(|a, b| a.as_str().cmp(&b.as_str()));
    assert_eq!(
        of("PAYMENT"),
        sold.iter().collect::<Vec<_>>(),
        "one for each sale"
    );
    assert_eq!((of("REFUND").len(), of("LOSS").len()), (23, 5));

    let (order, other) = (id(&sales.orders[0]), sales.targets[1].id.as_str());
    let subscription = sales.orders[5]["positions"][1]["subscriptionId"]
        .as_str()
        .expect("an id");
    let (late, early) = (
        time(&whole[70]["createdAt"]),
        time(&whole[200]["createdAt"]),
    );
    let since = |from: Timestamp| {
        whole
            .iter()
            .filter(|row| time(&row["createdAt"]) >= from)
            .count()
    };
    filtered(api, "/v1/payouts?role=source", &whole, 288, |_| true).await;
    filtered(api, "/v1/payouts?role=target", &whole, 0, |_| false).await;
    for (kind, count) in [("PAYMENT", 260), ("REFUND", 23), ("LOSS", 5)] {
        filtered(
            api,
            &format!("/v1/payouts?type={kind}"),
            &whole,
            count,
            |row| row["type"] == kind,
        )
        .await;
    }
    for (status, count) in [("PAID", 20), ("OPEN", 268)] {
        filtered(
            api,
            &format!("/v1/payouts?paidStatus={status}"),
            &whole,
            count,
            |row| row["paidStatus"] == status,
        )
        .await;
    }
    filtered(
        api,
        &format!("/v1/payouts?partnerClientId={other}"),
        &whole,
        10,
        |row| row["target"]["clientId"] == other,
    )
    .await;
    filtered(
        api,
        &format!("/v1/payouts?orderId={order}"),
        &whole,
        2,
        |row| row["orderId"] == order,
    )
    .await;
    filtered(
        api,
        &format!("/v1/payouts?subscriptionId={subscription}"),
        &whole,
        2,
        |row| row["subscriptionId"] == subscription,
    )
    .await;
    filtered(
        api,
        &format!("/v1/payouts?from={late}"),
        &whole,
        since(late),
        |row| time(&row["createdAt"]) >= late,
    )
    .await;
    filtered(
        api,
        &format!("/v1/payouts?before={early}"),
        &whole,
        288 - since(early),
        |row| time(&row["createdAt"]) < early,
    )
    .await;
    filtered(
        api,
        &format!("/v1/payouts?from={early}&before={late}"),
        &whole,
        since(early) - since(late),
        |row| (early..late).contains(&time(&row["createdAt"])),
    )
    .await;
    let partner = sales.targets[0].id.as_str();
    let several = format!(
        "/v1/payouts?type=REFUND&paidStatus=OPEN&partnerClientId={partner}&before={late}&role=source"
    );
    let fits = |row: &Value| row["type"] == "REFUND" && time(&row["createdAt"]) < late;
    let count = whole.iter().filter(|row| fits(row)).count();
    filtered(api, &several, &whole, count, fits).await;

    let of_seller = all(seller, "/v1/payouts").await;
    same(
        &of_seller,
        whole
            .iter()
            .filter(|row| row["target"]["clientId"] == partner),
    );
    filtered(
        seller,
        "/v1/payouts?role=target&type=LOSS",
        &of_seller,
        5,
        |row| row["type"] == "LOSS",
    )
    .await;
}
