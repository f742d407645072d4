//! Mails to clients: what they are about, and when they are sent. Their texts live beside the mailer.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ids::{CallbackId, ClientId, ConnectionId, MailId};
use crate::tenancy::{Client, MailLanguage};
use crate::text::{EmailAddress, Name};

/// How long one try to send may take before another worker may try.
pub const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// Tries before a mail is given up: with [`retry_delay`] after 21 hours.
pub const MOST_TRIES: u32 = 30;

/// What a mail is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "about"
)]
#[allow(missing_docs, reason = "the fields are what the texts name")]
pub enum MailKind {
    /// To the target: you are invited.
    Invitation {
        source_name: Name,
        connection_id: ConnectionId,
    },
    /// To the source: the target agreed.
    InvitationAccepted {
        target_name: Name,
        connection_id: ConnectionId,
    },
    /// To the source: the target said no.
    InvitationDeclined {
        target_name: Name,
        connection_id: ConnectionId,
    },
    /// To the target: the invitation is taken back.
    InvitationWithdrawn {
        source_name: Name,
        connection_id: ConnectionId,
    },
    /// To the other side: nothing is sold any more.
    ConnectionBlocked {
        by_name: Name,
        connection_id: ConnectionId,
    },
    /// To the other side: selling goes on.
    ConnectionUnblocked {
        by_name: Name,
        connection_id: ConnectionId,
    },
    /// To the source: a callback could not be delivered and waits for a replay.
    CallbackExhausted {
        callback_id: CallbackId,
        /// Absent for the client's own event endpoint.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        connection_id: Option<ConnectionId>,
        attempts: u32,
    },
    /// To the source: its endpoint answered 410 and is disabled.
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
    /// To the source: its endpoint has failed for days and is disabled.
    EndpointGivenUp {
        callback_id: CallbackId,
        /// Absent for the client's own event endpoint.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        connection_id: Option<ConnectionId>,
        failing_since: Timestamp,
    },
}

/// Where a mail stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "status"
)]
pub enum MailState {
    /// To be sent from `due_at` on.
    Waiting {
        /// When.
        due_at: Timestamp,
    },
    /// A worker tries until `lease_until`.
    InFlight {
        /// When another worker may try.
        lease_until: Timestamp,
    },
    /// The mail service took it.
    Sent {
        /// When.
        at: Timestamp,
    },
    /// Given up.
    Failed {
        /// When.
        at: Timestamp,
    },
}

/// A mail to a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mail {
    /// Id.
    pub id: MailId,
    /// Who it is for.
    pub client_id: ClientId,
    /// The address when it was committed.
    pub email: EmailAddress,
    /// The language when it was committed.
    pub language: MailLanguage,
    /// What it is about.
    pub kind: MailKind,
    /// Where it stands.
    #[serde(flatten)]
    pub state: MailState,
    /// Tries so far.
    pub tries: u32,
    /// When it was committed.
    pub created_at: Timestamp,
    /// Counts the changes, for optimistic locking.
    pub version: u64,
}

/// Seconds until the next try after `tries` failed ones: doubling from 10 s, at most an hour.
pub fn retry_delay(tries: u32) -> SignedDuration {
    let seconds = 10_i64 << tries.saturating_sub(1).min(20);
    SignedDuration::from_secs(seconds.min(3_600))
}

impl Mail {
    /// What the mail service says with all that it tells of this mail later, by which its row is found without a search: an
    /// invitation's connection. Other mails need no looking after.
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

    /// A mail to be sent at once.
    pub fn new(id: MailId, to: &Client, kind: MailKind, now: Timestamp) -> Self {
        Self {
            id,
            client_id: to.id,
            email: to.email.clone(),
            language: to.language,
            kind,
            state: MailState::Waiting { due_at: now },
            tries: 0,
            created_at: now,
            version: 1,
        }
    }

    /// When a worker should look at it; `None` once it is done.
    pub fn due_at(&self) -> Option<Timestamp> {
        match self.state {
            MailState::Waiting { due_at } => Some(due_at),
            MailState::InFlight { lease_until } => Some(lease_until),
            MailState::Sent { .. } | MailState::Failed { .. } => None,
        }
    }

    /// The mail as it is while a worker tries; `None` if there is nothing to do now.
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

    /// The mail after the mail service took it; one that nobody tries stays as it is.
    pub fn sent(self, now: Timestamp) -> Self {
        let MailState::InFlight { .. } = self.state else {
            return self;
        };
        Self {
            state: MailState::Sent { at: now },
            ..self
        }
    }

    /// The mail after a failed try; one that nobody tries stays as it is.
    pub fn failed(self, now: Timestamp) -> Self {
        let MailState::InFlight { .. } = self.state else {
            return self;
        };
        let state = if self.tries >= MOST_TRIES {
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
