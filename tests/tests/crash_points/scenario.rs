//! A scenario: a function, its initial rows, and its input.

use std::future::Future;
use std::pin::Pin;

use serde_json::Value;
use tandem_queue::Message;
use tandem_store::outbox::Due;
use tandem_tests::Api;

use crate::environment::Environment;

/// A future that borrows the environment.
pub(crate) type Prepared<'a> = Pin<Box<dyn Future<Output = Act> + Send + 'a>>;

/// One way to run a function.
#[derive(Clone, Copy)]
pub(crate) struct Scenario {
    /// The function, by its binary's name in the template.
    pub(crate) function: &'static str,
    /// The route of an HTTP function.
    pub(crate) route: Option<&'static str>,
    /// The special circumstances.
    pub(crate) name: &'static str,
    /// Creates the initial rows and returns the input.
    pub(crate) prepare: fn(&Environment) -> Prepared<'_>,
}

/// The input of a function.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// A route's call, repeated with one `Idempotency-Key` until it gets an answer.
    Call {
        key: String,
        /// Method and path.
        target: String,
        body: Option<Value>,
    },
    /// An authorizer request of the HTTP API for a caller with an API key.
    Authorize { key: String },
    /// A message for the worker of its kind, delivered again while it fails.
    Message(Message),
    /// A callback's message for a worker that considers each receiver slow, delivered again while it fails.
    Slow(Message),
    /// New rows in the table's stream, delivered again until they are relayed.
    Stream(Vec<Due>),
    /// An event of the mail service, delivered again until it is recorded.
    MailEvent(Value),
    /// The sweep; the next one runs a minute later.
    Sweep,
}

impl Act {
    /// A call with a body.
    pub(crate) fn call(api: &Api, target: impl Into<String>, body: Value) -> Self {
        Self::Call {
            key: api.key().expect("an API key").to_owned(),
            target: target.into(),
            body: Some(body),
        }
    }

    /// A call without a body.
    pub(crate) fn bare(api: &Api, target: impl Into<String>) -> Self {
        Self::Call {
            key: api.key().expect("an API key").to_owned(),
            target: target.into(),
            body: None,
        }
    }
}

/// Scenarios: function, route, special circumstances => preparation.
macro_rules! scenarios {
    ($($function:literal, $route:expr, $name:literal => |$environment:ident| $prepare:block)*) => {
        vec![$($crate::scenario::Scenario {
            function: $function,
            route: $route,
            name: $name,
            prepare: |$environment| Box::pin(async move { $prepare }),
        }),*]
    };
}
pub(crate) use scenarios;
