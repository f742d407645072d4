//! What all HTTP functions share: who calls, what is asked, how it is answered, and that it happens once.
//!
//! A function of this kind is `async fn handle(app: App, request: Request) -> Result<Answer, Problem>`: it looks at the
//! route, parses, loads, decides in the domain, commits one transaction, and answers. [`fn@serve`] runs it behind the HTTP API.
//!
//! Parts: [`request`] and [`caller`] (from the event and the authorizer), [`answer`] and [`problem`] (to the caller; the
//! table of all problems is [`problem::Code`]), [`once`] (commit, retry after a conflict, `Idempotency-Key`), [`paging`]
//! (limit and signed cursor), [`views`] (the JSON of each noun), [`lookup`] (rows that several functions load).

pub mod announce;
pub mod answer;
pub mod app;
pub mod caller;
pub mod idempotency;
pub mod lookup;
pub mod paging;
pub mod problem;
pub mod refusals;
pub mod request;
pub mod serve;
pub mod views;

pub use answer::Answer;
pub use app::App;
pub use caller::{Caller, ClientCaller};
pub use idempotency::{Decision, IdempotencyKey};
pub use problem::{Code, Problem};
pub use request::Request;
pub use serve::serve;

/// What the HTTP API hands to a function.
pub use lambda_http::Request as Event;

/// What ends a function that cannot start.
pub use lambda_http::Error;
