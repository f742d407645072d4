//! What happens in a history. A step names things by number, never by id, so that a seed says all of it.

use tandem_testing::Fault;

use crate::receiver::Manner;

/// One thing that happens.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// A caller calls, and repeats the call with its `Idempotency-Key` until it is answered.
    Call(Call, Trouble),
    /// The first call is held up before one of its requests to the table; meanwhile the second is made and answered.
    Meanwhile {
        first: Call,
        at: usize,
        second: Call,
    },
    /// A call is held up before one of its requests to the table; its caller repeats it with its key meanwhile.
    Overtake { call: Call, at: usize },
    /// An earlier call is repeated with its key.
    Again(usize),
    /// The stream hands on what is new.
    Relay(Relayed),
    /// The minute's sweep.
    Sweep,
    /// A worker gets a message.
    Work {
        pick: usize,
        trouble: Option<(usize, Fault)>,
        /// The message comes once more, although it was worked on.
        keep: bool,
    },
    /// Workers get many messages, one after the other.
    WorkOff(usize),
    /// A message is lost.
    Lose(usize),
    /// An endpoint answers otherwise from now on.
    Receiver(usize, Manner),
    /// The queues take nothing, or everything again.
    BreakQueues(bool),
    /// The mail service refuses the next mails.
    RefuseMails(u32),
    /// Seconds go by.
    Wait(i64),
}

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Trouble {
    /// Nothing.
    None,
    /// A request to the table meets a fault; the caller repeats the call.
    Repeated(usize, Fault),
    /// As before, but the caller gives up: nobody knows whether it had its effect.
    GivenUp(usize, Fault),
    /// The caller sends it twice, one after the other.
    Twice,
}

/// What becomes of rows in the table's stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Relayed {
    /// They come.
    All,
    /// They come twice.
    Twice,
    /// They come with the last one first.
    Reversed,
    /// They are lost.
    None,
}

/// What is called.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Call {
    /// A cart is bought, with its optional positions or without.
    Purchase {
        cart: usize,
        customer: usize,
        optional: bool,
    },
    /// Money of an order, or of a position, goes back.
    Reverse {
        order: usize,
        position: Option<u8>,
        charge_back: bool,
    },
    /// Another period of an order's subscription is paid.
    Pay {
        order: usize,
        position: usize,
        period: Option<u32>,
    },
    /// An order's subscription ends.
    Cancel { order: usize, position: usize },
    /// The source redeems an order's voucher, or a code that there is not.
    Redeem {
        order: usize,
        customer: usize,
        wrong: bool,
    },
    /// A connection moves, by one of its sides.
    Move {
        link: usize,
        verb: &'static str,
        by_source: bool,
    },
    /// The source's terms: whether its offers may be seen, or where callbacks go.
    Access { link: usize, on: bool },
    /// Another address.
    Address { link: usize, version: usize },
    /// Client 3 invites.
    Invite { target: usize },
    /// An offer costs something else, or is shared on other terms.
    Price { offer: usize, amount: u32 },
    /// An offer of one's own is made.
    Offer { client: usize },
    /// Client 2 makes a cart of an own offer and a shared one.
    Cart { shared: usize },
    /// A cart is no longer sold.
    Archive { cart: usize },
    /// Client 2 imports: external id, quantity, and whether it ends.
    Import(Vec<(usize, u32, bool)>),
    /// A callback of an order is replayed.
    Replay { order: usize },
    /// All that waits for it is replayed.
    ReplayAll { client: usize },
    /// The event endpoint of client 2 moves.
    EventEndpoint { version: usize },
    /// A customer is made, who may be there.
    Customer { client: usize, number: usize },
    /// A customer is erased.
    Erase { client: usize, customer: usize },
    /// A payout row is said to be paid, by a client that may be the wrong one.
    MarkPaid { client: usize, order: usize },
    /// A client looks at its lists.
    Look { client: usize, list: &'static str },
    /// A client looks at what may be another's.
    Snoop {
        client: usize,
        order: usize,
        what: &'static str,
    },
}
