use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::string::string_regex;

use super::*;
use crate::connector::server_name;

fn regex(pattern: &str) -> impl Strategy<Value = String> + use<> {
    string_regex(pattern).expect("a pattern")
}

fn host() -> impl Strategy<Value = String> {
    prop_oneof![
        regex("[a-zA-Z0-9-]{1,20}(\\.[a-z0-9-]{1,20}){1,3}\\.?"),
        regex("[a-zA-Z0-9_*!~.-]{1,70}\\.example"),
        regex("[a-zäöüß\u{301}\u{3002}-]{1,10}\\.example"),
        regex("[0-9a-fx]{1,10}(\\.[0-9]{1,3}){0,3}"),
        regex("\\[[0-9a-f:.]{2,30}\\]"),
        any::<[u8; 4]>().prop_map(|address| std::net::Ipv4Addr::from(address).to_string()),
        any::<[u16; 7]>().prop_map(|[a, b, c, d, e, f, g]| {
            format!(
                "[{}]",
                std::net::Ipv6Addr::new(0x2000 | a & 0xfff, b, c, d, e, f, g, 1)
            )
        }),
    ]
}

fn url() -> impl Strategy<Value = String> {
    let path = prop_oneof![
        regex("[ -~]{0,60}"),
        regex("\\PC{0,80}"),
        regex("[\u{e4}|^`{}\\[\\]'\"<>\\\\%]{0,30}"),
        (0..400_usize).prop_map(|count| "\u{e4}".repeat(count)),
    ];
    let port = prop::sample::select(vec!["", ":443", ":8443", ":80"]);
    let start = prop::sample::select(vec!["https://", "HTTPS:", "https:///", "http://"]);
    (start, host(), port, path)
        .prop_map(|(start, host, port, path)| format!("{start}{host}{port}/{path}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    /// A URL is judged when it is set and again before each attempt.
    #[test]
    fn every_accepted_url_is_accepted_again_and_can_be_called(text in url()) {
        let none = LocalTargets::default();
        let Ok(url) = CallbackUrl::parse(&text, &none) else {
            return Ok(());
        };
        let stored = serde_json::to_value(&url).expect("written");
        let stored: CallbackUrl = serde_json::from_value(stored).expect("read");
        prop_assert_eq!(CallbackUrl::parse(stored.as_url().as_str(), &none), Ok(url));
        let delivery = Delivery {
            id: "cbk_1".into(),
            url: &stored,
            timestamp: 0,
            signature: String::new(),
            headers: std::collections::BTreeMap::new(),            body: Vec::new(),
        };
        let request = request(&delivery).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let path = request.uri().path_and_query().map(|path| path.as_str().to_owned());
        let expected = &stored.as_url()[Position::BeforePath..Position::AfterQuery];
        prop_assert_eq!(path.as_deref(), Some(expected));
        prop_assert!(server_name(stored.as_url()).is_some());
        prop_assert!(crate::connector::origin(stored.as_url()).is_some());
    }
}

#[test]
fn enough_of_the_generated_urls_are_accepted() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let accepted = (0..1_000)
        .map(|_| url().new_tree(&mut runner).expect("a tree").current())
        .filter(|text| CallbackUrl::parse(text, &LocalTargets::default()).is_ok());
    let accepted = accepted.count();
    assert!((100..800).contains(&accepted), "{accepted}");
}
