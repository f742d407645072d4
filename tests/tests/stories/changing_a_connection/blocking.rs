//! Blocked and unblocked connections.

use serde_json::{Value, json};
use tandem_tests::{Client, Pair, Setup};

use super::impossible;

#[tokio::test]
async fn only_the_source_unblocks_a_block_of_its_own() {
    let setup = Setup::new().await;
    let pair = setup.pair_within_one_company().await;
    let subjects = (
        "„Garden Weekly“ hat die Verbindung mit Ihnen gesperrt",
        "„Garden Weekly“ hat die Verbindung mit Ihnen wieder freigegeben",
    );
    is_blocked_and_unblocked(
        &pair,
        ("source", &pair.source),
        ("target", &pair.target),
        subjects,
    )
    .await;
}

#[tokio::test]
async fn only_the_target_unblocks_a_block_of_its_own() {
    let setup = Setup::new().await;
    let pair = setup.pair_within_one_company().await;
    let subjects = (
        "“Morgenblatt” has blocked the connection",
        "“Morgenblatt” has unblocked the connection",
    );
    is_blocked_and_unblocked(
        &pair,
        ("target", &pair.target),
        ("source", &pair.source),
        subjects,
    )
    .await;
}

async fn is_blocked_and_unblocked(
    pair: &Pair,
    by: (&str, &Client),
    other: (&str, &Client),
    subjects: (&str, &str),
) {
    let (cart, customer) = (pair.cart_of_both().await, pair.target.customer().await);
    let connection = pair.connection_id.as_str();
    let blocked = by.1.act_on_connection("block", connection).await.ok();
    for seen in [
        &blocked,
        &by.1.connection(connection).await,
        &other.1.connection(connection).await,
    ] {
        assert_eq!(
            (&seen["status"], &seen["blockedBy"]),
            (&json!("blocked"), &json!(by.0)),
            "{seen}"
        );
        assert_eq!(seen["blockedAt"], blocked["updatedAt"], "{seen}");
        let block = json!({"by": by.0, "at": blocked["updatedAt"]});
        assert_eq!(seen["blocks"], json!([block]), "{seen}");
    }
    let mail = other.1.mail_about(subjects.0).await;
    assert!(mail.text.contains(connection), "{}", mail.text);

    assert_eq!(
        pair.target.offers_shared_with_it().await,
        Vec::<Value>::new()
    );
    pair.target
        .sell(&cart, &customer)
        .await
        .not_sellable(2, "blocked");
    impossible(by.1.act_on_connection("block", connection).await, "blocked");
    let refused = other
        .1
        .act_on_connection("unblock", connection)
        .await
        .problem(409, "connection_blocked_by_other");
    assert!(
        refused["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains(by.0)),
        "{refused}"
    );
    assert_eq!(other.1.connection(connection).await["status"], "blocked");
    // A blocked connection is live, so another invitation is refused.
    pair.source
        .invite(&pair.target, None)
        .await
        .problem(409, "connection_exists");

    let active = by.1.act_on_connection("unblock", connection).await.ok();
    assert_eq!(
        (
            &active["status"],
            active.get("blockedBy"),
            active.get("blocks")
        ),
        (&json!("active"), None, None)
    );
    let mail = other.1.mail_about(subjects.1).await;
    assert!(mail.text.contains(connection), "{}", mail.text);
    assert_eq!(pair.target.offers_shared_with_it().await.len(), 1);
    let _ = pair.target.sell(&cart, &customer).await.created();

    // The acting side gets no mail: each side got one mail about the invitation, the other side two more.
    pair.source
        .api
        .settle(
            "one mail to the side that moved, three to the other",
            async || {
                let mails = (by.1.mails().await.len(), other.1.mails().await.len());
                if mails == (1, 3) {
                    Ok(())
                } else {
                    Err(format!("{mails:?}"))
                }
            },
        )
        .await;
}

#[tokio::test]
async fn a_connection_sells_again_once_neither_side_blocks() {
    let setup = Setup::new().await;
    let pair = setup.pair_within_one_company().await;
    let (cart, customer) = (pair.cart_of_both().await, pair.target.customer().await);
    let (connection, source, target) = (pair.connection_id.as_str(), &pair.source, &pair.target);

    let first = source.act_on_connection("block", connection).await.ok();
    let both = target.act_on_connection("block", connection).await.ok();
    let blocks = json!([
        {"by": "source", "at": first["updatedAt"]},
        {"by": "target", "at": both["updatedAt"]},
    ]);
    for seen in [&both, &source.connection(connection).await] {
        assert_eq!(
            (&seen["status"], &seen["blockedBy"], &seen["blocks"]),
            (&json!("blocked"), &json!("source"), &blocks),
            "{seen}"
        );
    }
    for client in [source, target] {
        impossible(
            client.act_on_connection("block", connection).await,
            "blocked",
        );
    }

    let left = source.act_on_connection("unblock", connection).await.ok();
    assert_eq!(
        (&left["status"], &left["blockedBy"], &left["blockedAt"]),
        (&json!("blocked"), &json!("target"), &both["updatedAt"])
    );
    let mail = target
        .mail_about("„Garden Weekly“ sperrt die Verbindung mit Ihnen nicht mehr")
        .await;
    assert!(mail.text.contains("/unblock"), "{}", mail.text);
    source
        .act_on_connection("unblock", connection)
        .await
        .problem(409, "connection_blocked_by_other");
    target
        .sell(&cart, &customer)
        .await
        .not_sellable(2, "blocked");

    let active = target.act_on_connection("unblock", connection).await.ok();
    assert_eq!(active["status"], "active");
    let _ = target.sell(&cart, &customer).await.created();
}
