//! Looking names up, and letting only judged answers through.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::address;
use crate::failure::Failure;

/// A look-up that is under way.
pub type LookUp<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Tells the addresses of a name.
pub trait Resolver: Send + Sync + 'static {
    /// All addresses of `name`. An error or an empty list means that it does not resolve.
    fn look_up<'a>(&'a self, name: &'a str) -> LookUp<'a>;
}

/// The resolver of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn look_up<'a>(&'a self, name: &'a str) -> LookUp<'a> {
        Box::pin(async move {
            Ok(tokio::net::lookup_host((name, 0))
                .await?
                .map(|address| address.ip())
                .collect())
        })
    }
}

/// Asks a resolver once, and gives its answers to the connector if *all* of them are allowed. One that is not refuses
/// the whole name: a name that points both outside and inside is an attack or a mistake.
#[derive(Clone)]
pub(crate) struct JudgingResolver {
    resolver: Arc<dyn Resolver>,
    is_allowed: fn(IpAddr) -> bool,
}

impl JudgingResolver {
    /// Allows public addresses.
    pub(crate) fn public(resolver: Arc<dyn Resolver>) -> Self {
        Self {
            resolver,
            is_allowed: |address| address::judge(address).is_ok(),
        }
    }

    /// Allows this machine alone; for the targets of a local stack.
    pub(crate) fn local(resolver: Arc<dyn Resolver>) -> Self {
        Self {
            resolver,
            is_allowed: |address| address.is_loopback(),
        }
    }
}

impl Resolve for JudgingResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let Self {
            resolver,
            is_allowed,
        } = self.clone();
        Box::pin(async move {
            let addresses = look_up(resolver.as_ref(), name.as_str()).await?;
            let allowed = addresses.iter().all(|address| is_allowed(*address));
            if allowed {
                Ok(for_connector(addresses))
            } else {
                Err(Failure::NotPublic.into())
            }
        })
    }
}

async fn look_up(resolver: &dyn Resolver, name: &str) -> Result<Vec<IpAddr>, Failure> {
    let addresses = resolver.look_up(name).await.unwrap_or_default();
    if addresses.is_empty() {
        Err(Failure::NoSuchName)
    } else {
        Ok(addresses)
    }
}

/// Port 0 stands for the port of the URL.
fn for_connector(addresses: Vec<IpAddr>) -> Addrs {
    Box::new(
        addresses
            .into_iter()
            .map(|address| SocketAddr::new(address, 0)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;
    use std::sync::Mutex;

    /// Answers differently at each look-up, as an attacker's name server does.
    struct Changing(Mutex<VecDeque<Vec<&'static str>>>);

    impl Resolver for Changing {
        fn look_up<'a>(&'a self, _: &'a str) -> LookUp<'a> {
            let answer = self
                .0
                .lock()
                .expect("not poisoned")
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

    async fn judged(answers: Vec<Vec<&'static str>>) -> Vec<Result<Vec<String>, String>> {
        judged_by(JudgingResolver::public, answers).await
    }

    async fn judged_by(
        judge: fn(Arc<dyn Resolver>) -> JudgingResolver,
        answers: Vec<Vec<&'static str>>,
    ) -> Vec<Result<Vec<String>, String>> {
        let count = answers.len();
        let resolver = judge(Arc::new(Changing(Mutex::new(answers.into()))));
        let mut results = Vec::new();
        for _ in 0..count {
            let result = resolver
                .resolve("receiver.example".parse().expect("name"))
                .await;
            let result =
                result.map(|addresses| addresses.map(|address| address.ip().to_string()).collect());
            results.push(result.map_err(|error| error.to_string()));
        }
        results
    }

    fn not_public() -> Result<Vec<String>, String> {
        Err("the receiver's address is not a public one".into())
    }

    #[tokio::test]
    async fn the_connector_gets_the_very_addresses_that_were_judged() {
        let results = judged(vec![
            vec!["8.8.8.8", "2a00:1450:4001:830::200e"],
            vec!["127.0.0.1"],
            vec!["1.1.1.1"],
        ])
        .await;
        assert_eq!(
            results[0],
            Ok(vec!["8.8.8.8".into(), "2a00:1450:4001:830::200e".into()])
        );
        assert_eq!(results[1], not_public(), "each look-up is judged anew");
        assert_eq!(results[2], Ok(vec!["1.1.1.1".into()]));
    }

    #[tokio::test]
    async fn one_inner_address_among_the_answers_refuses_the_name() {
        for inner in ["10.0.0.1", "::1", "::ffff:8.8.8.8", "169.254.169.254"] {
            assert_eq!(
                judged(vec![vec!["8.8.8.8", inner, "1.1.1.1"]]).await,
                [not_public()],
                "{inner}"
            );
        }
    }

    #[tokio::test]
    async fn a_local_target_leads_to_this_machine_and_nowhere_else() {
        let own = vec!["127.0.0.1".to_owned(), "::1".to_owned()];
        assert_eq!(
            judged_by(JudgingResolver::local, vec![vec!["127.0.0.1", "::1"]]).await,
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
                judged_by(JudgingResolver::local, vec![vec!["127.0.0.1", other]]).await,
                [not_public()],
                "{other}"
            );
        }
    }

    #[tokio::test]
    async fn a_name_without_addresses_does_not_resolve() {
        assert_eq!(
            judged(vec![vec![]]).await,
            [Err("the name does not resolve".into())]
        );
    }
}
