//! Imports that are too large, invalid UTF-8, invalid JSON, too deep or malformed: refused as a whole.

use reqwest::Method;
use serde_json::{Value, json};
use tandem_tests::Answer;

use crate::import_scene::{ImportScene, results};

const LARGEST: usize = 2 * 1024 * 1024;
const PATH: &str = "/v1/imports/orders";

async fn send(scene: &ImportScene, body: impl Into<Vec<u8>>) -> Answer {
    let call = scene.client().api.call(Method::POST, PATH);
    call.body("application/json", body).send().await
}

/// A valid import, padded with spaces to a size.
fn padded(scene: &ImportScene, size: usize) -> Vec<u8> {
    let mut body = json!({"items": [scene.item("A-1", json!({}))]})
        .to_string()
        .into_bytes();
    body.resize(size, b' ');
    body
}

#[tokio::test]
async fn two_mebibytes_are_accepted_and_one_byte_more_is_refused() {
    let scene = ImportScene::new().await;
    let before = scene.stage.table.dump();
    let refused = send(&scene, padded(&scene, LARGEST + 1)).await;
    assert!(
        refused.body["detail"]
            .as_str()
            .expect("a detail")
            .contains("2097152"),
        "{}",
        refused.text
    );
    let _ = refused.problem(413, "body_too_large");
    assert_eq!(scene.stage.table.dump(), before);
    let accepted = send(&scene, padded(&scene, LARGEST)).await.accepted();
    scene.stage.work().await;
    assert_eq!(
        results(
            &scene
                .promise(accepted["promiseId"].as_str().expect("an id"))
                .await
        ),
        ["created"]
    );
}

#[tokio::test]
async fn a_thousand_items_are_accepted_and_one_more_is_refused() {
    let scene = ImportScene::new().await;
    let before = scene.stage.table.dump();
    let mut items: Vec<Value> = (0..1_001)
        .map(|number| scene.item(&format!("A-{number}"), json!({})))
        .collect();
    let refused = scene.send(&items).await;
    assert_eq!(
        (
            &refused.body["errors"][0]["field"],
            &refused.body["errors"][0]["code"]
        ),
        (&json!("items"), &json!("wrong_length"))
    );
    let _ = refused.problem(422, "invalid_fields");
    assert_eq!(scene.stage.table.dump(), before);
    items.pop();
    assert_eq!(scene.send(&items).await.accepted()["itemCount"], 1_000);
    assert_eq!(scene.rows("chunk#").len(), 40);
}

#[tokio::test]
async fn invalid_utf8_and_invalid_json_are_refused() {
    let scene = ImportScene::new().await;
    let before = scene.stage.table.dump();
    let good = padded(&scene, 400);
    let broken_text = {
        let mut body = good.clone();
        let at = body
            .windows(3)
            .position(|bytes| bytes == b"A-1")
            .expect("the id");
        body[at] = 0xff;
        body
    };
    let half_a_letter =
        br#"{"items": [{"externalSystemId": "#.iter().chain(b"\"\xc3\"}]}").copied().collect();
    let lone_surrogate = br#"{"items": [{"externalSystemId": "\ud800"}]}"#.to_vec();
    let bodies = [
        broken_text,
        half_a_letter,
        lone_surrogate,
        Vec::new(),
        good[..100].to_vec(),
        [good.clone(), good.clone()].concat(),
        b"\xef\xbb\xbf{\"items\": []}".to_vec(),
        br#"{"items": [NaN]}"#.to_vec(),
    ];
    for body in bodies {
        let shown = String::from_utf8_lossy(&body)
            .chars()
            .take(60)
            .collect::<String>();
        let refused = send(&scene, body).await;
        assert_eq!(refused.code(), "invalid_json", "{shown}: {refused}");
        let _ = refused.problem(400, "invalid_json");
    }
    assert_eq!(scene.stage.table.dump(), before);
}

#[tokio::test]
async fn deep_and_enormous_json_is_refused_harmlessly() {
    let scene = ImportScene::new().await;
    let before = scene.stage.table.dump();
    let deep =
        |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    for body in [
        deep("[", "]"),
        deep("[", ""),
        format!("{{\"items\": {}}}", deep("[", "]")),
        deep("{\"a\":", ""),
    ] {
        let _ = send(&scene, body).await.problem(400, "invalid_json");
    }
    let members: Vec<String> = (0..90_000)
        .map(|number| format!("\"m{number}\":0"))
        .collect();
    let many_members = format!("{{\"items\": [{{{}}}]}}", members.join(","));
    assert!(many_members.len() < LARGEST);
    let refused = send(&scene, many_members).await;
    // The answer names each wrong member and stays bounded.
    assert!(
        refused.text.len() < 5 * 1024 * 1024,
        "{} bytes",
        refused.text.len()
    );
    let _ = refused.problem(422, "invalid_fields");
    let many_items = format!("{{\"items\": [{}0]}}", "0,".repeat(1_000_000));
    let _ = send(&scene, many_items).await.problem(400, "invalid_json");
    let many_items = format!("{{\"items\": [{}0]}}", "0,".repeat(90_000));
    let _ = send(&scene, many_items)
        .await
        .problem(422, "invalid_fields");
    assert_eq!(scene.stage.table.dump(), before);
}

#[tokio::test]
async fn too_large_too_long_and_fractional_numbers_are_named() {
    let scene = ImportScene::new().await;
    let before = scene.stage.table.dump();
    let long = "9".repeat(1_000_000);
    let numbers = [
        "9223372036854775808",
        "18446744073709551616",
        "-9223372036854775809",
        "1e5",
        "1.5",
        "10001",
        "0",
        "-1",
        "1e400",
        &long,
    ];
    let mut refused = Vec::new();
    for number in numbers {
        let body = json!({"items": [scene.item("A-1", json!({"quantity": "HERE"}))]}).to_string();
        let answer = send(&scene, body.replace("\"HERE\"", number)).await;
        let shown: String = number.chars().take(24).collect();
        // Numbers outside JSON's common range are invalid JSON; the others are a wrong quantity.
        match answer.status {
            400 => assert_eq!(answer.code(), "invalid_json", "{shown}"),
            _ => {
                assert_eq!(
                    answer.body["errors"][0]["field"], "items[0].quantity",
                    "{shown}: {}",
                    answer.text
                );
                let _ = answer.problem(422, "invalid_fields");
                refused.push(shown);
            }
        }
    }
    assert_eq!(refused, &numbers[..8], "numbers that are read are named");
    assert_eq!(scene.stage.table.dump(), before);
}

#[tokio::test]
async fn wrong_forms_of_time_are_refused_with_an_example() {
    let scene = ImportScene::new().await;
    let before = scene.stage.table.dump();
    let cases = [
        ("2026-11-01T00:00:00", "no_offset", "2026-11-01T00:00:00Z"),
        ("2026-11-01T00:00:00+0200", "invalid_date", "+01:00"),
        ("2026-11-01", "no_time", "2026-11-01T00:00:00Z"),
        ("01.11.2026", "invalid_date", "12:00:00Z"),
        ("2026-02-30T00:00:00Z", "invalid_date", "12:00:00Z"),
        ("2026-11-01T25:00:00Z", "invalid_date", "12:00:00Z"),
    ];
    for (field, (text, code, hint)) in ["startDate", "endDate", "orderDate"]
        .iter()
        .flat_map(|field| cases.map(|case| (*field, case)))
    {
        let refused = scene.send(&[scene.item("A-1", json!({field: text}))]).await;
        let error = &refused.body["errors"][0];
        assert_eq!(
            (&error["field"], &error["code"]),
            (&json!(format!("items[0].{field}")), &json!(code)),
            "{text}"
        );
        assert!(
            error["detail"].as_str().expect("a detail").contains(hint),
            "{error}"
        );
        let _ = refused.problem(422, "invalid_fields");
    }
    assert_eq!(scene.stage.table.dump(), before);
}
