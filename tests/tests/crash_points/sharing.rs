//! Connections: each change with its history entry, its mail and the row of the pair.

use serde_json::json;
use tandem_tests::{Client, Module, id};

use crate::environment::Environment;
use crate::scenario::{Act, Scenario, scenarios};

pub(crate) fn scenarios() -> Vec<Scenario> {
    [answering(), living()].concat()
}

/// A source and a target of two contracting companies.
async fn strangers(env: &Environment) -> (Client, Client) {
    let setup = env.setup();
    let sources = setup.company("Garden Press", Module::On).await;
    let targets = setup.company("Morgenblatt Verlag", Module::On).await;
    (
        setup.client(&sources, "Garden Weekly", "en").await,
        setup.client(&targets, "Morgenblatt", "de").await,
    )
}

/// An open invitation: both clients and its path.
async fn invited(env: &Environment) -> (Client, Client, String) {
    let (source, target) = strangers(env).await;
    let invited = source.invite(&target, Some(&env.receiver.url())).await;
    let path = format!("/v1/connections/{}", id(&invited.created()));
    env.work_off().await;
    (source, target, path)
}

fn answering() -> Vec<Scenario> {
    scenarios! {
        "connections", Some("POST /v1/connections"), "an invitation, with its secret and its mail" => |env| {
            let (source, target) = strangers(env).await;
            let callback = json!({"url": env.receiver.url()});
            let body = json!({"targetClientId": target.id, "offersAccess": true, "callback": callback});
            Act::call(&source.api, "POST /v1/connections", body)
        }
        "connections", Some("POST /v1/connections/{connectionId}/accept"), "by the target" => |env| {
            let (_, target, path) = invited(env).await;
            Act::bare(&target.api, format!("POST {path}/accept"))
        }
        "connections", Some("POST /v1/connections/{connectionId}/decline"), "by the target" => |env| {
            let (_, target, path) = invited(env).await;
            Act::bare(&target.api, format!("POST {path}/decline"))
        }
        "connections", Some("POST /v1/connections/{connectionId}/withdraw"), "by the source" => |env| {
            let (source, _, path) = invited(env).await;
            Act::bare(&source.api, format!("POST {path}/withdraw"))
        }
        "connections", Some("POST /v1/connections/{connectionId}/resend-invitation"), "by the source" => |env| {
            let (source, _, path) = invited(env).await;
            Act::bare(&source.api, format!("POST {path}/resend-invitation"))
        }
    }
}

fn living() -> Vec<Scenario> {
    scenarios! {
        "connections", Some("POST /v1/connections/{connectionId}/block"), "by the target" => |env| {
            let (pair, _) = env.pair().await;
            Act::bare(&pair.target.api, format!("POST /v1/connections/{}/block", pair.connection_id))
        }
        "connections", Some("POST /v1/connections/{connectionId}/block"), "by the source, beside the target's block" => |env| {
            let (pair, _) = env.pair().await;
            let _ = pair.target.act_on_connection("block", &pair.connection_id).await.ok();
            env.work_off().await;
            Act::bare(&pair.source.api, format!("POST /v1/connections/{}/block", pair.connection_id))
        }
        "connections", Some("POST /v1/connections/{connectionId}/unblock"), "by the blocking side" => |env| {
            let (pair, _) = env.pair().await;
            let _ = pair.target.act_on_connection("block", &pair.connection_id).await.ok();
            env.work_off().await;
            Act::bare(&pair.target.api, format!("POST /v1/connections/{}/unblock", pair.connection_id))
        }
        "connections", Some("PATCH /v1/connections/{connectionId}"), "a new address for a disabled endpoint" => |env| {
            let pair = env.sold().await.pair;
            env.receiver_answers(410);
            env.work_off().await;
            env.receiver_answers(200);
            let callback = json!({"callback": {"url": format!("{}/new", env.receiver.url())}});
            Act::call(&pair.source.api, format!("PATCH /v1/connections/{}", pair.connection_id), callback)
        }
        "connections", Some("POST /v1/connections/{connectionId}/callback/rotate-secret"), "a secret, shown once" => |env| {
            let (pair, _) = env.pair().await;
            Act::bare(&pair.source.api, format!("POST /v1/connections/{}/callback/rotate-secret", pair.connection_id))
        }
        "connections", Some("POST /v1/connections/{connectionId}/callback/test"), "a test callback" => |env| {
            let (pair, _) = env.pair().await;
            Act::bare(&pair.source.api, format!("POST /v1/connections/{}/callback/test", pair.connection_id))
        }
    }
}
