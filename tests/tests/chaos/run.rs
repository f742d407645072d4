//! A running history: its steps, and the record of calls and reads for [`crate::judge`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tandem_queue::Message;
use tandem_testing::ReadKey;
use tandem_tests::{Answer, InProcess};

use crate::requests::Request;
use crate::step::{Call, Step};
use crate::world::{Link, World};

/// The caller's knowledge about a call.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// Answered; the last answer of repeated calls.
    Answered(Answer),
    /// Abandoned without an answer.
    Unknown,
}

/// A call of the history.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    pub(crate) call: Call,
    pub(crate) request: Request,
    pub(crate) key: String,
    /// Time of the first call or, if that was refused, of the last repeat.
    pub(crate) at: Timestamp,
    pub(crate) outcome: Outcome,
}

impl Made {
    /// The body of a 2xx.
    pub(crate) fn done(&self) -> Option<&Value> {
        match &self.outcome {
            Outcome::Answered(answer) if answer.status < 300 => Some(&answer.body),
            _ => None,
        }
    }

    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self.outcome, Outcome::Unknown)
    }
}

/// The reader of a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reader {
    /// A client's call, and whether its answer was a success.
    Client { client: usize, is_success: bool },
    /// A worker, with the tenant of its message.
    Worker { tenant: String },
}

/// A running history.
pub(crate) struct Run<'a> {
    pub(crate) world: &'a World,
    pub(crate) stage: Arc<InProcess>,
    /// Queued messages with their receive counts.
    pub(crate) queue: Vec<(Message, u32)>,
    /// Rows seen by the stream, with their versions.
    pub(crate) streamed: BTreeMap<(String, String), u64>,
    pub(crate) made: Vec<Made>,
    /// All attempted purchases.
    pub(crate) purchases: usize,
    pub(crate) reads: BTreeSet<(Reader, ReadKey)>,
    /// Voucher codes by order.
    pub(crate) codes: BTreeMap<String, String>,
    /// The clients' final statements.
    pub(crate) statements: Vec<Value>,
    /// The subscriptions that each client finds by `linked=false` at the end.
    pub(crate) unlinked: Vec<Vec<Value>>,
    /// Violations found so far.
    pub(crate) wrong: Vec<String>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(world: &'a World) -> Self {
        let stage = Arc::new(world.open());
        Self {
            world,
            stage,
            queue: Vec::new(),
            streamed: BTreeMap::new(),
            made: Vec::new(),
            purchases: 0,
            reads: BTreeSet::new(),
            codes: BTreeMap::new(),
            statements: Vec::new(),
            unlinked: Vec::new(),
            wrong: Vec::new(),
        }
    }

    /// Runs one step.
    pub(crate) async fn step(&mut self, step: &Step) {
        // Ids sort by time: rows of one step sort before rows of the next.
        self.stage.clock.advance(SignedDuration::from_millis(7));
        match step {
            Step::Call(call, trouble) => self.call(call, *trouble).await,
            Step::Meanwhile { first, at, second } => self.meanwhile(first, *at, second).await,
            Step::Overtake { call, at } => self.overtake(call, *at).await,
            Step::Again(which) => self.again(*which).await,
            Step::Relay(how) => self.relay(*how).await,
            Step::Sweep => self.sweep().await,
            Step::Work {
                pick,
                trouble,
                keep,
            } => self.work(*pick, *trouble, *keep).await,
            Step::WorkOff(most) => self.work_off(*most).await,
            Step::Lose(pick) => self.lose(*pick),
            Step::Receiver(endpoint, manner) => self.world.endpoints.answers(*endpoint, *manner),
            Step::BreakQueues(broken) => self.stage.break_queues(*broken),
            Step::RefuseMails(times) => self.stage.reject_mails(*times),
            Step::Wait(seconds) => self.stage.advance(*seconds),
        }
    }

    /// Orders known to callers, with their sellers.
    pub(crate) fn orders(&self) -> Vec<(usize, Value)> {
        let orders = self
            .made
            .iter()
            .filter(|made| matches!(made.call, Call::Purchase { .. }));
        orders
            .filter_map(|made| Some((made.request.client, made.done()?.clone())))
            .collect()
    }

    /// Connections known to callers.
    pub(crate) fn links(&self) -> Vec<Link> {
        let mut links = self.world.links.clone();
        for made in &self.made {
            if let (Call::Invite { target }, Some(invited)) = (&made.call, made.done()) {
                let id = invited["id"].as_str().unwrap_or_default().to_owned();
                if !links.iter().any(|link| link.id == id) {
                    links.push(Link {
                        id,
                        source: made.request.client,
                        target: *target,
                        endpoint: Some(3),
                    });
                }
            }
        }
        links
    }

    /// Records the rows that a call read, and checks a read of possibly foreign data.
    pub(crate) fn record_reads(&mut self, request: &Request, answer: Option<&Answer>) {
        let is_success = answer.is_some_and(|answer| answer.status < 300);
        let reader = Reader::Client {
            client: request.client,
            is_success,
        };
        self.reads.extend(
            self.stage
                .table
                .reads()
                .into_iter()
                .map(|key| (reader.clone(), key)),
        );
        if let (Some(found), Some(answer)) = (request.is_theirs, answer)
            && answer.status < 500
            && (answer.status == 200) != found
        {
            self.wrong.push(format!(
                "client {} requests {}: {}",
                request.client, request.target, answer.text
            ));
        }
    }

    /// Reads from the API as a client.
    pub(crate) async fn look_up(&mut self, client: usize, path: &str) -> Value {
        let request = Request::get(client, path);
        let stage = Arc::clone(&self.stage);
        stage.table.faults.clear();
        stage.table.reset_calls();
        let answer = self.send(&request, "").await;
        self.record_reads(&request, Some(&answer));
        answer.body
    }
}
