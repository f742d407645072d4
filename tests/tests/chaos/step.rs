//! The steps of a history. Steps refer to things by number, never by id, so that a seed determines them.

use tandem_testing::Fault;

use crate::endpoints::Manner;

/// One step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// A caller repeats a call with its `Idempotency-Key` until it gets an answer.
    Call(Call, Trouble),
    /// The first call pauses before one of its table requests; meanwhile the second runs to completion.
    Meanwhile {
        first: Call,
        at: usize,
        second: Call,
    },
    /// A call pauses before one of its table requests; meanwhile its caller repeats it with the same key.
    Overtake { call: Call, at: usize },
    /// An earlier call is repeated with the same key.
    Again(usize),
    /// The stream delivers new rows.
    Relay(Relayed),
    /// The sweep runs.
    Sweep,
    /// A worker receives a message.
    Work {
        pick: usize,
        trouble: Option<(usize, Fault)>,
        /// The message is delivered again although it was handled.
        keep: bool,
    },
    /// Workers receive many messages in sequence.
    WorkOff(usize),
    /// A message is lost.
    Lose(usize),
    /// An endpoint changes its behaviour.
    Receiver(usize, Manner),
    /// The queues start or stop rejecting messages.
    BreakQueues(bool),
    /// The mail service rejects the next mails.
    RefuseMails(u32),
    /// Seconds pass.
    Wait(i64),
}

/// The fault of a call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Trouble {
    /// Nothing.
    None,
    /// A table request fails; the caller repeats the call.
    Repeated(usize, Fault),
    /// A table request fails and the caller gives up, so the effect is unknown.
    GivenUp(usize, Fault),
    /// The caller sends the call twice in sequence.
    Twice,
}

/// The fate of rows in the table's stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Relayed {
    /// Delivered.
    All,
    /// Delivered twice.
    Twice,
    /// Delivered in reverse.
    Reversed,
    /// Lost.
    None,
}

/// The money of a reversal, and whether the subscription ends.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Part {
    /// All that is left, if absent.
    pub(crate) amount: Option<i64>,
    /// As the route does by default, if absent.
    pub(crate) ends: Option<bool>,
}

/// The end of a cancellation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum End {
    Now,
    OfPeriod,
    /// Seconds from now; within the history, so that reversals meet subscriptions that have ended.
    In(i64),
}

/// A call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Call {
    /// Buys a cart, with or without its optional positions.
    Purchase {
        cart: usize,
        customer: usize,
        optional: bool,
    },
    /// Refunds or charges back an order or a position.
    Reverse {
        order: usize,
        position: Option<u8>,
        charge_back: bool,
        part: Part,
    },
    /// Reverses a paid period of an order's subscription.
    ReversePeriod {
        order: usize,
        position: usize,
        period: u32,
        charge_back: bool,
        part: Part,
    },
    /// Pays another period of an order's subscription, or a reversed one again.
    Pay {
        order: usize,
        position: usize,
        period: Option<u32>,
        amount: Option<i64>,
    },
    /// Cancels an order's subscription, or moves its end.
    Cancel {
        order: usize,
        position: usize,
        end: End,
    },
    /// Undoes the cancellation of an order's subscription.
    Undo { order: usize, position: usize },
    /// The source redeems an order's voucher or an unknown code.
    Redeem {
        order: usize,
        customer: usize,
        wrong: bool,
    },
    /// One side changes a connection's status.
    Move {
        link: usize,
        verb: &'static str,
        by_source: bool,
    },
    /// The source edits offer access or the callback URL.
    Access { link: usize, on: bool },
    /// A new URL.
    Address { link: usize, version: usize },
    /// Client 3 invites.
    Invite { target: usize },
    /// Edits an offer's price.
    Price { offer: usize, amount: u32 },
    /// Proposes terms of a shared offer to all its targets, or to the last one only.
    Propose {
        offer: usize,
        amount: u32,
        share: u32,
        alone: bool,
        until_hours: Option<i64>,
    },
    /// A target accepts the proposed terms, or names the version before them.
    AcceptTerms {
        offer: usize,
        target: usize,
        outdated: bool,
    },
    /// Creates an own offer.
    Offer { client: usize },
    /// Client 2 creates a cart of an own and a shared offer.
    Cart { shared: usize },
    /// Archives a cart.
    Archive { cart: usize },
    /// Client 2 imports items: external id, quantity, and whether an end is set.
    Import(Vec<(usize, u32, bool)>),
    /// Replays a callback of an order.
    Replay { order: usize },
    /// Replays all waiting callbacks.
    ReplayAll { client: usize },
    /// Client 2 changes the URL of its event endpoint.
    EventEndpoint { version: usize },
    /// Creates a customer who may already exist.
    Customer { client: usize, number: usize },
    /// Erases a customer.
    Erase { client: usize, customer: usize },
    /// A client, possibly the wrong one, marks a payout row as paid.
    MarkPaid { client: usize, order: usize },
    /// A client reads its lists.
    Look { client: usize, list: &'static str },
    /// A client reads possibly foreign data.
    Snoop {
        client: usize,
        order: usize,
        list: &'static str,
    },
}
