//! Tests of the test table and of `HttpCall`.

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;
use serde_json::json;
use tandem_testing::{HttpCall, TestTable};

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

async fn put(table: &TestTable, pk: &str, due: bool) {
    let request = table
        .client
        .put_item()
        .table_name(&table.table_name)
        .item("pk", text(pk))
        .item("sk", text("a"));
    let request = request
        .item("gsi1pk", text("all"))
        .item("gsisk", text(pk))
        .item("n", AttributeValue::N("7".to_owned()));
    let request = if due {
        request
            .item("dueShard", text("0"))
            .item("sweepAt", AttributeValue::N("2026".to_owned()))
    } else {
        request
    };
    request.send().await.expect("put");
}

#[tokio::test]
async fn each_table_is_empty_and_separate() {
    let (one, other) = (TestTable::new().await, TestTable::new().await);
    put(&one, "1", false).await;
    assert_eq!(
        one.dump(),
        [json!({"pk": "1", "sk": "a", "gsi1pk": "all", "gsisk": "1", "n": 7})]
    );
    assert!(other.dump().is_empty());
    assert_ne!(one.table_name, other.table_name);
}

#[tokio::test]
async fn the_indexes_are_those_of_the_template() {
    let table = TestTable::new().await;
    let described = table
        .client
        .describe_table()
        .table_name(&table.table_name)
        .send()
        .await
        .expect("described");
    let described = described.table.expect("the table");
    let mut indexes: Vec<_> = described
        .global_secondary_indexes()
        .iter()
        .map(|index| {
            let keys: Vec<_> = index
                .key_schema()
                .iter()
                .map(|key| key.attribute_name())
                .collect();
            let projection = index
                .projection()
                .and_then(|projection| projection.projection_type())
                .expect("a projection");
            (
                index.index_name().expect("a name"),
                keys,
                projection.as_str(),
            )
        })
        .collect();
    indexes.sort_unstable();
    assert_eq!(
        indexes,
        [
            ("due", vec!["dueShard", "sweepAt"], "KEYS_ONLY"),
            ("gsi1", vec!["gsi1pk", "gsisk"], "INCLUDE"),
            ("gsi2", vec!["gsi2pk", "gsisk"], "INCLUDE"),
            ("voucher", vec!["voucherHash"], "KEYS_ONLY"),
        ]
    );
}

#[tokio::test]
async fn an_index_holds_only_rows_that_have_its_keys() {
    let table = TestTable::new().await;
    put(&table, "1", false).await;
    put(&table, "2", true).await;
    let query = table
        .client
        .query()
        .table_name(&table.table_name)
        .index_name("due");
    let query = query
        .key_condition_expression("dueShard = :shard")
        .expression_attribute_values(":shard", text("0"));
    let due = query.send().await.expect("queried");
    assert_eq!(due.items().len(), 1);
    assert_eq!(due.items()[0]["pk"], text("2"));
    assert!(!due.items()[0].contains_key("n"));
}

#[tokio::test]
async fn every_request_is_counted_by_its_operation() {
    let table = TestTable::new().await;
    put(&table, "1", false).await;
    table.reset_calls();
    let put = Put::builder()
        .table_name(&table.table_name)
        .item("pk", text("1"))
        .item("sk", text("a"));
    let put = put
        .condition_expression("attribute_not_exists(pk)")
        .build()
        .expect("complete");
    let refused = table
        .client
        .transact_write_items()
        .transact_items(TransactWriteItem::builder().put(put).build());
    assert!(refused.send().await.is_err());
    let get = table
        .client
        .get_item()
        .table_name(&table.table_name)
        .key("pk", text("1"))
        .key("sk", text("a"));
    assert!(get.send().await.expect("got").item.is_some());
    assert_eq!(table.calls(), ["TransactWriteItems", "GetItem"]);
    let _ = table.dump();
    assert_eq!(table.calls().len(), 2);
}

#[test]
fn a_call_becomes_the_request_that_a_function_receives() {
    let request = HttpCall::new("POST /v1/carts/{cartId}/purchase")
        .path("cartId", "crt_1")
        .query("status", "open & paid")
        .query("status", "x")
        .header("Idempotency-Key", "k-1")
        .json(&json!({"a": "ü"}))
        .client("cli_1", "cco_1")
        .request();
    assert_eq!(request.method(), "POST");
    assert_eq!(
        request.uri(),
        "https://api.example.com/v1/carts/crt_1/purchase?status=open+%26+paid&status=x"
    );
    assert_eq!(request.path_parameters().first("cartId"), Some("crt_1"));
    assert_eq!(
        request.query_string_parameters().all("status"),
        Some(vec!["open & paid", "x"])
    );
    assert_eq!(request.headers()["idempotency-key"], "k-1");
    assert_eq!(request.headers()["content-type"], "application/json");
    assert_eq!(request.body().as_ref(), "{\"a\":\"ü\"}".as_bytes());
    let RequestContext::ApiGatewayV2(context) = request.request_context() else {
        panic!("an HTTP API request")
    };
    assert_eq!(
        context.route_key.as_deref(),
        Some("POST /v1/carts/{cartId}/purchase")
    );
    let fields = context.authorizer.expect("an authorizer").fields;
    assert_eq!(fields["role"], "client");
    assert_eq!(fields["clientId"], "cli_1");
    assert_eq!(fields["companyId"], "cco_1");
}

#[test]
fn a_call_without_key_or_body_has_neither() {
    let request = HttpCall::new("GET /v1/offers").request();
    let RequestContext::ApiGatewayV2(context) = request.request_context() else {
        panic!("an HTTP API request")
    };
    assert!(context.authorizer.is_none());
    assert!(matches!(request.body(), lambda_http::Body::Empty));
    let operator = HttpCall::new("GET /v1/clients").operator().request();
    let RequestContext::ApiGatewayV2(context) = operator.request_context() else {
        panic!("an HTTP API request")
    };
    assert_eq!(
        context.authorizer.expect("an authorizer").fields["role"],
        "operator"
    );
}
