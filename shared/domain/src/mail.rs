//! Mails to clients: their kinds and their retry schedule. The texts are in `shared/mail`.

mod terms;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::{CallbackId, ClientId, ConnectionId, MailId, OfferId};
use crate::request_id::RequestId;
use crate::sweep;
use crate::tenancy::{Client, MailLanguage};
use crate::terms::Terms;
use crate::text::{EmailAddress, Name};

pub use terms::{AboutCarts, NAMED_CARTS, NamedCart, Occasion, SharedOfferRef, TermsProposal};

/// The time after which another worker may send a leased mail.
pub const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// With [`retry_delay`], a mail fails after 21 hours.
pub const MAX_MAIL_ATTEMPTS: u32 = 30;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "about"
)]
pub enum MailKind {
    /// To the target.
    Invitation {
        source_name: Name,
        connection_id: ConnectionId,
    },
    /// To the source.
    InvitationAccepted {
        target_name: Name,
        connection_id: ConnectionId,
    },
    /// To the source.
    InvitationDeclined {
        target_name: Name,
        connection_id: ConnectionId,
    },
    /// To the target.
    InvitationWithdrawn {
        source_name: Name,
        connection_id: ConnectionId,
    },
    /// To the other side.
    ConnectionBlocked {
        by_name: Name,
        connection_id: ConnectionId,
    },
    /// To the other side.
    ConnectionUnblocked {
        by_name: Name,
        connection_id: ConnectionId,
        /// The recipient itself blocks the connection.
        #[serde(skip_serializing_if = "std::ops::Not::not", default)]
        still_blocked: bool,
    },
    /// To the target: the source switched `offersAccess` on or off.
    OffersAccess {
        source_name: Name,
        connection_id: ConnectionId,
        is_on: bool,
        #[serde(flatten)]
        carts: AboutCarts,
    },
    /// To a target that had accepted the offer's terms.
    OfferArchived {
        #[serde(flatten)]
        offer: SharedOfferRef,
        #[serde(flatten)]
        carts: AboutCarts,
    },
    /// To the target: the source proposes other terms. The same row is sent again as a warning, see [`Mail::sent`].
    TermsProposed {
        #[serde(flatten)]
        offer: SharedOfferRef,
        proposal: TermsProposal,
        occasion: Occasion,
        #[serde(flatten)]
        carts: AboutCarts,
    },
    /// To the source.
    TermsAccepted {
        target_name: Name,
        connection_id: ConnectionId,
        offer_id: OfferId,
        offer_name: Name,
        terms: Terms,
    },
    /// To the source: the last attempt of a callback failed. The callback waits for a replay.
    CallbackExhausted {
        callback_id: CallbackId,
        /// Absent for the client's own event endpoint.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        connection_id: Option<ConnectionId>,
        attempts: u32,
    },
    /// To the source: its endpoint answered 410 and was disabled.
    EndpointDisabled {
        callback_id: CallbackId,
        /// Absent for the client's own event endpoint.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        connection_id: Option<ConnectionId>,
    },
    /// To the source: its endpoint has failed for days and will be disabled.
    EndpointFailing {
        callback_id: CallbackId,
        /// Absent for the client's own event endpoint.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        connection_id: Option<ConnectionId>,
        failing_since: Timestamp,
    },
    /// To the source: its endpoint failed for days and was disabled.
    EndpointGivenUp {
        callback_id: CallbackId,
        /// Absent for the client's own event endpoint.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        connection_id: Option<ConnectionId>,
        failing_since: Timestamp,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "status"
)]
pub enum MailState {
    Waiting {
        due_at: Timestamp,
    },
    /// A worker is sending the mail; after `lease_until` another worker may.
    InFlight {
        lease_until: Timestamp,
    },
    /// The mail service accepted the mail.
    Sent {
        at: Timestamp,
    },
    /// The last attempt failed.
    Failed {
        at: Timestamp,
    },
    /// The mail warned of something that is no longer to come.
    Cancelled {
        at: Timestamp,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mail {
    pub id: MailId,
    pub client_id: ClientId,
    /// The client's address when the mail was committed.
    pub email: EmailAddress,
    /// The client's language when the mail was committed.
    pub language: MailLanguage,
    pub kind: MailKind,
    #[serde(flatten)]
    pub state: MailState,
    /// Attempts so far.
    pub tries: u32,
    /// The request from which the mail follows.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request: Option<RequestId>,
    pub created_at: Timestamp,
    /// For optimistic locking.
    pub version: u64,
}

/// The delay after `tries` failed attempts: doubles from 10 s, at most an hour.
pub fn retry_delay(tries: u32) -> SignedDuration {
    let seconds = 10_i64 << tries.saturating_sub(1).min(20);
    SignedDuration::from_secs(seconds.min(3_600))
}

impl Mail {
    /// Tags that the mail service repeats in the events of this mail. They hold an invitation's connection, so that
    /// `note-mail-events` finds the row without a search. Other mails have no tags.
    pub fn tags(&self) -> Vec<(&'static str, String)> {
        match &self.kind {
            MailKind::Invitation { connection_id, .. } => {
                vec![
                    ("about", "invitation".to_owned()),
                    ("connection", connection_id.to_string()),
                ]
            }
            _ => Vec::new(),
        }
    }

    /// A mail that is due at once.
    pub fn new(id: MailId, to: &Client, kind: MailKind, now: Timestamp) -> Self {
        Self {
            id,
            client_id: to.id,
            email: to.email.clone(),
            language: to.language,
            kind,
            state: MailState::Waiting { due_at: now },
            tries: 0,
            request: None,
            created_at: now,
            version: 1,
        }
    }

    /// The time from which a worker may lease the mail; `None` once it is sent or failed.
    pub fn due_at(&self) -> Option<Timestamp> {
        match self.state {
            MailState::Waiting { due_at } => Some(due_at),
            MailState::InFlight { lease_until } => Some(lease_until),
            MailState::Sent { .. } | MailState::Failed { .. } | MailState::Cancelled { .. } => None,
        }
    }

    /// When the sweep sends a message for the mail; `None` once it is sent or failed.
    pub fn sweep_at(&self) -> Option<Timestamp> {
        match self.state {
            MailState::Waiting { due_at } if self.tries == 0 => Some(sweep::of_new(due_at)),
            MailState::InFlight { lease_until } if self.tries == 1 => {
                Some(sweep::of_first_lease(self.created_at, lease_until))
            }
            _ => self.due_at(),
        }
    }

    /// The mail under a new lease; `None` if it is not due.
    pub fn begin(self, now: Timestamp) -> Option<Self> {
        let due = self.due_at()? <= now;
        due.then(|| {
            let lease_until = now.saturating_add(LEASE).unwrap_or(Timestamp::MAX);
            Self {
                state: MailState::InFlight { lease_until },
                tries: self.tries + 1,
                ..self
            }
        })
    }

    /// The mail after the mail service accepted it: done, or waiting to be sent as the next warning. Has no effect unless the
    /// mail is in flight.
    pub fn sent(self, now: Timestamp) -> Self {
        let MailState::InFlight { .. } = self.state else {
            return self;
        };
        let Some((kind, due_at)) = self.kind.next(now) else {
            return Self {
                state: MailState::Sent { at: now },
                ..self
            };
        };
        Self {
            kind,
            state: MailState::Waiting { due_at },
            tries: 0,
            ..self
        }
    }

    /// The mail that is not sent, because the reason for it is gone. Has no effect unless the mail is in flight.
    pub fn cancelled(self, now: Timestamp) -> Self {
        let MailState::InFlight { .. } = self.state else {
            return self;
        };
        Self {
            state: MailState::Cancelled { at: now },
            ..self
        }
    }

    /// The mail after a failed attempt. Has no effect unless the mail is in flight.
    pub fn failed(self, now: Timestamp) -> Self {
        let MailState::InFlight { .. } = self.state else {
            return self;
        };
        let state = if self.tries >= MAX_MAIL_ATTEMPTS {
            MailState::Failed { at: now }
        } else {
            MailState::Waiting {
                due_at: now
                    .saturating_add(retry_delay(self.tries))
                    .unwrap_or(Timestamp::MAX),
            }
        };
        Self { state, ..self }
    }
}
