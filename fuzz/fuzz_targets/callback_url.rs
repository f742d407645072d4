//! Callback URLs: an accepted URL uses https, port 443 or 8443 and a possibly public host, and parses again unchanged.
#![no_main]

use std::net::IpAddr;

use libfuzzer_sys::fuzz_target;
use tandem_domain::callback_url::{CallbackUrl, LocalTargets};
use tandem_domain::public_address;

fuzz_target!(|text: &str| {
    let none = LocalTargets::default();
    let Ok(url) = CallbackUrl::parse(text, &none) else {
        return;
    };
    let inner = url.as_url();
    assert_eq!(inner.scheme(), "https");
    assert!(
        matches!(inner.port_or_known_default(), Some(443 | 8443)),
        "{url}"
    );
    assert!(
        inner.username().is_empty() && inner.password().is_none() && inner.fragment().is_none(),
        "{url}"
    );
    let host = inner.host_str().expect("a host");
    assert!(inner.as_str().len() <= 2_048 && !host.is_empty());
    assert!(
        !host.bytes().any(|byte| byte.is_ascii_uppercase()
            || byte.is_ascii_whitespace()
            || !byte.is_ascii()),
        "{url}"
    );
    let name = host.strip_suffix('.').unwrap_or(host);
    assert!(
        !["localhost", "local", "internal"].contains(&name) && !name.ends_with(".localhost"),
        "{url}"
    );
    if let Ok(address) = name
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>()
    {
        assert_eq!(public_address::check(address), Ok(()), "{url}");
    } else {
        for label in name.split('.') {
            assert!((1..=63).contains(&label.len()), "{url}");
            assert!(!label.starts_with('-') && !label.ends_with('-'), "{url}");
        }
    }
    // A stored URL is parsed again when a callback is sent.
    assert_eq!(CallbackUrl::parse(inner.as_str(), &none).as_ref(), Ok(&url));
    let stored = serde_json::to_string(&url).expect("written");
    assert_eq!(
        serde_json::from_str::<CallbackUrl>(&stored).expect("read"),
        url
    );
});
