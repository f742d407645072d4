//! What a function that was broken into could do with API keys: nothing, unless working with them is what it is for.

use tandem_tests::trespass;

#[test]
fn no_function_but_those_that_work_with_api_keys_reaches_them_in_the_table() {
    let functions = trespass();
    assert!(functions.len() > 15, "{functions:#?}");
    for (name, let_do) in &functions {
        let keys: Vec<&str> = let_do.keys.iter().map(String::as_str).collect();
        match name.as_str() {
            "Authorize" => assert_eq!(keys, ["GetItem", "PutItem", "TransactWriteItems Put"]),
            "Tenants" => assert_eq!(
                keys,
                [
                    "GetItem",
                    "PutItem",
                    "Query gsi1",
                    "Query gsi2",
                    "TransactWriteItems Put"
                ]
            ),
            _ => assert!(keys.is_empty(), "{name}: {keys:?}"),
        }
        assert!(!let_do.others.contains("Scan"), "{name}");
    }
    for way in [
        "GetItem",
        "BatchGetItem",
        "Query gsi1",
        "PutItem",
        "TransactWriteItems Put",
    ] {
        assert!(
            functions["Offers"].others.contains(way),
            "{way}: it is the refusal that stops it at keys"
        );
    }
    let authorize = &functions["Authorize"].others;
    assert_eq!(
        authorize.iter().map(String::as_str).collect::<Vec<_>>(),
        ["GetItem"],
        "it writes rows of API keys alone"
    );
}
