//! Compares a run with faults to a run without.

use std::collections::BTreeSet;

use serde_json::Value;
use tandem_testing::Fault;

/// The observations of one run.
#[derive(Debug)]
pub(crate) struct Seen {
    /// The calls of the first invocation.
    pub(crate) calls: Vec<String>,
    /// The answer of the first invocation; `None` if it failed or died.
    pub(crate) at_first: Option<String>,
    /// The final answer.
    pub(crate) answer: String,
    /// All rows after a call got its answer; retries take no time, so even the times are equal.
    pub(crate) rows_at_once: Vec<String>,
    /// All rows after all work finished.
    pub(crate) rows: Vec<String>,
    /// Messages sent to queues.
    pub(crate) messages: BTreeSet<String>,
    /// Mails accepted by SES, in order.
    pub(crate) mails: Vec<Value>,
    /// Callbacks received, by `webhook-id`.
    pub(crate) callbacks: Vec<String>,
    /// Recorded attempts.
    pub(crate) recorded: usize,
    /// Attempts logged as interrupted.
    pub(crate) cut_off: usize,
    /// Mails and callbacks that the first invocation sent without recording them.
    pub(crate) unrecorded: (usize, usize),
    /// Callbacks possibly in flight when the worker died: the exchange continues while the worker records that the receiver is
    /// slow.
    pub(crate) on_the_way: usize,
}

pub(crate) fn judge(case: &str, clean: &Seen, tried: &Seen, fault: Fault) {
    // The SDK retries a single failure, unnoticed by the caller.
    if let Fault::Try(_) | Fault::Cancelled(_) = fault {
        assert_eq!(tried.at_first, clean.at_first, "{case}: first answer");
    }
    assert_eq!(tried.answer, clean.answer, "{case}: answer");
    same(case, "rows", &clean.rows, &tried.rows);
    same(
        case,
        "rows after the call",
        &clean.rows_at_once,
        &tried.rows_at_once,
    );
    // Exactly one of each, plus one for each that was sent without a record.
    let (mails, callbacks) = tried.unrecorded;
    let sent = |mails: &[Value]| {
        mails
            .iter()
            .map(Value::to_string)
            .collect::<BTreeSet<_>>()
            .len()
    };
    assert_eq!(
        tried.mails.len(),
        clean.mails.len() + mails,
        "{case}: mails"
    );
    assert_eq!(
        sent(&tried.mails),
        sent(&clean.mails),
        "{case}: different mails"
    );
    let unrecorded = tried.callbacks.len() - tried.recorded;
    assert!(
        (callbacks..=callbacks + tried.on_the_way).contains(&unrecorded),
        "{case}: {unrecorded} callbacks, not {callbacks}"
    );
    // An interrupted attempt is made again, unless all attempts of the callback fail: then it counts as one of them.
    let all = |seen: &Seen| seen.recorded + seen.cut_off;
    assert!(
        tried.recorded == clean.recorded || all(tried) == all(clean),
        "{case}: attempts"
    );
    assert!(
        tried.cut_off <= clean.cut_off + 1,
        "{case}: attempts cut off"
    );
    let ids = |seen: &Seen| seen.callbacks.iter().collect::<BTreeSet<_>>().len();
    // A callback's last attempt may have been interrupted before it was sent.
    let not_sent = tried.recorded < clean.recorded && unrecorded == 0;
    assert!(
        ids(tried) == ids(clean) || not_sent,
        "{case}: different webhook-ids"
    );
    messages_are_sent(case, clean, tried);
}

/// Messages of relay and sweep must arrive; a later attempt's message may be lost, since the sweep sends it again.
fn messages_are_sent(case: &str, clean: &Seen, tried: &Seen) {
    if case.starts_with("deliver-callbacks") {
        assert!(
            tried.messages.is_subset(&clean.messages),
            "{case}: messages"
        );
    } else {
        assert_eq!(tried.messages, clean.messages, "{case}: messages");
    }
}

#[track_caller]
fn same(case: &str, subject: &str, clean: &[String], tried: &[String]) {
    if clean != tried {
        let only = |in_this: &[String], not: &[String]| -> String {
            in_this
                .iter()
                .filter(|row| !not.contains(row))
                .map(|row| format!("  {row}\n"))
                .collect()
        };
        panic!(
            "{case}: {subject}\nwithout a fault:\n{}with it:\n{}",
            only(clean, tried),
            only(tried, clean)
        );
    }
}
