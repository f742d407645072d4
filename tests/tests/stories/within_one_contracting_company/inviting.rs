//! Invitations and connections.

use serde_json::{Value, json};
use tandem_tests::{Client, Module, Setup, id};

#[tokio::test]
async fn both_clients_see_the_invitation_and_the_active_connection() {
    let setup = Setup::new().await;
    let company = setup.company("Medienhaus", Module::On).await;
    let source = setup.client(&company, "Garden Weekly", "en").await;
    let target = setup.client(&company, "Morgenblatt", "de").await;

    let invited = source.invite(&target, None).await.created();
    assert_eq!(invited["offersAccess"], true);
    assert_eq!(
        invited.get("callback"),
        None,
        "within one company there is nothing to call back"
    );
    let connection = id(&invited);
    both_see(&source, &target, connection, "invited").await;

    let accepted = target.act_on_connection("accept", connection).await.ok();
    assert_eq!(
        (&accepted["status"], &accepted["role"]),
        (&json!("active"), &json!("target"))
    );
    both_see(&source, &target, connection, "active").await;
    let answer = source
        .mail_about("“Morgenblatt” has accepted your invitation")
        .await;
    assert!(answer.text.contains(connection) && answer.html.contains(connection));
}

/// Each side lists and reads the connection in its own role, and finds it only by that role and status.
async fn both_see(source: &Client, target: &Client, connection: &str, status: &str) {
    for (client, role, other_role) in [(source, "source", "target"), (target, "target", "source")] {
        let listed = client
            .api
            .all(&format!("/v1/connections?role={role}&status={status}"))
            .await;
        assert_eq!(
            listed.iter().map(id).collect::<Vec<_>>(),
            [connection],
            "{role}"
        );
        let read = client.connection(connection).await;
        for seen in [&listed[0], &read] {
            assert_eq!(
                (&seen["status"], &seen["role"]),
                (&json!(status), &json!(role)),
                "{seen}"
            );
            assert_eq!(seen["source"]["clientId"], source.id.as_str());
            assert_eq!(seen["source"]["name"], source.name.as_str());
            assert_eq!(seen["target"]["clientId"], target.id.as_str());
            assert_eq!(seen["target"]["name"], target.name.as_str());
        }
        for elsewhere in [format!("role={other_role}"), "status=blocked".to_owned()] {
            assert_eq!(
                client
                    .api
                    .all(&format!("/v1/connections?{elsewhere}"))
                    .await,
                Vec::<Value>::new(),
                "{elsewhere}"
            );
        }
    }
}

#[tokio::test]
async fn each_target_is_invited_in_its_own_language_as_text_and_html() {
    let setup = Setup::new().await;
    let company = setup.company("Medienhaus", Module::On).await;
    let source = setup.client(&company, "Garden & Weekly", "en").await;
    for (language, subject, greeting) in [
        (
            "de",
            "„Garden & Weekly“ lädt Sie zum gemeinsamen Verkauf ein",
            "Guten Tag,",
        ),
        (
            "en",
            "“Garden & Weekly” invites you to sell together",
            "Hello,",
        ),
    ] {
        let target = setup.client(&company, "Morgenblatt", language).await;
        let invited = source.invite(&target, None).await.created();
        let mail = target.mail_about(subject).await;
        assert_eq!(mail.subject, subject);
        assert!(
            mail.html.contains(&format!("<html lang=\"{language}\"")),
            "{}",
            mail.html
        );
        assert!(
            mail.text.contains("Garden & Weekly") && mail.html.contains("Garden &#38; Weekly"),
            "{}",
            mail.html
        );
        for part in [&mail.text, &mail.html] {
            assert!(part.contains(greeting), "{part}");
            assert!(
                part.contains(&format!("POST /v1/connections/{}/accept", id(&invited))),
                "{part}"
            );
            assert!(
                part.contains(&format!("POST /v1/connections/{}/decline", id(&invited))),
                "{part}"
            );
        }
    }
}

#[tokio::test]
async fn a_pair_within_one_company_has_one_connection_and_no_callback() {
    let setup = Setup::new().await;
    let pair = setup.pair_within_one_company().await;
    let other = setup.client(&pair.source.company, "Abendblatt", "de").await;
    let refused = pair
        .source
        .invite(&other, Some("https://example.com/callbacks"))
        .await;
    assert_eq!(
        refused.fields(),
        [("callback".to_owned(), "within_one_company".to_owned())]
    );
    refused.problem(422, "invalid_fields");
    let refused = pair.source.invite(&pair.source, None).await;
    assert_eq!(
        refused.fields(),
        [("targetClientId".to_owned(), "is_caller".to_owned())]
    );
    refused.problem(422, "invalid_fields");
    pair.source
        .invite(&pair.target, None)
        .await
        .problem(409, "connection_exists");
    // The pair is ordered: the other direction is another connection.
    let back = pair.target.invite(&pair.source, None).await.created();
    for (client, roles) in [
        (&pair.source, ["target", "source"]),
        (&pair.target, ["source", "target"]),
    ] {
        let listed = client.api.all("/v1/connections").await;
        assert_eq!(
            listed.iter().map(id).collect::<Vec<_>>(),
            [id(&back), pair.connection_id.as_str()],
            "newest first"
        );
        assert_eq!(
            listed
                .iter()
                .map(|connection| &connection["role"])
                .collect::<Vec<_>>(),
            roles
        );
    }
}
