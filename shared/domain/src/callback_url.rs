//! Callback URLs: https, with the name or address of a public host. A URL is judged in the form in which it is stored and
//! sent, both when it is set and before each attempt. The sender also checks the addresses that the name resolves to.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::public_address;

const PORTS: [u16; 2] = [443, 8443];
/// In octets.
const MAX_OCTETS: usize = 2_048;
/// Of a host's name (RFC 1035, 2.3.4), in octets.
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;

/// Loopback targets that a local stack may call over plain http; empty in production. The sender checks that such a name
/// resolves to this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LocalTargets(Vec<String>);

impl LocalTargets {
    /// Reads a comma-separated list of `host` or `host:port`.
    pub fn parse(list: &str) -> Self {
        Self(
            list.split(',')
                .map(str::trim)
                .filter(|entry| !entry.is_empty())
                .map(str::to_ascii_lowercase)
                .collect(),
        )
    }

    /// Whether the URL is a local target. An address of another machine never is.
    pub fn contains(&self, url: &Url) -> bool {
        let elsewhere = match url.host() {
            Some(Host::Ipv4(address)) => !address.is_loopback(),
            Some(Host::Ipv6(address)) => !address.is_loopback(),
            Some(Host::Domain(_)) | None => false,
        };
        let Some(host) = url.host_str().filter(|_| !elsewhere) else {
            return false;
        };
        let with_port = format!("{host}:{}", url.port_or_known_default().unwrap_or(0));
        self.0
            .iter()
            .any(|entry| entry == host || *entry == with_port)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCallbackUrl {
    /// Not an absolute URL with a host.
    #[error("expected an absolute URL such as https://example.com/tandem")]
    NotAbsolute,
    #[error("must have at most {MAX_OCTETS} octets, with escapes such as %C3%A4 for \u{e4}")]
    TooLong,
    #[error(
        "must name a host by labels of 1 to {MAX_LABEL} letters, digits and inner hyphens, with dots between them"
    )]
    Host,
    #[error("must start with https://")]
    NotHttps,
    #[error("must not contain a user name or password")]
    Credentials,
    #[error("must not contain a fragment")]
    Fragment,
    #[error("must use port 443 or 8443")]
    Port,
    #[error("must name a public host")]
    PrivateHost,
}

impl InvalidCallbackUrl {
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAbsolute => "invalid_url",
            Self::TooLong => "too_long",
            Self::Host => "invalid_host",
            Self::NotHttps => "not_https",
            Self::Credentials => "credentials_in_url",
            Self::Fragment => "fragment_in_url",
            Self::Port => "port_not_allowed",
            Self::PrivateHost => "private_host",
        }
    }
}

/// A URL that may receive callbacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CallbackUrl(Url);

impl CallbackUrl {
    /// Host names are normalised (IDNA, lower case).
    pub fn parse(text: &str, local: &LocalTargets) -> Result<Self, InvalidCallbackUrl> {
        if text.len() > MAX_OCTETS {
            return Err(InvalidCallbackUrl::TooLong);
        }
        let url = Url::parse(text).map_err(|_| InvalidCallbackUrl::NotAbsolute)?;
        if url.as_str().len() > MAX_OCTETS {
            return Err(InvalidCallbackUrl::TooLong);
        }
        let host = url.host().ok_or(InvalidCallbackUrl::NotAbsolute)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidCallbackUrl::Credentials);
        }
        if url.fragment().is_some() {
            return Err(InvalidCallbackUrl::Fragment);
        }
        if local.contains(&url) && matches!(url.scheme(), "http" | "https") {
            return Ok(Self(url));
        }
        if url.scheme() != "https" {
            return Err(InvalidCallbackUrl::NotHttps);
        }
        if !PORTS.contains(&url.port_or_known_default().unwrap_or(0)) {
            return Err(InvalidCallbackUrl::Port);
        }
        let is_public = match host {
            Host::Domain(name) if !is_host_name(name) => return Err(InvalidCallbackUrl::Host),
            Host::Domain(name) => is_public_name(name),
            Host::Ipv4(address) => public_address::check(address.into()).is_ok(),
            Host::Ipv6(address) => public_address::check(address.into()).is_ok(),
        };
        if is_public {
            Ok(Self(url))
        } else {
            Err(InvalidCallbackUrl::PrivateHost)
        }
    }

    pub fn as_url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Display for CallbackUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Letters, digits and hyphens (RFC 1123, 2.1), in Punycode. A dot may end the name.
fn is_host_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.len() <= MAX_NAME && name.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    (1..=MAX_LABEL).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
}

fn is_public_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.contains('.')
        && ![".localhost", ".local", ".internal", ".home.arpa"]
            .iter()
            .any(|suffix| name.ends_with(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> InvalidCallbackUrl {
        CallbackUrl::parse(text, &LocalTargets::default()).expect_err(text)
    }

    #[test]
    fn https_addresses_of_public_hosts_are_accepted() {
        for text in ["https://example.com/a?b=c", "https://example.com:8443/"] {
            let url = CallbackUrl::parse(text, &LocalTargets::default()).expect(text);
            assert_eq!(url.as_url().as_str(), text);
        }
    }

    #[test]
    fn host_names_are_stored_as_they_are_resolved() {
        for (text, host) in [
            ("https://Bücher.example/", "xn--bcher-kva.example"),
            ("https://BU\u{308}CHER.example/", "xn--bcher-kva.example"),
            (
                "https://b\u{fc}cher\u{3002}example/",
                "xn--bcher-kva.example",
            ),
            ("https://xn--bcher-kva.example/", "xn--bcher-kva.example"),
            ("https://EXAMPLE.com/", "example.com"),
        ] {
            let url = CallbackUrl::parse(text, &LocalTargets::default()).expect(text);
            assert_eq!(url.as_url().host_str(), Some(host), "{text}");
            assert_eq!(
                serde_json::to_string(&url).expect("JSON"),
                format!("\"https://{host}/\"")
            );
        }
    }

    #[test]
    fn every_other_address_is_refused_with_its_reason() {
        assert_eq!(refused("example.com"), InvalidCallbackUrl::NotAbsolute);
        assert_eq!(refused("http://example.com/"), InvalidCallbackUrl::NotHttps);
        assert_eq!(
            refused("https://a:b@example.com/"),
            InvalidCallbackUrl::Credentials
        );
        assert_eq!(
            refused("https://example.com/#x"),
            InvalidCallbackUrl::Fragment
        );
        assert_eq!(refused("https://example.com:22/"), InvalidCallbackUrl::Port);
        for text in [
            "https://localhost/",
            "https://127.1/",
            "https://0x7f000001/",
            "https://[::1]/",
            "https://a.internal/",
            "https://a.internal./",
            "https://169.254.169.254/",
            "https://100.64.0.1/",
            "https://192.0.0.170/",
            "https://198.18.0.1/",
            "https://240.0.0.1/",
            "https://0.0.0.1/",
            "https://0300.0.0.01/",
            "https://[2002:7f00:1::1]/",
            "https://[2002:7f00:1::]/",
            "https://[::ffff:8.8.8.8]/",
            "https://[2001:db8::1]:8443/",
            "https://[2a00:1450:4001:830:0:5efe:127.0.0.1]/",
        ] {
            assert_eq!(refused(text), InvalidCallbackUrl::PrivateHost, "{text}");
        }
        assert_eq!(
            refused(&format!("https://example.com/{}", "a".repeat(2_048))),
            InvalidCallbackUrl::TooLong
        );
    }

    #[test]
    fn a_url_is_judged_by_its_stored_length() {
        let long = |count| format!("https://example.com/{}", "\u{e4}".repeat(count));
        assert_eq!(refused(&long(900)), InvalidCallbackUrl::TooLong);
        let most = (MAX_OCTETS - "https://example.com/".len()) / "%C3%A4".len();
        assert_eq!(refused(&long(most + 1)), InvalidCallbackUrl::TooLong);
        let url = CallbackUrl::parse(&long(most), &LocalTargets::default()).expect("it fits");
        assert!(url.as_url().as_str().len() <= MAX_OCTETS);
    }

    #[test]
    fn a_host_that_no_name_server_knows_is_refused() {
        let (label, too_long) = ("a".repeat(63), "a".repeat(64));
        let name = format!("{label}.{label}.{label}.{label}");
        for host in [
            "a..b",
            ".example.com",
            "example.com..",
            "-a.example",
            "a-.example",
            "a.-.example",
            "*.example",
            "a_b.example",
            "a!b.example",
            &format!("{too_long}.example"),
            &format!("a.{too_long}"),
            &name,
        ] {
            let refusal = refused(&format!("https://{host}/"));
            assert_eq!(refusal, InvalidCallbackUrl::Host, "{host}");
        }
        for host in [
            &format!("{label}.example"),
            &name[..253],
            "a-b.example",
            "a--b.example.",
            "4.example",
            "8.8.8.8",
            "[2a00:1450:4001:830::200e]",
        ] {
            let url = CallbackUrl::parse(&format!("https://{host}/"), &LocalTargets::default());
            assert!(url.is_ok(), "{host}: {url:?}");
        }
    }

    #[test]
    fn local_targets_are_the_only_exception() {
        let local = LocalTargets::parse("127.0.0.1, localhost:9000");
        for text in ["http://127.0.0.1:4711/", "http://localhost:9000/"] {
            assert!(CallbackUrl::parse(text, &local).is_ok(), "{text}");
        }
        for text in [
            "http://localhost:9001/",
            "http://127.0.0.2/",
            "http://u:p@127.0.0.1/",
        ] {
            assert!(CallbackUrl::parse(text, &local).is_err(), "{text}");
        }
    }
}
