//! The limit of invitations.

use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::json;
use tandem_tests::handlers::{Answer, House, Merchant};

async fn invite(house: &House, source: &Merchant, target: &Merchant) -> Answer {
    house
        .call(
            &source.who,
            "POST /v1/connections",
            Some(json!({"targetClientId": target.id, "offersAccess": true})),
        )
        .await
}

async fn company_of_three(house: &House) -> [Merchant; 3] {
    let company = house.company(true).await;
    [
        house.merchant(&company, "Eine").await,
        house.merchant(&company, "Andere").await,
        house.merchant(&company, "Dritte").await,
    ]
}

#[tokio::test]
async fn the_twenty_first_invitation_of_an_hour_is_refused() {
    let house = House::new().await;
    let [source, target, third] = company_of_three(&house).await;
    for _ in 0..20 {
        let made = invite(&house, &source, &target).await.expect(201);
        let decline = format!(
            "POST /v1/connections/{}/decline",
            made["id"].as_str().expect("an id")
        );
        let _ = house.call(&target.who, &decline, None).await.expect(200);
        house.advance(1);
    }
    let refused = invite(&house, &source, &target).await;
    assert_eq!(refused.retry_after.as_deref(), Some("3580"));
    assert_eq!(refused.problem(429), "too_many_invitations");
    assert_eq!(
        invite(&house, &source, &third).await.problem(429),
        "too_many_invitations"
    );
    let _ = invite(&house, &target, &source).await.expect(201);
    house.advance(3_580);
    let _ = invite(&house, &source, &target).await.expect(201);
}

#[tokio::test]
async fn refused_and_repeated_invitations_do_not_count() {
    let house = House::new().await;
    let [source, target, third] = company_of_three(&house).await;
    let body = json!({"targetClientId": target.id, "offersAccess": true});
    for _ in 0..30 {
        let _ = house
            .post(&source.who, "/v1/connections", "i1", body.clone())
            .await
            .expect(201);
        assert_eq!(
            invite(&house, &source, &target).await.problem(409),
            "connection_exists"
        );
    }
    house.table.reset_calls();
    let _ = invite(&house, &source, &third).await.expect(201);
    assert_eq!(
        house.table.calls(),
        ["BatchGetItem", "GetItem", "GetItem", "TransactWriteItems"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_invitations_never_exceed_the_limit() {
    let house = House::new().await;
    let company = house.company(true).await;
    let source = house.merchant(&company, "Quelle").await;
    let mut targets = Vec::new();
    for _ in 0..24 {
        targets.push(house.merchant(&company, "Ziel").await);
    }
    let (mut made, mut seen) = (0, BTreeSet::new());
    for _ in 0..MANY {
        let answers = join_all(targets.iter().map(|target| invite(&house, &source, target))).await;
        made += answers.iter().filter(|answer| answer.status == 201).count();
        seen.extend(answers.iter().map(|answer| answer.status));
        if answers
            .iter()
            .all(|answer| matches!(answer.status, 409 | 429))
        {
            break;
        }
    }
    assert_eq!(made, 20);
    assert!(seen.is_subset(&[201, 409, 429, 503].into()), "{seen:?}");
}

/// More rounds than conflicts can cause.
const MANY: usize = 50;
