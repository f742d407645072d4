//! What is run: a function, the world in which it runs, and what it is asked.

use std::future::Future;
use std::pin::Pin;

use serde_json::Value;
use tandem_queue::Message;
use tandem_store::outbox::Due;
use tandem_tests::handlers::Who;

use crate::stage::Stage;

/// A future that borrows the stage.
pub(crate) type Prepared<'a> = Pin<Box<dyn Future<Output = Act> + Send + 'a>>;

/// One way to run a function.
#[derive(Clone, Copy)]
pub(crate) struct Scenario {
    /// The function, as the template calls its binary.
    pub(crate) function: &'static str,
    /// The route, if it is one.
    pub(crate) route: Option<&'static str>,
    /// What is special about it.
    pub(crate) name: &'static str,
    /// Makes the world, and says what is asked.
    pub(crate) prepare: fn(&Stage) -> Prepared<'_>,
}

/// What a function is asked.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// A call of a route, repeated with one `Idempotency-Key` until it is answered.
    Call {
        who: Who,
        target: String,
        body: Option<Value>,
    },
    /// A caller with an API key, as the HTTP API asks the authorizer.
    Authorize { key: String },
    /// A message for the worker of its kind, which comes again as long as it fails.
    Message(Message),
    /// A callback's message for a worker to whom every receiver takes too long, which comes again as long as it fails.
    Impatient(Message),
    /// Fresh rows in the table's stream, which come again until they are relayed.
    Stream(Vec<Due>),
    /// An event of the mail service, which comes again until it is noted.
    MailEvent(Value),
    /// A minute's sweep; the next one is a minute later.
    Sweep,
}

impl Act {
    /// A call with a body.
    pub(crate) fn call(who: &Who, target: impl Into<String>, body: Value) -> Self {
        Self::Call {
            who: who.clone(),
            target: target.into(),
            body: Some(body),
        }
    }

    /// A call without a body.
    pub(crate) fn bare(who: &Who, target: impl Into<String>) -> Self {
        Self::Call {
            who: who.clone(),
            target: target.into(),
            body: None,
        }
    }
}

/// Scenarios: function, route if it is one, what is special => what is prepared.
macro_rules! scenarios {
    ($($function:literal, $route:expr, $name:literal => |$stage:ident| $prepare:block)*) => {
        vec![$($crate::scenario::Scenario {
            function: $function,
            route: $route,
            name: $name,
            prepare: |$stage| Box::pin(async move { $prepare }),
        }),*]
    };
}
pub(crate) use scenarios;
