//! Resolves names, and returns only addresses that were checked.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::vec;

use hyper_util::client::legacy::connect::dns::Name;
use tandem_domain::public_address;
use tower_service::Service;

use crate::failure::Failure;

pub type Lookup<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

pub trait Resolver: Send + Sync + 'static {
    /// All addresses of `name`. An error or an empty list means that it does not resolve.
    fn lookup<'a>(&'a self, name: &'a str) -> Lookup<'a>;
}

/// Resolves names by the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn lookup<'a>(&'a self, name: &'a str) -> Lookup<'a> {
        Box::pin(async move {
            Ok(tokio::net::lookup_host((name, 0))
                .await?
                .map(|address| address.ip())
                .collect())
        })
    }
}

/// Resolves a name once, and gives the addresses to the connector if *all* of them are allowed. A single forbidden address
/// refuses the name: a name with public and internal addresses is an attack or a mistake.
#[derive(Clone)]
pub(crate) struct CheckingResolver {
    resolver: Arc<dyn Resolver>,
    is_allowed: fn(IpAddr) -> bool,
}

impl CheckingResolver {
    /// Allows public addresses.
    pub(crate) fn public(resolver: Arc<dyn Resolver>) -> Self {
        Self {
            resolver,
            is_allowed: |address| public_address::check(address).is_ok(),
        }
    }

    /// Allows only this machine; for the targets of a local stack.
    pub(crate) fn local(resolver: Arc<dyn Resolver>) -> Self {
        Self {
            resolver,
            is_allowed: |address| address.is_loopback(),
        }
    }
}

impl Service<Name> for CheckingResolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Failure>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let Self {
            resolver,
            is_allowed,
        } = self.clone();
        Box::pin(async move {
            let addresses = lookup(resolver.as_ref(), name.as_str()).await?;
            let allowed = addresses.iter().all(|address| is_allowed(*address));
            if allowed {
                Ok(for_connector(addresses))
            } else {
                Err(Failure::NotPublic)
            }
        })
    }
}

async fn lookup(resolver: &dyn Resolver, name: &str) -> Result<Vec<IpAddr>, Failure> {
    let addresses = resolver.lookup(name).await.unwrap_or_default();
    if addresses.is_empty() {
        Err(Failure::NoSuchName)
    } else {
        Ok(addresses)
    }
}

/// Port 0 means the port of the URL.
fn for_connector(addresses: Vec<IpAddr>) -> vec::IntoIter<SocketAddr> {
    let addresses: Vec<_> = addresses
        .into_iter()
        .map(|address| SocketAddr::new(address, 0))
        .collect();
    addresses.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;
    use std::sync::Mutex;

    /// Answers each lookup differently, as an attacker's name server does.
    struct Changing(Mutex<VecDeque<Vec<&'static str>>>);

    impl Resolver for Changing {
        fn lookup<'a>(&'a self, _: &'a str) -> Lookup<'a> {
            let answer = self
                .0
                .lock()
                .expect("unlocked")
                .pop_front()
                .unwrap_or_default();
            Box::pin(async move {
                Ok(answer
                    .iter()
                    .map(|text| text.parse().expect("address"))
                    .collect())
            })
        }
    }

    async fn checked(answers: Vec<Vec<&'static str>>) -> Vec<Result<Vec<String>, String>> {
        checked_by(CheckingResolver::public, answers).await
    }

    async fn checked_by(
        check: fn(Arc<dyn Resolver>) -> CheckingResolver,
        answers: Vec<Vec<&'static str>>,
    ) -> Vec<Result<Vec<String>, String>> {
        let count = answers.len();
        let mut resolver = check(Arc::new(Changing(Mutex::new(answers.into()))));
        let mut results = Vec::new();
        for _ in 0..count {
            let result = resolver
                .call("receiver.example".parse().expect("name"))
                .await;
            let result =
                result.map(|addresses| addresses.map(|address| address.ip().to_string()).collect());
            results.push(result.map_err(|error| error.to_string()));
        }
        results
    }

    fn not_public() -> Result<Vec<String>, String> {
        Err("the receiver's address is not public".into())
    }

    #[tokio::test]
    async fn the_connector_gets_exactly_the_checked_addresses() {
        let results = checked(vec![
            vec!["8.8.8.8", "2a00:1450:4001:830::200e"],
            vec!["127.0.0.1"],
            vec!["1.1.1.1"],
        ])
        .await;
        assert_eq!(
            results[0],
            Ok(vec!["8.8.8.8".into(), "2a00:1450:4001:830::200e".into()])
        );
        assert_eq!(results[1], not_public(), "each lookup is checked");
        assert_eq!(results[2], Ok(vec!["1.1.1.1".into()]));
    }

    #[tokio::test]
    async fn one_internal_address_refuses_the_name() {
        for internal in ["10.0.0.1", "::1", "::ffff:8.8.8.8", "169.254.169.254"] {
            assert_eq!(
                checked(vec![vec!["8.8.8.8", internal, "1.1.1.1"]]).await,
                [not_public()],
                "{internal}"
            );
        }
    }

    #[tokio::test]
    async fn a_local_target_leads_only_to_this_machine() {
        let own = vec!["127.0.0.1".to_owned(), "::1".to_owned()];
        assert_eq!(
            checked_by(CheckingResolver::local, vec![vec!["127.0.0.1", "::1"]]).await,
            [Ok(own)]
        );
        for other in [
            "10.0.0.1",
            "169.254.169.254",
            "8.8.8.8",
            "::ffff:10.0.0.1",
            "0.0.0.0",
        ] {
            assert_eq!(
                checked_by(CheckingResolver::local, vec![vec!["127.0.0.1", other]]).await,
                [not_public()],
                "{other}"
            );
        }
    }

    #[tokio::test]
    async fn a_name_without_addresses_does_not_resolve() {
        assert_eq!(
            checked(vec![vec![]]).await,
            [Err("the name does not resolve".into())]
        );
    }
}
