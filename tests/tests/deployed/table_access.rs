//! The reach of a function that was broken into: API keys only if working with them is its purpose.

use tandem_tests::table_access;

#[test]
fn only_functions_for_api_keys_reach_their_rows() {
    let functions = table_access();
    assert!(functions.len() > 15, "{functions:#?}");
    for (name, access) in &functions {
        let keys: Vec<&str> = access.keys.iter().map(String::as_str).collect();
        match name.as_str() {
            "Authorize" => assert_eq!(keys, ["GetItem", "PutItem", "TransactWriteItems Put"]),
            "Tenants" => assert_eq!(
                keys,
                [
                    "BatchGetItem",
                    "GetItem",
                    "PutItem",
                    "Query gsi1",
                    "Query gsi2",
                    "TransactWriteItems Put"
                ]
            ),
            "Account" => assert_eq!(
                keys,
                [
                    "BatchGetItem",
                    "GetItem",
                    "PutItem",
                    "Query gsi1",
                    "TransactWriteItems ConditionCheck",
                    "TransactWriteItems Put"
                ]
            ),
            _ => assert!(keys.is_empty(), "{name}: {keys:?}"),
        }
        assert!(!access.others.contains("Scan"), "{name}");
    }
    for call in [
        "GetItem",
        "BatchGetItem",
        "Query gsi1",
        "PutItem",
        "TransactWriteItems Put",
    ] {
        assert!(
            functions["Offers"].others.contains(call),
            "{call}: only the explicit denial keeps it from API keys"
        );
    }
    let authorize = &functions["Authorize"].others;
    assert_eq!(
        authorize.iter().map(String::as_str).collect::<Vec<_>>(),
        ["GetItem"],
        "the authorizer writes only rows of API keys"
    );
}
