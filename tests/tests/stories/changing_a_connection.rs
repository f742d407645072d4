//! Declined, withdrawn and repeated invitations; blocked and unblocked connections; access to offers switched off and on.

mod blocking;
mod offers_access;

use serde_json::{Value, json};
use tandem_tests::{Answer, Client, Module, Pair, Setup, id};

/// A source and a target without a connection.
async fn strangers(setup: &Setup) -> (Client, Client) {
    let company = setup.company("Medienhaus", Module::On).await;
    (
        setup.client(&company, "Garden Weekly", "en").await,
        setup.client(&company, "Morgenblatt", "de").await,
    )
}

/// Asserts a refusal that names the connection's status.
#[track_caller]
fn impossible(answer: Answer, status: &str) {
    let problem = answer.problem(409, "connection_status");
    assert!(
        problem["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains(status)),
        "{problem}"
    );
}

#[tokio::test]
async fn after_a_decline_the_source_gets_a_mail_and_may_invite_again() {
    let setup = Setup::new().await;
    let (source, target) = strangers(&setup).await;
    let first = source.invite(&target, None).await.created();
    source
        .invite(&target, None)
        .await
        .problem(409, "connection_exists");
    assert_eq!(
        target.act_on_connection("decline", id(&first)).await.ok()["status"],
        "declined"
    );
    for client in [&source, &target] {
        assert_eq!(client.connection(id(&first)).await["status"], "declined");
    }
    let mail = source
        .mail_about("“Morgenblatt” has declined your invitation")
        .await;
    assert!(mail.text.contains(id(&first)), "{}", mail.text);

    for (client, asked) in [
        (&target, "accept"),
        (&target, "decline"),
        (&source, "withdraw"),
        (&source, "block"),
        (&target, "unblock"),
    ] {
        impossible(
            client.act_on_connection(asked, id(&first)).await,
            "declined",
        );
    }
    impossible(edit(&source, id(&first), false).await, "declined");

    let second = source.invite(&target, None).await.created();
    assert_ne!(second["id"], first["id"]);
    assert_eq!(
        target.act_on_connection("accept", id(&second)).await.ok()["status"],
        "active"
    );
    assert_eq!(
        source.connection(id(&first)).await["status"],
        "declined",
        "the declined connection stays declined"
    );
}

#[tokio::test]
async fn after_a_withdrawal_the_target_gets_a_mail_and_may_be_invited() {
    let setup = Setup::new().await;
    let (source, target) = strangers(&setup).await;
    let first = source.invite(&target, None).await.created();
    assert_eq!(
        source.act_on_connection("withdraw", id(&first)).await.ok()["status"],
        "withdrawn"
    );
    for client in [&source, &target] {
        assert_eq!(client.connection(id(&first)).await["status"], "withdrawn");
    }
    let mail = target
        .mail_about("„Garden Weekly“ hat die Einladung zurückgezogen")
        .await;
    assert!(mail.text.contains(id(&first)), "{}", mail.text);

    for (client, asked) in [
        (&target, "accept"),
        (&target, "decline"),
        (&source, "withdraw"),
        (&target, "block"),
    ] {
        impossible(
            client.act_on_connection(asked, id(&first)).await,
            "withdrawn",
        );
    }
    impossible(edit(&source, id(&first), false).await, "withdrawn");

    let second = source.invite(&target, None).await.created();
    assert_ne!(second["id"], first["id"]);
    assert_eq!(
        target.act_on_connection("accept", id(&second)).await.ok()["status"],
        "active"
    );
}

#[tokio::test]
async fn each_client_has_its_own_actions_and_strangers_have_none() {
    let setup = Setup::new().await;
    let (source, target) = strangers(&setup).await;
    let stranger = setup.client(&source.company, "Abendblatt", "de").await;
    let invited = source.invite(&target, None).await.created();
    let connection = id(&invited);

    for (client, asked) in [
        (&source, "accept"),
        (&source, "decline"),
        (&target, "withdraw"),
    ] {
        client
            .act_on_connection(asked, connection)
            .await
            .problem(403, "connection_other_side");
    }
    edit(&target, connection, false)
        .await
        .problem(403, "connection_read_only");
    for asked in ["block", "unblock"] {
        impossible(source.act_on_connection(asked, connection).await, "invited");
    }
    for asked in ["accept", "decline", "withdraw", "block", "unblock"] {
        stranger
            .act_on_connection(asked, connection)
            .await
            .problem(404, "connection_not_found");
    }
    stranger
        .api
        .get(&format!("/v1/connections/{connection}"))
        .await
        .problem(404, "connection_not_found");
    edit(&stranger, connection, false)
        .await
        .problem(404, "connection_not_found");

    assert_eq!(target.connection(connection).await["status"], "invited");
    let _ = target.act_on_connection("accept", connection).await.ok();
    for (client, asked) in [
        (&target, "accept"),
        (&target, "decline"),
        (&source, "withdraw"),
        (&source, "unblock"),
    ] {
        impossible(client.act_on_connection(asked, connection).await, "active");
    }
}

#[tokio::test]
async fn both_clients_see_the_history_of_the_connection() {
    let setup = Setup::new().await;
    let Pair {
        source,
        target,
        connection_id,
        ..
    } = &setup.pair_within_one_company().await;
    for access in [true, false, false, true] {
        let _ = edit(source, connection_id, access).await.ok();
    }
    let _ = target.act_on_connection("block", connection_id).await.ok();
    source
        .act_on_connection("unblock", connection_id)
        .await
        .problem(409, "connection_blocked_by_other");
    let _ = target
        .act_on_connection("unblock", connection_id)
        .await
        .ok();

    let connection = source.connection(connection_id).await;
    assert_eq!(
        target.connection(connection_id).await["history"],
        connection["history"]
    );
    let history = connection["history"].as_array().expect("a history");
    let entries: Vec<Value> = history
        .iter()
        .map(|line| json!([line["by"], line["action"], line["changes"]]))
        .collect();
    let expected = [
        json!(["target", "unblocked", []]),
        json!(["target", "blocked", []]),
        json!(["source", "edited", ["offersAccess: true"]]),
        json!(["source", "edited", ["offersAccess: false"]]),
        json!(["target", "accepted", []]),
        json!(["source", "invited", []]),
    ];
    assert_eq!(
        entries, expected,
        "newest first; refusals and no-ops are no change"
    );
    for line in history {
        let by = if line["by"] == "source" {
            source
        } else {
            target
        };
        assert_eq!(line["clientId"], by.id.as_str());
    }
    let times: Vec<&str> = history
        .iter()
        .filter_map(|line| line["at"].as_str())
        .collect();
    assert_eq!(times.len(), expected.len());
    assert_eq!(
        (times[0], times[5]),
        (
            as_text(&connection["updatedAt"]),
            as_text(&connection["createdAt"])
        )
    );
}

fn as_text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The source switches access to its offers.
async fn edit(client: &Client, connection_id: &str, offers_access: bool) -> Answer {
    client
        .api
        .patch(
            &format!("/v1/connections/{connection_id}"),
            json!({"offersAccess": offers_access}),
        )
        .await
}
