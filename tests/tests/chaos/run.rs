//! Plays a history: calls with their faults and repeats. Records the outcomes for [`crate::judge`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tandem_queue::Message;
use tandem_store::keys;
use tandem_testing::{Fault, ReadKey};
use tandem_tests::handlers::{Answer, House};

use crate::requests::Request;
use crate::step::{Call, Step, Trouble};
use crate::world::{Link, World};

/// The guaranteed lifetime of an `Idempotency-Key`.
const KEY_IS_KNOWN: SignedDuration = SignedDuration::from_hours(72);
/// Attempts of a caller until it gets an answer.
const MOST_TRIES: usize = 4;

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
    Client { client: usize, is_told: bool },
    /// A worker, with the tenant of its message.
    Worker { tenant: String },
}

/// A running history.
pub(crate) struct Run<'a> {
    pub(crate) world: &'a World,
    pub(crate) house: Arc<House>,
    pub(crate) relay: relay_outbox::Relay,
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
    /// Violations found so far.
    pub(crate) wrong: Vec<String>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(world: &'a World) -> Self {
        let house = Arc::new(world.open());
        let relay = relay_outbox::Relay::new(house.queues.clone());
        Self {
            world,
            house,
            relay,
            queue: Vec::new(),
            streamed: BTreeMap::new(),
            made: Vec::new(),
            purchases: 0,
            reads: BTreeSet::new(),
            codes: BTreeMap::new(),
            statements: Vec::new(),
            wrong: Vec::new(),
        }
    }

    /// Runs one step.
    pub(crate) async fn step(&mut self, step: &Step) {
        // Ids sort by time: rows of one step sort before rows of the next.
        self.house.clock.advance(SignedDuration::from_millis(7));
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
            Step::Receiver(endpoint, manner) => self.world.receiver.answers(*endpoint, *manner),
            Step::BreakQueues(broken) => self.house.break_queues(*broken),
            Step::RefuseMails(times) => self.house.reject_mails(*times),
            Step::Wait(seconds) => self.house.advance(*seconds),
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

    async fn call(&mut self, call: &Call, trouble: Trouble) {
        let Some(request) = self.request(call).await else {
            return;
        };
        let before = self.unsold(call).await;
        let made = self.begin(call, request);
        let mut answer = match trouble {
            Trouble::Repeated(at, fault) | Trouble::GivenUp(at, fault) => {
                self.attempt(made, Some((at, fault))).await
            }
            Trouble::None | Trouble::Twice => self.attempt(made, None).await,
        };
        if !matches!(trouble, Trouble::GivenUp(..)) {
            for _ in 1..MOST_TRIES {
                if answer.as_ref().is_some_and(|answer| answer.status < 500) {
                    break;
                }
                answer = self.attempt(made, None).await;
            }
            if answer.as_ref().is_none_or(|answer| answer.status >= 500) {
                self.wrong.push(format!(
                    "{call:?} is not answered, with nothing in its way: {answer:?}"
                ));
            }
        }
        let answer = answer.filter(|answer| answer.status < 500);
        self.not_sold_by_blocked(call, before, answer.as_ref())
            .await;
        self.made[made].outcome = answer.map_or(Outcome::Unknown, Outcome::Answered);
        if trouble == Trouble::Twice {
            self.again(made).await;
        }
    }

    /// Records a call; returns its number.
    fn begin(&mut self, call: &Call, request: Request) -> usize {
        let number = self.made.len();
        let (key, at) = (format!("call {number}"), self.house.clock.now());
        self.made.push(Made {
            call: call.clone(),
            request,
            key,
            at,
            outcome: Outcome::Unknown,
        });
        number
    }

    /// One attempt of a call; `None` if the process dies.
    async fn attempt(&mut self, made: usize, fault: Option<(usize, Fault)>) -> Option<Answer> {
        let (request, key) = (self.made[made].request.clone(), self.made[made].key.clone());
        let house = Arc::clone(&self.house);
        house.table.reset_calls();
        match fault {
            Some((call, fault)) => house.table.faults.plan(call, fault),
            None => house.table.faults.clear(),
        }
        let answer = tokio::select! {
            biased;
            () = house.table.faults.died() => None,
            answer = self.send(&house, &request, &key) => Some(answer),
        };
        house.table.faults.clear();
        self.note(&request, answer.as_ref());
        answer
    }

    /// Sends a request. Boxed, because the combined future of all functions is too large for the stack.
    fn send<'f>(
        &self,
        house: &'f House,
        request: &'f Request,
        key: &'f str,
    ) -> std::pin::Pin<Box<dyn Future<Output = Answer> + 'f>> {
        let who = &self.world.clients[request.client].who;
        let who = who.clone();
        Box::pin(async move {
            let headers: &[(&str, &str)] = if request.target.starts_with("GET ") {
                &[]
            } else {
                &[("idempotency-key", key)]
            };
            house
                .call_with(&who, &request.target, request.body.clone(), headers)
                .await
        })
    }

    /// Records the rows that a call read.
    pub(crate) fn note(&mut self, request: &Request, answer: Option<&Answer>) {
        let is_told = answer.is_some_and(|answer| answer.status < 300);
        let reader = Reader::Client {
            client: request.client,
            is_told,
        };
        self.reads.extend(
            self.house
                .table
                .reads()
                .into_iter()
                .map(|asked| (reader.clone(), asked)),
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
        let house = Arc::clone(&self.house);
        house.table.faults.clear();
        house.table.reset_calls();
        let answer = self.send(&house, &request, "").await;
        self.note(&request, Some(&answer));
        answer.body
    }

    async fn meanwhile(&mut self, first: &Call, at: usize, second: &Call) {
        let (Some(one), Some(other)) = (self.request(first).await, self.request(second).await)
        else {
            return;
        };
        let before = self.unsold(first).await;
        let (one, other) = (self.begin(first, one), self.begin(second, other));
        let (answer, others) = self.held_up(one, at, other).await;
        self.not_sold_by_blocked(first, before, Some(&answer)).await;
        self.answered(other, others);
        self.answered(one, answer);
    }

    async fn overtake(&mut self, call: &Call, at: usize) {
        let Some(request) = self.request(call).await else {
            return;
        };
        let looks = request.target.starts_with("GET ");
        let made = self.begin(call, request);
        let (answer, again) = self.held_up(made, at, made).await;
        let done = answer.status < 300 || again.status < 300;
        if !looks && done && (answer.status, &answer.text) != (again.status, &again.text) {
            self.wrong.push(format!(
                "{call:?} at once is answered by {} and {}",
                answer.text, again.text
            ));
        }
        self.answered(made, answer);
    }

    /// Pauses a call before one of its requests, runs a second call to completion, and resumes; returns both answers.
    async fn held_up(&mut self, one: usize, at: usize, other: usize) -> (Answer, Answer) {
        let house = Arc::clone(&self.house);
        let (one, other) = (self.made[one].clone(), self.made[other].clone());
        house.table.reset_calls();
        house.table.faults.plan(at, Fault::HeldUp);
        let mut held_up = self.send(&house, &one.request, &one.key);
        let early = tokio::select! {
            biased;
            () = house.table.faults.died() => None,
            answer = &mut held_up => Some(answer),
        };
        self.note(&one.request, early.as_ref());
        house.table.reset_calls();
        if early.is_some() {
            // The first call made fewer requests; the second must not be paused instead.
            house.table.faults.clear();
        }
        let others = self.send(&house, &other.request, &other.key).await;
        self.note(&other.request, Some(&others));
        house.table.reset_calls();
        let answer = match early {
            Some(answer) => answer,
            None => {
                house.table.faults.resume();
                held_up.await
            }
        };
        house.table.faults.clear();
        self.note(&one.request, Some(&answer));
        (answer, others)
    }

    fn answered(&mut self, made: usize, answer: Answer) {
        if answer.status >= 500 {
            self.wrong.push(format!(
                "{:?} is not answered, with nothing in its way: {}",
                self.made[made].call, answer.text
            ));
        } else {
            self.made[made].outcome = Outcome::Answered(answer);
        }
    }

    /// Repeats a call while its key is valid: a completed call gets its stored answer.
    pub(crate) async fn again(&mut self, which: usize) {
        let Some(which) = which.checked_rem(self.made.len()) else {
            return;
        };
        let (made, now) = (self.made[which].clone(), self.house.clock.now());
        if made.request.target.starts_with("GET ") || now.duration_since(made.at) >= KEY_IS_KNOWN {
            return;
        }
        let Some(answer) = self.attempt(which, None).await else {
            return;
        };
        match &made.outcome {
            Outcome::Answered(first) if first.status < 300 => {
                let same =
                    answer.replayed && answer.status == first.status && answer.text == first.text;
                // Answers about an erased person are gone.
                let erased = matches!(made.call, Call::Customer { .. }) && answer.status == 404;
                if !same && !erased {
                    self.wrong.push(format!(
                        "{:?} again is answered by {} after {}",
                        made.call, answer.text, first.text
                    ));
                }
            }
            Outcome::Answered(_) => {
                self.made[which].at = now;
                self.answered(which, answer);
            }
            Outcome::Unknown => self.answered(which, answer),
        }
    }

    /// The inactive connections, through which a purchase must not sell.
    async fn unsold(&self, call: &Call) -> Vec<Link> {
        let Call::Purchase { cart, .. } = call else {
            return Vec::new();
        };
        let cart = &self.world.carts[*cart];
        let mut unsold = Vec::new();
        for link in self
            .world
            .links
            .iter()
            .filter(|link| link.target == cart.seller && cart.sources.contains(&link.source))
        {
            let id = link.id.parse().expect("an id");
            let connection = self
                .house
                .app
                .store
                .get(&keys::connection(id))
                .await
                .expect("read")
                .expect("a connection");
            if connection.state.as_str() != "active" {
                unsold.push(link.clone());
            }
        }
        unsold
    }

    /// A purchase must not sell through a connection that is blocked both before and after it.
    async fn not_sold_by_blocked(
        &mut self,
        call: &Call,
        before: Vec<Link>,
        answer: Option<&Answer>,
    ) {
        let sold = answer.is_some_and(|answer| answer.status == 201 && !answer.replayed);
        if before.is_empty() || !sold {
            return;
        }
        let after = self.unsold(call).await;
        if let Some(link) = before
            .iter()
            .find(|link| after.iter().any(|other| other.id == link.id))
        {
            self.wrong.push(format!(
                "{call:?} sells over the connection of {} to {}, which is blocked",
                link.source, link.target
            ));
        }
    }
}
