//! Calls with their faults, their repeats, and the calls that overtake them.

use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::SignedDuration;
use tandem_testing::Fault;
use tandem_tests::Answer;

use crate::requests::Request;
use crate::run::{Made, Outcome, Run};
use crate::step::{Call, Trouble};

/// The guaranteed lifetime of an `Idempotency-Key`.
const KEY_IS_KNOWN: SignedDuration = SignedDuration::from_hours(72);
/// Attempts of a caller until it gets an answer.
const MAX_TRIES: usize = 4;

impl Run<'_> {
    pub(crate) async fn call(&mut self, call: &Call, trouble: Trouble) {
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
            for _ in 1..MAX_TRIES {
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
        let (key, at) = (format!("call {number}"), self.stage.clock.now());
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
        let stage = Arc::clone(&self.stage);
        stage.table.reset_calls();
        match fault {
            Some((call, fault)) => stage.table.faults.plan(call, fault),
            None => stage.table.faults.clear(),
        }
        let answer = tokio::select! {
            biased;
            () = stage.table.faults.died() => None,
            answer = self.send(&request, &key) => Some(answer),
        };
        stage.table.faults.clear();
        self.record_reads(&request, answer.as_ref());
        answer
    }

    /// A sent request, which makes no progress until it is polled.
    pub(crate) fn send(&self, request: &Request, key: &str) -> BoxFuture<'static, Answer> {
        let caller = self.world.clients[request.client]
            .api
            .on(self.stage.clone());
        let mut call = caller.call(request.method.clone(), &request.target);
        if let Some(body) = &request.body {
            call = call.json(body);
        }
        if !request.is_read() {
            call = call.idempotency_key(key);
        }
        call.send().boxed()
    }

    pub(crate) async fn meanwhile(&mut self, first: &Call, at: usize, second: &Call) {
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

    pub(crate) async fn overtake(&mut self, call: &Call, at: usize) {
        let Some(request) = self.request(call).await else {
            return;
        };
        let looks = request.is_read();
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
        let stage = Arc::clone(&self.stage);
        let (one, other) = (self.made[one].clone(), self.made[other].clone());
        stage.table.reset_calls();
        stage.table.faults.plan(at, Fault::HeldUp);
        let mut held_up = self.send(&one.request, &one.key);
        let early = tokio::select! {
            biased;
            () = stage.table.faults.died() => None,
            answer = &mut held_up => Some(answer),
        };
        self.record_reads(&one.request, early.as_ref());
        stage.table.reset_calls();
        if early.is_some() {
            // The first call made fewer requests; the second must not be paused instead.
            stage.table.faults.clear();
        }
        let others = self.send(&other.request, &other.key).await;
        self.record_reads(&other.request, Some(&others));
        stage.table.reset_calls();
        let answer = match early {
            Some(answer) => answer,
            None => {
                stage.table.faults.resume();
                held_up.await
            }
        };
        stage.table.faults.clear();
        self.record_reads(&one.request, Some(&answer));
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
        let (made, now) = (self.made[which].clone(), self.stage.clock.now());
        if made.request.is_read() || now.duration_since(made.at) >= KEY_IS_KNOWN {
            return;
        }
        let Some(answer) = self.attempt(which, None).await else {
            return;
        };
        match &made.outcome {
            Outcome::Answered(first) if first.status < 300 => {
                let same = answer.is_repeated()
                    && answer.status == first.status
                    && answer.text == first.text;
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
}
