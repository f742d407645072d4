//! The common part of all HTTP functions: callers, requests, answers, problems and idempotency.
//!
//! An HTTP function is `async fn handle(app: App, request: Request) -> Result<Answer, Problem>`: it matches the route, parses,
//! loads, decides in the domain, commits one transaction and answers. [`fn@serve`] runs it behind the HTTP API.
//!
//! Parts: [`request`] and [`caller`] (from the event and the authorizer), [`answer`] and [`problem`] (to the caller;
//! [`problem::Code`] is the table of all problems), [`idempotency`] (commit, retry after a conflict, `Idempotency-Key`),
//! [`paging`] (limit and signed cursor), [`created`] (a filter of lists), [`views`] (the JSON of each noun), [`csv`], [`lookup`] (rows that several functions load),
//! [`announce`] and [`client_events`] (rows that follow from a change).

pub mod announce;
pub mod answer;
pub mod app;
pub mod caller;
pub mod client_events;
pub mod created;
pub mod csv;
pub mod idempotency;
pub mod lookup;
pub mod paging;
pub mod parameters;
pub mod problem;
pub mod refusals;
pub mod request;
pub mod requested_callbacks;
pub mod serve;
pub mod views;

pub use answer::Answer;
pub use app::App;
pub use caller::{Caller, ClientCaller};
pub use idempotency::{Decision, IdempotencyKey};
pub use problem::{Code, Problem};
pub use request::Request;
pub use serve::serve;

/// The event of the HTTP API.
pub use lambda_http::Request as Event;

/// Ends a function that cannot start.
pub use lambda_http::Error;
