//! What Tandem's tests stand on: a real DynamoDB client in front of a table of one's own, requests as Lambda gets them, and
//! what template and documents promise.
//!
//! - [`TestTable`]: the table of `template.yaml` in an in-process DynamoDB, fresh for each test, which counts the round
//!   trips made to it; with a server for the fidelity of it, or in process for tests that make very many calls.
//! - [`Faults`]: calls of the SDK that fail, beneath the SDK, before or after they had their effect.
//! - [`StandIn`]: SQS and SES beneath the SDK.
//! - [`QueueRecorder`], [`DeadLetterRecorder`], [`MailRecorder`], [`FakeSecret`]: in-memory transports in their place.
//! - [`HttpCall`]: builds a request the way the HTTP API hands it to a function.
//! - [`template`]: `template.yaml`, read.
//! - [`Openapi`]: `docs/openapi.yaml`, to hold requests and answers against it.
//!
//! Only for tests: what cannot be prepared panics, so that the test fails where it stands.
//!
//! Not covered: throttling, time-outs and `TransactionConflict`, which the in-process DynamoDB never answers; and indexes
//! that lag behind the table.

mod calls;
mod faults;
mod http_call;
mod in_process;
mod openapi;
mod recorders;
mod stand_ins;
mod table;
mod template;

pub use calls::{Asked, Capacity};
pub use faults::{Fault, Faults, Lost};
pub use http_call::HttpCall;
pub use openapi::Openapi;
pub use recorders::{
    DeadLetterRecorder, FakeSecret, MailRecorder, QueueRecorder, RecordedMail, SentMessage,
};
pub use stand_ins::StandIn;
pub use table::{Snapshot, TestTable, retries};
pub use template::template;
