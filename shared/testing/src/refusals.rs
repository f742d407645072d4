//! Answers of DynamoDB that the in-process database never gives, in AWS's own shapes: cancelled transactions with the reason of
//! each row, throttled calls, and batches with unprocessed keys.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

/// On demand, for the table as for its indexes.
const THROTTLED: &str = "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your table or index so please try again shortly. If exceptions persist, check if you have a hot key: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html";

/// Cancels a transaction with these codes on its first rows, and `None` on the others. A put is rejected for the first code.
pub(crate) fn cancelled(target: &str, request: &[u8], codes: &[&str]) -> HttpResponse {
    if target.ends_with(PUT) {
        return put_rejected(codes.first().copied().unwrap_or("None"));
    }
    let rows = parsed(request)["TransactItems"]
        .as_array()
        .map_or(0, Vec::len);
    let codes: Vec<&str> = (0..rows.max(1))
        .map(|row| codes.get(row).copied().unwrap_or("None"))
        .collect();
    let reasons: Vec<Value> = codes.iter().map(|code| reason(code)).collect();
    let message = format!(
        "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
        codes.join(", ")
    );
    rejected(&json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": message,
        "CancellationReasons": reasons,
    }))
}

fn reason(code: &str) -> Value {
    let message = match code {
        "None" => return json!({"Code": code}),
        "ConditionalCheckFailed" => "The conditional request failed",
        "TransactionConflict" => "Transaction is ongoing for the item",
        "ThrottlingError" => THROTTLED,
        "ProvisionedThroughputExceeded" => {
            "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API."
        }
        "ValidationError" => "Item size to update has exceeded the maximum allowed size",
        other => panic!("no message of the code {other}"),
    };
    json!({"Code": code, "Message": message})
}

/// The code of a cancelled transaction, as a put of one row reports it.
fn put_rejected(code: &str) -> HttpResponse {
    let exception = match code {
        "ConditionalCheckFailed" => "ConditionalCheckFailedException",
        "TransactionConflict" => "TransactionConflictException",
        "ThrottlingError" => "ThrottlingException",
        "ProvisionedThroughputExceeded" => "ProvisionedThroughputExceededException",
        other => panic!("a put is not rejected for {other}"),
    };
    rejected(&json!({
        "__type": format!("com.amazonaws.dynamodb.v20120810#{exception}"),
        "message": reason(code)["Message"],
    }))
}

/// Throttles a call: each row of a transaction, or the call itself.
pub(crate) fn throttled(target: &str, request: &[u8]) -> HttpResponse {
    if target.ends_with(TRANSACTION) {
        return cancelled(target, request, &["ThrottlingError"; 100]);
    }
    rejected(&json!({
        "__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException",
        "message": THROTTLED,
    }))
}

/// The ends of the names of operations in a request's header.
const TRANSACTION: &str = ".TransactWriteItems";
const PUT: &str = ".PutItem";

pub(crate) fn is_write(target: &str) -> bool {
    [TRANSACTION, PUT]
        .iter()
        .any(|write| target.ends_with(write))
}

/// Leaves all keys of a batch unprocessed.
pub(crate) fn unprocessed(request: &[u8]) -> HttpResponse {
    let keys = parsed(request)["RequestItems"].clone();
    answer(200, &json!({"Responses": {}, "UnprocessedKeys": keys}))
}

fn parsed(request: &[u8]) -> Value {
    serde_json::from_slice(request).expect("the SDK writes valid requests")
}

fn rejected(body: &Value) -> HttpResponse {
    answer(400, body)
}

fn answer(status: u16, body: &Value) -> HttpResponse {
    HttpResponse::new(
        StatusCode::try_from(status).expect("a status"),
        SdkBody::from(body.to_string()),
    )
}
