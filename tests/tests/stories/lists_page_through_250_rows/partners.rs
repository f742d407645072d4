//! Connections.

use serde_json::{Value, json};
use tandem_tests::{Client, Module, Setup, id, side_by_side};

use super::{all, filtered, same};

#[tokio::test]
async fn connections_of_both_roles_are_listed_without_gap_or_repeat() {
    let setup = Setup::new().await;
    let company = setup.company("Medienhaus", Module::On).await;
    let client = setup.client(&company, "Morgenblatt", "de").await;
    let sources = side_by_side((0..12).map(|_| setup.client(&company, "Quelle", "de"))).await;
    let make_target = async |number: u32| {
        let body = json!({"contractingCompanyId": company.id, "name": format!("Ziel {number}"), "email": "ziel@example.com", "language": "de"});
        setup.operator.post("/v1/clients", body).await.created()
    };
    let targets = side_by_side((0..240).map(make_target)).await;
    let clients = all(
        &setup.operator,
        &format!("/v1/clients?contractingCompanyId={}", company.id),
    )
    .await;
    let with_keys: Vec<Value> = sources
        .iter()
        .chain([&client])
        .map(|client| json!({"id": client.id}))
        .collect();
    same(&clients, targets.iter().chain(&with_keys));

    // A client may invite twenty times an hour, so twelve clients invite this one repeatedly, and withdraw.
    let invite = async |target: &Value| {
        client
            .api
            .post(
                "/v1/connections",
                json!({"targetClientId": target["id"], "offersAccess": true}),
            )
            .await
            .created()
    };
    let invited_by = async |source: &Client| {
        let mut made = Vec::new();
        for number in 0..20 {
            let invitation = source.invite(&client, None).await.created();
            let last = number == 19;
            let (who, asked) = if last {
                (&client, "accept")
            } else {
                (source, "withdraw")
            };
            made.push(who.act_on_connection(asked, id(&invitation)).await.ok());
        }
        made
    };
    let mut made = side_by_side(targets[..5].iter().map(invite)).await;
    made.extend(
        side_by_side(sources.iter().map(invited_by))
            .await
            .into_iter()
            .flatten(),
    );
    made.extend(side_by_side(targets[5..10].iter().map(invite)).await);

    let whole = all(&client.api, "/v1/connections").await;
    same(&whole, &made);
    for (filter, count, fits) in [
        (
            "role=source",
            10,
            (|one| one["role"] == "source") as fn(&Value) -> bool,
        ),
        ("role=target", 240, |one| one["role"] == "target"),
        ("status=invited", 10, |one| one["status"] == "invited"),
        ("status=withdrawn", 228, |one| one["status"] == "withdrawn"),
        ("status=active", 12, |one| one["status"] == "active"),
        ("role=target&status=withdrawn", 228, |one| {
            one["status"] == "withdrawn"
        }),
        ("role=source&status=withdrawn", 0, |_| false),
    ] {
        filtered(
            &client.api,
            &format!("/v1/connections?{filter}"),
            &whole,
            count,
            fits,
        )
        .await;
    }
}
