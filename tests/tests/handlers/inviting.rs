//! The limit of invitations.

use std::collections::BTreeSet;

use futures::future::join_all;
use reqwest::Method;
use serde_json::json;
use tandem_tests::{Client, InProcess, Module, Setup, id};

/// More rounds than conflicts can cause.
const MANY: usize = 50;

async fn company_of_three(setup: &Setup) -> [Client; 3] {
    let company = setup.company("Medienhaus", Module::On).await;
    [
        setup.client(&company, "Garden Weekly", "de").await,
        setup.client(&company, "Morgenblatt", "de").await,
        setup.client(&company, "Bergwelt", "de").await,
    ]
}

#[tokio::test]
async fn the_twenty_first_invitation_of_an_hour_is_refused() {
    let stage = InProcess::start().await;
    let [source, target, third] = company_of_three(&stage.setup()).await;
    for _ in 0..20 {
        let made = source.invite(&target, None).await.created();
        let _ = target.act_on_connection("decline", id(&made)).await.ok();
        stage.advance(1);
    }
    let refused = source.invite(&target, None).await;
    assert_eq!(refused.header("retry-after"), Some("3580"));
    let _ = refused.problem(429, "too_many_invitations");
    let refused = source.invite(&third, None).await;
    let _ = refused.problem(429, "too_many_invitations");
    let _ = target.invite(&source, None).await.created();
    stage.advance(3_580);
    let _ = source.invite(&target, None).await.created();
}

#[tokio::test]
async fn a_resent_invitation_is_mailed_again_and_counts() {
    let stage = InProcess::start().await;
    let [source, target, third] = company_of_three(&stage.setup()).await;
    let made = source.invite(&target, None).await.created();
    stage.work().await;
    let resend = async || {
        source
            .act_on_connection("resend-invitation", id(&made))
            .await
    };
    for _ in 0..19 {
        assert_eq!(resend().await.ok()["status"], "invited");
        stage.advance(1);
    }
    stage.work().await;
    assert_eq!(target.mails().await.len(), 20);
    let _ = resend().await.problem(429, "too_many_invitations");
    let refused = source.invite(&third, None).await;
    let _ = refused.problem(429, "too_many_invitations");
    let history = source.connection(id(&made)).await["history"].clone();
    let resent = |line: &&serde_json::Value| line["action"] == "invitationResent";
    let lines = history.as_array().expect("a history");
    assert_eq!(lines.iter().filter(resent).count(), 19);
    stage.advance(3_600);
    let refused = target.act_on_connection("resend-invitation", id(&made));
    let _ = refused.await.problem(403, "connection_other_side");
    let _ = target.act_on_connection("accept", id(&made)).await.ok();
    let _ = resend().await.problem(409, "connection_status");
}

#[tokio::test]
async fn refused_and_repeated_invitations_do_not_count() {
    let stage = InProcess::start().await;
    let [source, target, third] = company_of_three(&stage.setup()).await;
    let body = json!({"targetClientId": target.id, "offersAccess": true});
    let path = "/v1/connections";
    for _ in 0..30 {
        let repeated = source.api.post_with_key(path, "i1", body.clone()).await;
        let _ = repeated.created();
        let refused = source.invite(&target, None).await;
        let _ = refused.problem(409, "connection_exists");
    }
    stage.table.reset_calls();
    let body = json!({"targetClientId": third.id, "offersAccess": true});
    let invitation = source.api.call(Method::POST, path).json(&body);
    let invited = invitation.without_idempotency_key().send().await;
    let _ = invited.created();
    assert_eq!(
        stage.table.calls(),
        ["BatchGetItem", "GetItem", "GetItem", "TransactWriteItems"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_invitations_never_exceed_the_limit() {
    let stage = InProcess::start().await;
    let setup = stage.setup();
    let company = setup.company("Medienhaus", Module::On).await;
    let source = setup.client(&company, "Garden Weekly", "de").await;
    let mut targets = Vec::new();
    for _ in 0..24 {
        targets.push(setup.client(&company, "Morgenblatt", "de").await);
    }
    let (mut made, mut seen) = (0, BTreeSet::new());
    for _ in 0..MANY {
        let answers = join_all(targets.iter().map(|target| source.invite(target, None))).await;
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
