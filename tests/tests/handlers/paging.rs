//! Lists: each row once, newest first, with and without filters.

use serde_json::{Value, json};
use tandem_tests::handlers::{House, Who};

async fn all(house: &House, who: &Who, path: &str, limit: usize) -> Vec<String> {
    let mut ids = Vec::new();
    let mut cursor = String::new();
    loop {
        let joint = if path.contains('?') { '&' } else { '?' };
        let page = house
            .call(
                who,
                &format!("GET {path}{joint}limit={limit}{cursor}"),
                None,
            )
            .await
            .expect(200);
        let items = page["items"].as_array().expect("items");
        assert!(items.len() <= limit);
        ids.extend(
            items
                .iter()
                .map(|item| item["id"].as_str().expect("an id").to_owned()),
        );
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return ids,
        }
    }
}

fn newest_first(ids: &[String]) -> bool {
    ids.windows(2).all(|pair| pair[0] > pair[1])
}

#[tokio::test]
async fn pages_contain_each_row_once_with_and_without_filter() {
    let house = House::new().await;
    let company = house.company(true).await;
    let client = house.merchant(&company, "Quelle").await;
    for number in 0..130_u32 {
        let id = house.offer(&client, json!({})).await;
        if number.is_multiple_of(13) {
            let _ = house
                .call(&client.who, &format!("POST /v1/offers/{id}/archive"), None)
                .await
                .expect(200);
        }
    }
    for limit in [1, 7, 100] {
        let ids = all(&house, &client.who, "/v1/offers", limit).await;
        assert!(
            ids.len() == 130 && newest_first(&ids),
            "limit {limit}: {}",
            ids.len()
        );
        let archived = all(&house, &client.who, "/v1/offers?status=archived", limit).await;
        assert!(
            archived.len() == 10 && newest_first(&archived),
            "limit {limit}: {}",
            archived.len()
        );
    }
}

#[tokio::test]
async fn rows_of_both_sides_are_merged_by_time() {
    let house = House::new().await;
    let company = house.company(true).await;
    let middle = house.merchant(&company, "Mitte").await;
    for number in 0..30_u32 {
        let other = house.merchant(&company, "Andere").await;
        let (from, to) = if number.is_multiple_of(3) {
            (&middle, &other)
        } else {
            (&other, &middle)
        };
        let body = json!({"targetClientId": to.id, "offersAccess": true});
        let _ = house
            .call(&from.who, "POST /v1/connections", Some(body))
            .await
            .expect(201);
    }
    for limit in [1, 4, 50] {
        let ids = all(&house, &middle.who, "/v1/connections", limit).await;
        assert!(
            ids.len() == 30 && newest_first(&ids),
            "limit {limit}: {}",
            ids.len()
        );
        assert_eq!(
            all(&house, &middle.who, "/v1/connections?role=source", limit)
                .await
                .len(),
            10
        );
        assert_eq!(
            all(&house, &middle.who, "/v1/connections?status=active", limit)
                .await
                .len(),
            0
        );
    }
}

#[tokio::test]
async fn a_cursor_belongs_to_one_caller_one_list_and_one_filter() {
    let house = House::new().await;
    let company = house.company(true).await;
    let (client, other) = (
        house.merchant(&company, "Eine").await,
        house.merchant(&company, "Andere").await,
    );
    for _ in 0..3 {
        let _ = house.offer(&client, json!({})).await;
    }
    let page = house
        .call(&client.who, "GET /v1/offers?limit=1", None)
        .await
        .expect(200);
    let cursor = page["nextCursor"].as_str().expect("a cursor").to_owned();
    let turned: String = cursor.chars().rev().collect();
    let refused = [
        (&other.who, format!("GET /v1/offers?cursor={cursor}")),
        (&client.who, format!("GET /v1/carts?cursor={cursor}")),
        (
            &client.who,
            format!("GET /v1/offers?status=active&cursor={cursor}"),
        ),
        (&client.who, format!("GET /v1/offers?cursor={turned}")),
        (&client.who, "GET /v1/offers?cursor=x".to_owned()),
    ];
    for (who, target) in refused {
        assert_eq!(
            house.call(who, &target, None).await.problem(400),
            "invalid_cursor",
            "{target}"
        );
    }
    let answer = house
        .call(&client.who, "GET /v1/offers?limit=0&nope=1&status=x", None)
        .await;
    let errors = answer.body["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .map(|error| error["field"].clone())
        .collect::<Vec<Value>>();
    assert_eq!(errors, ["status", "limit", "nope"]);
}
