//! Lists: each row once, newest first, with and without filters.

use tandem_tests::{Api, InProcess, Module, id};

/// The ids of a list's rows; checks that no page exceeds the limit.
async fn all(api: &Api, path: &str, limit: usize) -> Vec<String> {
    let joint = if path.contains('?') { '&' } else { '?' };
    let pages = api.pages(&format!("{path}{joint}limit={limit}")).await;
    assert!(pages.iter().all(|page| page.len() <= limit));
    let rows = pages.iter().flatten();
    rows.map(|row| id(row).to_owned()).collect()
}

fn newest_first(ids: &[String]) -> bool {
    ids.windows(2).all(|pair| pair[0] > pair[1])
}

#[tokio::test]
async fn pages_contain_each_row_once_with_and_without_filter() {
    let stage = InProcess::start().await;
    let setup = stage.setup();
    let company = setup.company("Medienhaus", Module::On).await;
    let client = setup.client(&company, "Morgenblatt", "de").await;
    for number in 0..130_u32 {
        let offer = client.subscription_offer("Magazin", 999).await;
        if number.is_multiple_of(13) {
            let archive = format!("/v1/offers/{}/archive", id(&offer));
            let _ = client.api.act(&archive).await.ok();
        }
    }
    for limit in [1, 7, 100] {
        let ids = all(&client.api, "/v1/offers", limit).await;
        assert!(
            ids.len() == 130 && newest_first(&ids),
            "limit {limit}: {}",
            ids.len()
        );
        let archived = all(&client.api, "/v1/offers?status=archived", limit).await;
        assert!(
            archived.len() == 10 && newest_first(&archived),
            "limit {limit}: {}",
            archived.len()
        );
    }
}

#[tokio::test]
async fn rows_of_both_sides_are_merged_by_time() {
    let stage = InProcess::start().await;
    let setup = stage.setup();
    let company = setup.company("Medienhaus", Module::On).await;
    let middle = setup.client(&company, "Morgenblatt", "de").await;
    for number in 0..30_u32 {
        let other = setup.client(&company, "Garden Weekly", "en").await;
        let (from, to) = if number.is_multiple_of(3) {
            (&middle, &other)
        } else {
            (&other, &middle)
        };
        let _ = from.invite(to, None).await.created();
    }
    let connections = async |filter: &str, limit: usize| {
        let path = format!("/v1/connections{filter}");
        all(&middle.api, &path, limit).await
    };
    for limit in [1, 4, 50] {
        let ids = connections("", limit).await;
        assert!(
            ids.len() == 30 && newest_first(&ids),
            "limit {limit}: {}",
            ids.len()
        );
        assert_eq!(connections("?role=source", limit).await.len(), 10);
        assert_eq!(connections("?status=active", limit).await.len(), 0);
    }
}

#[tokio::test]
async fn a_cursor_belongs_to_one_caller_one_list_and_one_filter() {
    let stage = InProcess::start().await;
    let setup = stage.setup();
    let company = setup.company("Medienhaus", Module::On).await;
    let client = setup.client(&company, "Morgenblatt", "de").await;
    let other = setup.client(&company, "Garden Weekly", "en").await;
    for _ in 0..3 {
        let _ = client.subscription_offer("Magazin", 999).await;
    }
    let page = client.api.get("/v1/offers?limit=1").await.ok();
    let cursor = page["nextCursor"].as_str().expect("a cursor");
    let turned: String = cursor.chars().rev().collect();
    let refused = [
        (&other, format!("/v1/offers?cursor={cursor}")),
        (&client, format!("/v1/carts?cursor={cursor}")),
        (&client, format!("/v1/offers?status=active&cursor={cursor}")),
        (&client, format!("/v1/offers?cursor={turned}")),
        (&client, "/v1/offers?cursor=x".to_owned()),
    ];
    for (client, path) in refused {
        let refused = client.api.get(&path).await;
        let _ = refused.problem(400, "invalid_cursor");
    }
    let path = "/v1/offers?limit=0&nope=1&status=x";
    let refused = client.api.get(path).await;
    let named = refused.fields().into_iter().map(|(field, _)| field);
    let named: Vec<String> = named.collect();
    assert_eq!(named, ["status", "limit", "nope"]);
}
