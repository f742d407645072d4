//! Draws a history from a seed. The whole history is drawn before its first step runs, so outcomes cannot change it.

mod sequences;

use fastrand::Rng;
use tandem_testing::{Fault, Lost};

use crate::endpoints::Manner;
use crate::step::{Call, End, Part, Relayed, Step, Trouble};

use sequences::{changed_terms, overtaking_imports, returned_debit, undone_cancellation};

/// Fewest and most steps of a history.
const LENGTH: std::ops::Range<usize> = 14..30;

/// Draws the history of a seed.
pub(crate) fn history(seed: u64) -> Vec<Step> {
    let mut rng = Rng::with_seed(seed);
    let mut steps = vec![purchase(&mut rng)];
    for endpoint in 0..4 {
        if rng.bool() {
            steps.push(Step::Receiver(endpoint, manner(&mut rng)));
        }
    }
    for _ in 0..rng.usize(LENGTH) {
        match rng.u8(0..60) {
            0 => steps.extend(overtaking_imports(&mut rng)),
            1 | 2 => steps.extend(returned_debit(&mut rng)),
            3 => steps.extend(undone_cancellation(&mut rng)),
            4 | 5 => steps.extend(changed_terms(&mut rng)),
            _ => steps.push(step(&mut rng)),
        }
    }
    steps
}

fn step(rng: &mut Rng) -> Step {
    match rng.u32(0..100) {
        0..36 => {
            let call = call(rng);
            Step::Call(call, trouble(rng))
        }
        36..43 => meanwhile(rng),
        43..46 => {
            let call = call(rng);
            Step::Overtake {
                call,
                at: rng.usize(0..4),
            }
        }
        46..50 => Step::Again(rng.usize(0..64)),
        50..63 => Step::Relay(one_of(
            rng,
            &[
                Relayed::All,
                Relayed::All,
                Relayed::Twice,
                Relayed::Reversed,
                Relayed::None,
            ],
        )),
        63..64 => Step::Sweep,
        64..77 => Step::Work {
            pick: rng.usize(0..64),
            trouble: worker_trouble(rng),
            keep: rng.u8(0..4) == 0,
        },
        77..86 => Step::WorkOff(rng.usize(1..8)),
        86..88 => Step::Lose(rng.usize(0..64)),
        88..92 => Step::Receiver(rng.usize(0..4), manner(rng)),
        92..93 => Step::BreakQueues(rng.bool()),
        93..94 => Step::RefuseMails(rng.u32(1..4)),
        _ => Step::Wait(seconds(rng)),
    }
}

/// The amount of a payment, mostly that of the terms.
fn amount(rng: &mut Rng) -> Option<i64> {
    (rng.u8(0..3) == 0).then(|| rng.i64(0..3_000))
}

fn part(rng: &mut Rng) -> Part {
    Part {
        amount: rng.bool().then(|| rng.i64(1..900)),
        ends: rng.bool().then(|| rng.bool()),
    }
}

fn end(rng: &mut Rng) -> End {
    match rng.u8(0..4) {
        0 => End::Now,
        1 => End::OfPeriod,
        2 => End::In(20),
        _ => End::In(rng.i64(86_400..90 * 86_400)),
    }
}

fn import(rng: &mut Rng) -> Call {
    let items = rng.usize(1..4);
    Call::Import(
        (0..items)
            .map(|_| (rng.usize(0..3), rng.u32(1..9), rng.bool()))
            .collect(),
    )
}

fn purchase(rng: &mut Rng) -> Step {
    Step::Call(
        Call::Purchase {
            cart: rng.usize(0..4),
            customer: rng.usize(0..3),
            optional: rng.bool(),
        },
        Trouble::None,
    )
}

fn call(rng: &mut Rng) -> Call {
    let order = rng.usize(0..16);
    match rng.u32(0..100) {
        0..26 => Call::Purchase {
            cart: rng.usize(0..4),
            customer: rng.usize(0..3),
            optional: rng.bool(),
        },
        26..33 => Call::Redeem {
            order,
            customer: rng.usize(0..3),
            wrong: rng.u8(0..6) == 0,
        },
        33..36 => terms(rng),
        36..51 => after_sale(order, rng),
        51..62 => {
            let verb = one_of(
                rng,
                &[
                    "accept",
                    "decline",
                    "withdraw",
                    "resend-invitation",
                    "block",
                    "block",
                    "block",
                    "unblock",
                    "unblock",
                    "unblock",
                ],
            );
            Call::Move {
                link: rng.usize(0..6),
                verb,
                by_source: rng.bool(),
            }
        }
        62..64 => Call::Access {
            link: rng.usize(0..4),
            on: rng.bool(),
        },
        64..65 => Call::Address {
            link: rng.usize(0..4),
            version: rng.usize(1..4),
        },
        65..68 => Call::Invite {
            target: one_of(rng, &[0, 2]),
        },
        68..70 => terms(rng),
        70..77 => import(rng),
        77..78 => Call::Offer {
            client: rng.usize(0..4),
        },
        78..79 => match rng.u8(0..4) {
            0 => Call::Archive {
                cart: rng.usize(0..4),
            },
            _ => Call::Cart {
                shared: rng.usize(0..2),
            },
        },
        79..82 => Call::Replay { order },
        82..84 => Call::ReplayAll {
            client: rng.usize(0..3),
        },
        84..85 => Call::EventEndpoint {
            version: rng.usize(1..4),
        },
        85..87 => Call::Customer {
            client: rng.usize(0..4),
            number: rng.usize(0..3),
        },
        87..89 => Call::Erase {
            client: rng.usize(0..4),
            customer: rng.usize(0..3),
        },
        89..92 => Call::MarkPaid {
            client: rng.usize(0..4),
            order,
        },
        92..95 => {
            let list = one_of(
                rng,
                &[
                    "payouts",
                    "payouts/statement",
                    "orders",
                    "subscriptions",
                    "callbacks",
                    "connections",
                ],
            );
            Call::Look {
                client: rng.usize(0..4),
                list,
            }
        }
        _ => {
            let list = one_of(
                rng,
                &[
                    "orders",
                    "subscriptions",
                    "payouts",
                    "callbacks",
                    "customers",
                    "connections",
                ],
            );
            Call::Snoop {
                client: rng.usize(0..4),
                order,
                list,
            }
        }
    }
}

fn after_sale(order: usize, rng: &mut Rng) -> Call {
    let position = rng.usize(0..3);
    match rng.u8(0..15) {
        0..4 => {
            let positions = rng.bool().then(|| rng.u8(1..4));
            Call::Reverse {
                order,
                position: positions,
                charge_back: rng.bool(),
                part: if rng.bool() {
                    Part::default()
                } else {
                    part(rng)
                },
            }
        }
        4..7 => Call::ReversePeriod {
            order,
            position,
            period: rng.u32(1..4),
            charge_back: rng.bool(),
            part: part(rng),
        },
        7..12 => Call::Pay {
            order,
            position,
            period: rng.bool().then(|| rng.u32(1..4)),
            amount: amount(rng),
        },
        12..14 => Call::Cancel {
            order,
            position,
            end: end(rng),
        },
        _ => Call::Undo { order, position },
    }
}

/// Two calls about one subscription: reversals, payments, cancellations and their undoing.
fn two_after_one_sale(rng: &mut Rng) -> (Call, Call) {
    let order = rng.usize(0..16);
    let of_first = |call: Call| match call {
        Call::ReversePeriod {
            charge_back, part, ..
        } => Call::ReversePeriod {
            order,
            position: 1,
            period: 1,
            charge_back,
            part,
        },
        Call::Pay { amount, .. } => Call::Pay {
            order,
            position: 1,
            period: Some(1),
            amount,
        },
        Call::Cancel { end, .. } => Call::Cancel {
            order,
            position: 1,
            end,
        },
        Call::Undo { .. } => Call::Undo { order, position: 1 },
        other => other,
    };
    let (first, second) = (after_sale(order, rng), after_sale(order, rng));
    (of_first(first), of_first(second))
}

/// A change of an offer's price or terms, or its acceptance.
fn terms(rng: &mut Rng) -> Call {
    match rng.u8(0..8) {
        0 => Call::Price {
            offer: rng.usize(0..6),
            amount: rng.u32(1..3_000),
        },
        1..4 => Call::Propose {
            offer: rng.usize(0..3),
            amount: one_of(rng, &[999, 999, 1_250]),
            share: one_of(rng, &[1_500, 2_000, 3_000]),
            alone: rng.bool(),
            until_hours: rng.bool().then(|| rng.i64(1..240)),
        },
        _ => Call::AcceptTerms {
            offer: rng.usize(0..3),
            target: rng.usize(0..2),
            outdated: rng.u8(0..5) == 0,
        },
    }
}

/// Two calls, where one overtakes the other; in half of the draws at most one of the two may succeed.
fn meanwhile(rng: &mut Rng) -> Step {
    let (order, link) = (rng.usize(0..16), rng.usize(0..4));
    let purchase = Call::Purchase {
        cart: rng.usize(0..4),
        customer: rng.usize(0..3),
        optional: rng.bool(),
    };
    let (first, second) = match rng.u32(0..12) {
        11 => (purchase, terms(rng)),
        9 | 10 => two_after_one_sale(rng),
        0 => (
            Call::Redeem {
                order,
                customer: 0,
                wrong: false,
            },
            Call::Redeem {
                order,
                customer: rng.usize(0..3),
                wrong: false,
            },
        ),
        1 => (
            Call::Move {
                link: 3,
                verb: "accept",
                by_source: false,
            },
            Call::Move {
                link: 3,
                verb: "withdraw",
                by_source: true,
            },
        ),
        2 => (
            purchase,
            Call::Move {
                link,
                verb: "block",
                by_source: rng.bool(),
            },
        ),
        3 => (
            Call::Reverse {
                order,
                position: None,
                charge_back: rng.bool(),
                part: Part::default(),
            },
            Call::Pay {
                order,
                position: 1,
                period: None,
                amount: None,
            },
        ),
        4 => (
            Call::Reverse {
                order,
                position: None,
                charge_back: false,
                part: Part::default(),
            },
            Call::Redeem {
                order,
                customer: rng.usize(0..3),
                wrong: false,
            },
        ),
        5 => (
            purchase,
            Call::Erase {
                client: one_of(rng, &[0, 2]),
                customer: rng.usize(0..3),
            },
        ),
        6 => {
            let [first, second] = [true, false].map(|by_source| Call::Move {
                link,
                verb: one_of(rng, &["block", "unblock"]),
                by_source,
            });
            (first, second)
        }
        _ => (call(rng), call(rng)),
    };
    Step::Meanwhile {
        first,
        at: rng.usize(0..4),
        second,
    }
}

fn trouble(rng: &mut Rng) -> Trouble {
    let (at, fault) = (rng.usize(0..5), fault(rng));
    match rng.u32(0..100) {
        0..20 => Trouble::Repeated(at, fault),
        20..28 => Trouble::GivenUp(at, fault),
        28..36 => Trouble::Twice,
        _ => Trouble::None,
    }
}

fn worker_trouble(rng: &mut Rng) -> Option<(usize, Fault)> {
    // Most faults hit the lease and the record.
    let trouble = (one_of(rng, &[0, 1, 2, 2, 3, 3, 3, 4, 5]), fault(rng));
    rng.bool().then_some(trouble)
}

fn fault(rng: &mut Rng) -> Fault {
    // Dead processes and lost answers cause the most trouble, so they are drawn most often.
    const MORE: [Fault; 3] = [
        Fault::Death(Lost::Answer),
        Fault::Death(Lost::Request),
        Fault::Outage(Lost::Answer),
    ];
    match rng.u32(0..10) {
        0..5 => one_of(rng, &MORE),
        5..9 => one_of(rng, &Fault::ALL),
        _ => one_of(rng, &Fault::THROTTLING),
    }
}

fn manner(rng: &mut Rng) -> Manner {
    match rng.u32(0..40) {
        0..12 => Manner::Takes,
        12..18 => Manner::Fails,
        18..23 => Manner::Busy,
        23..28 => Manner::Gone,
        28..34 => Manner::Cuts,
        34..35 => Manner::Silent,
        _ => Manner::Flaky,
    }
}

/// Seconds to days.
fn seconds(rng: &mut Rng) -> i64 {
    match rng.u32(0..10) {
        0..4 => rng.i64(1..120),
        4..7 => rng.i64(120..7_200),
        7..9 => rng.i64(7_200..86_400),
        _ => rng.i64(86_400..6 * 86_400),
    }
}

fn one_of<T: Copy>(rng: &mut Rng, of: &[T]) -> T {
    of[rng.usize(0..of.len())]
}
