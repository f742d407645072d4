//! Whom a client is connected with.

use serde_json::{Value, json};
use tandem_stories::{Client, Module, World, id, side_by_side};

use super::{all, filtered, same};

#[tokio::test]
async fn connections_of_both_roles_are_listed_in_one_order_without_gap_or_repeat() {
    let world = World::new();
    let company = world.company("Medienhaus", Module::On).await;
    let client = world.client(&company, "Morgenblatt", "de").await;
    let sources = side_by_side((0..10).map(|_| world.client(&company, "Quelle", "de"))).await;
    let make_target = async |number: u32| {
        let body = json!({"contractingCompanyId": company.id, "name": format!("Ziel {number}"), "email": "ziel@example.com", "language": "de"});
        world.operator.post("/v1/clients", body).await.created()
    };
    let targets = side_by_side((0..240).map(make_target)).await;
    let clients = all(&world.operator, &format!("/v1/clients?contractingCompanyId={}", company.id)).await;
    let with_keys: Vec<Value> = sources.iter().chain([&client]).map(|client| json!({"id": client.id})).collect();
    same(&clients, targets.iter().chain(&with_keys));

    let invite = async |number: usize, target: &Value| {
        let made =
            client.api.post("/v1/connections", json!({"targetClientId": target["id"], "offersAccess": true})).await.created();
        if number.is_multiple_of(12) { client.make("withdraw", id(&made)).await.ok() } else { made }
    };
    let invited_by = async |source: &Client| {
        let made = source.invite(&client, None).await.created();
        client.make("accept", id(&made)).await.ok()
    };
    let half = targets.len() / 2;
    let mut made = side_by_side(targets[..half].iter().enumerate().map(|(number, target)| invite(number, target))).await;
    made.extend(side_by_side(sources.iter().map(invited_by)).await);
    made.extend(side_by_side(targets[half..].iter().enumerate().map(|(number, target)| invite(number, target))).await);

    let whole = all(&client.api, "/v1/connections").await;
    same(&whole, &made);
    for (filter, count, fits) in [
        ("role=source", 240, (|one| one["role"] == "source") as fn(&Value) -> bool),
        ("role=target", 10, |one| one["role"] == "target"),
        ("status=invited", 220, |one| one["status"] == "invited"),
        ("status=withdrawn", 20, |one| one["status"] == "withdrawn"),
        ("status=active", 10, |one| one["status"] == "active"),
        ("role=source&status=withdrawn", 20, |one| one["status"] == "withdrawn"),
        ("role=target&status=withdrawn", 0, |_| false),
    ] {
        filtered(&client.api, &format!("/v1/connections?{filter}"), &whole, count, fits).await;
    }
}
