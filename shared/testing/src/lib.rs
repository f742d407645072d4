//! The foundations of the tests: a real DynamoDB client for a table of their own, requests as Lambda receives them, and the
//! template and the documents in parsed form.
//!
//! - [`TestTable`]: the table of `data.yaml` in an in-process DynamoDB, new for each test, with a count of the round
//!   trips; behind a server for fidelity, or without one for tests that make many calls.
//! - [`Faults`]: faults below the SDK: calls lost before or after their effect, and DynamoDB's throttling.
//! - [`FakeService`]: SQS and SES behind the SDK.
//! - [`QueueRecorder`], [`DeadLetterRecorder`], [`MailRecorder`], [`FakeSecret`]: in-memory transports that replace the SDK.
//! - [`HttpCall`]: builds a request in the same way as the HTTP API.
//! - [`template`]: the parsed `template.yaml` and `data.yaml`.
//! - [`Openapi`]: validates requests and answers against `docs/openapi.yaml`.
//!
//! For tests only: a failed preparation panics.
//!
//! Not covered: indexes that lag behind the table. The in-process DynamoDB never throttles and answers no `TransactionConflict` by
//! itself; [`Faults`] does.

mod calls;
mod fake_services;
mod faults;
mod http_call;
mod in_process;
mod openapi;
mod recorders;
mod refusals;
mod table;
mod template;

pub use calls::{Capacity, ReadKey};
pub use fake_services::FakeService;
pub use faults::{Fault, Faults, Lost};
pub use http_call::{HttpCall, REQUEST};
pub use openapi::Openapi;
pub use recorders::{DeadLetterRecorder, FakeSecret, MailRecorder, QueueRecorder, RecordedMail};
pub use table::{RowSize, Snapshot, TestTable, retries};
pub use template::{binary, template};
