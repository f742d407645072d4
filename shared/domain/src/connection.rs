//! Connections: the directed link from a source client, which shares offers, to a target client, which sells them.
//!
//! ```text
//!            accept (target)            block (either)
//!  invited ------------------> active <----------------> blocked
//!     | decline (target)                unblock (the side that blocked)
//!     +------------------> declined
//!     | withdraw (source)
//!     +------------------> withdrawn
//! ```
//!
//! `declined` and `withdrawn` are final: a new invitation is a new connection. What is *not* decided here: that there is
//! at most one live connection of an ordered pair, which the store holds by a row of its own for the pair.

mod history;
mod input;
mod notices;
mod signing;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use history::{Action, HistoryEntry};
pub use input::{ConnectionDraft, ConnectionEdit};
pub use notices::{NOTICES_PER_HOUR, Notices};
pub use signing::{CallbackSettings, MOST_SECRETS, SECRET_OVERLAP, SigningSecret};

use crate::ids::{ClientId, CompanyId, ConnectionId};
use crate::mail::MailKind;
use crate::tenancy::{Client, ContractingCompany};
use crate::text::Name;
use crate::words::words;

words! {
    /// One end of a connection.
    pub enum Side {
        /// Owns the offers.
        Source = "source",
        /// Sells them.
        Target = "target",
    }

    /// The public word of a [`State`].
    pub enum ConnectionStatus {
        Invited = "invited",
        Active = "active",
        Declined = "declined",
        Withdrawn = "withdrawn",
        Blocked = "blocked",
    }

    /// An action of one side that changes the status.
    pub enum Transition {
        /// The target accepts the invitation.
        Accept = "accept",
        /// The target declines the invitation.
        Decline = "decline",
        /// The source withdraws the invitation.
        Withdraw = "withdraw",
        /// Either side stops all sales.
        Block = "block",
        /// The side that blocked allows sales again.
        Unblock = "unblock",
    }
}

/// A client as the connection knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Party {
    /// The client.
    pub client_id: ClientId,
    /// Its contracting company.
    pub company_id: CompanyId,
    /// Its name when the connection was made.
    pub name: Name,
}

impl From<&Client> for Party {
    fn from(client: &Client) -> Self {
        Self {
            client_id: client.id,
            company_id: client.company_id,
            name: client.name.clone(),
        }
    }
}

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "status")]
pub enum State {
    /// The target has not answered.
    Invited,
    /// The target may sell.
    Active,
    /// The target said no. Final.
    Declined,
    /// The source took the invitation back. Final.
    Withdrawn,
    /// Nothing is sold until the same side unblocks.
    #[serde(rename_all = "camelCase")]
    Blocked {
        /// Who blocked.
        blocked_by: Side,
        /// When.
        blocked_at: Timestamp,
    },
}

impl State {
    pub fn status(&self) -> ConnectionStatus {
        match self {
            Self::Invited => ConnectionStatus::Invited,
            Self::Active => ConnectionStatus::Active,
            Self::Declined => ConnectionStatus::Declined,
            Self::Withdrawn => ConnectionStatus::Withdrawn,
            Self::Blocked { .. } => ConnectionStatus::Blocked,
        }
    }

    pub fn as_str(&self) -> &'static str {
        self.status().as_str()
    }

    /// Whether the connection stands in the way of another one for the same pair.
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Invited | Self::Active | Self::Blocked { .. })
    }
}

/// A connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// Id.
    pub id: ConnectionId,
    /// Shares offers.
    pub source: Party,
    /// Sells them.
    pub target: Party,
    /// Whether the target sees the source's offers.
    pub offers_access: bool,
    /// Set between two contracting companies.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub callback: Option<CallbackSettings>,
    /// The mails about blocking it, if there were any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub notices: Option<Notices>,
    /// Where it stands.
    #[serde(flatten)]
    pub state: State,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Counts the changes: optimistic locking, and the number of the newest history entry.
    pub version: u64,
}

/// Why a connection is not made or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionError {
    /// The move belongs to the other side.
    #[error("only the {side} client may {} a connection", .transition)]
    OtherSide {
        /// What was asked.
        transition: Transition,
        /// Who may.
        side: Side,
    },
    /// The status does not allow it.
    #[error("a connection that is {status} cannot be changed by '{}'", .transition)]
    ImpossibleTransition {
        /// What was asked.
        transition: Transition,
        /// The current status.
        status: &'static str,
    },
    /// The other side blocked it.
    #[error("the connection was blocked by the {by} client, which alone may unblock it")]
    BlockedByOther {
        /// Who blocked.
        by: Side,
    },
    /// Only the source edits.
    #[error("only the source client may edit a connection")]
    EditByTarget,
    /// A final connection is not edited.
    #[error("a connection that is {status} cannot be edited")]
    EditImpossible {
        /// The current status.
        status: &'static str,
    },
    /// The contract module is off.
    #[error("the module crossClientConnections is off in the {side} client's contracting company")]
    ModuleOff {
        /// Whose company.
        side: Side,
    },
    /// A client cannot connect with itself.
    #[error("a client cannot connect with itself")]
    Itself,
    /// Within one contracting company there is nothing to call back.
    #[error("callback settings are only for connections between two contracting companies")]
    CallbackWithinCompany,
    /// Between two companies the source must be told of sales.
    #[error("a connection between two contracting companies needs callback settings")]
    CallbackMissing,
}

/// A changed connection, the history line that goes with it, and who is to be written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The connection as it is afterwards; the store counts its version up when it writes.
    pub connection: Connection,
    /// The line of its history.
    pub entry: HistoryEntry,
    /// The mail to the other side, if the change deserves one.
    pub mail: Option<(Side, MailKind)>,
}

/// Both contracting companies, or the one, must have booked the module.
///
/// # Errors
/// Names the side whose company has not.
pub fn modules_are_on(
    source: &ContractingCompany,
    target: &ContractingCompany,
) -> Result<(), ConnectionError> {
    for (company, side) in [(source, Side::Source), (target, Side::Target)] {
        if !company.modules.cross_client_connections {
            return Err(ConnectionError::ModuleOff { side });
        }
    }
    Ok(())
}

impl Connection {
    /// Which side a client is, if it is a party at all.
    pub fn side_of(&self, client: ClientId) -> Option<Side> {
        if client == self.source.client_id {
            Some(Side::Source)
        } else if client == self.target.client_id {
            Some(Side::Target)
        } else {
            None
        }
    }

    /// The party on a side.
    pub fn party(&self, side: Side) -> &Party {
        match side {
            Side::Source => &self.source,
            Side::Target => &self.target,
        }
    }

    /// Whether both clients share their customers.
    pub fn within_one_company(&self) -> bool {
        self.source.company_id == self.target.company_id
    }

    /// Makes a move. Accepting also wants both modules on; see [`modules_are_on`].
    ///
    /// # Errors
    /// The move belongs to the other side, or the status does not allow it.
    pub fn apply(
        self,
        transition: Transition,
        by: Side,
        now: Timestamp,
    ) -> Result<Change, ConnectionError> {
        let status = self.state.as_str();
        match (transition, by) {
            (Transition::Accept | Transition::Decline, Side::Source) => {
                return Err(ConnectionError::OtherSide {
                    transition,
                    side: Side::Target,
                });
            }
            (Transition::Withdraw, Side::Target) => {
                return Err(ConnectionError::OtherSide {
                    transition,
                    side: Side::Source,
                });
            }
            _ => {}
        }
        let by_name = self.party(by).name.clone();
        let connection_id = self.id;
        let other = if by == Side::Source {
            Side::Target
        } else {
            Side::Source
        };
        let (state, action, mail) = match (transition, self.state) {
            (Transition::Accept, State::Invited) => (
                State::Active,
                Action::Accepted,
                MailKind::InvitationAccepted {
                    target_name: by_name,
                    connection_id,
                },
            ),
            (Transition::Decline, State::Invited) => (
                State::Declined,
                Action::Declined,
                MailKind::InvitationDeclined {
                    target_name: by_name,
                    connection_id,
                },
            ),
            (Transition::Withdraw, State::Invited) => (
                State::Withdrawn,
                Action::Withdrawn,
                MailKind::InvitationWithdrawn {
                    source_name: by_name,
                    connection_id,
                },
            ),
            (Transition::Block, State::Active) => (
                State::Blocked {
                    blocked_by: by,
                    blocked_at: now,
                },
                Action::Blocked,
                MailKind::ConnectionBlocked {
                    by_name,
                    connection_id,
                },
            ),
            (Transition::Unblock, State::Blocked { blocked_by, .. }) if blocked_by == by => (
                State::Active,
                Action::Unblocked,
                MailKind::ConnectionUnblocked {
                    by_name,
                    connection_id,
                },
            ),
            (Transition::Unblock, State::Blocked { blocked_by, .. }) => {
                return Err(ConnectionError::BlockedByOther { by: blocked_by });
            }
            _ => return Err(ConnectionError::ImpossibleTransition { transition, status }),
        };
        let mut after = Self { state, ..self };
        let mail = after.may_mail(action, now).then_some((other, mail));
        Ok(after.changed(by, action, Vec::new(), now, mail))
    }

    /// Whether the other side is written to; if so, the mail is counted where it could be repeated at will.
    fn may_mail(&mut self, action: Action, now: Timestamp) -> bool {
        if !matches!(action, Action::Blocked | Action::Unblocked) {
            return true;
        }
        let counted = Notices::another(self.notices, now);
        self.notices = counted.or(self.notices);
        counted.is_some()
    }

    /// Changes access or callback settings.
    ///
    /// # Errors
    /// Not the source, not live, or callback settings within one company.
    pub fn edit(
        mut self,
        edit: ConnectionEdit,
        by: Side,
        now: Timestamp,
    ) -> Result<Change, ConnectionError> {
        self.may_edit(by)?;
        let mut changes = Vec::new();
        if let Some(access) = edit
            .offers_access
            .filter(|access| *access != self.offers_access)
        {
            self.offers_access = access;
            changes.push(format!("offersAccess: {access}"));
        }
        if let Some(url) = edit.callback_url {
            let settings = self
                .callback
                .as_mut()
                .ok_or(ConnectionError::CallbackWithinCompany)?;
            changes.push("callback.url".to_owned());
            settings.url = url;
        }
        Ok(self.changed(by, Action::Edited, changes, now, None))
    }

    /// Puts a new signing secret in place; see [`CallbackSettings::rotate`].
    ///
    /// # Errors
    /// Not the source, not live, or no callback settings.
    pub fn rotate_secret(
        mut self,
        sealed: String,
        by: Side,
        now: Timestamp,
    ) -> Result<Change, ConnectionError> {
        self.may_edit(by)?;
        self.callback
            .as_mut()
            .ok_or(ConnectionError::CallbackWithinCompany)?
            .rotate(sealed, now);
        Ok(self.changed(by, Action::SecretRotated, Vec::new(), now, None))
    }

    /// Whether a side may edit now.
    ///
    /// # Errors
    /// Not the source, or not live.
    pub fn may_edit(&self, by: Side) -> Result<(), ConnectionError> {
        if by == Side::Target {
            return Err(ConnectionError::EditByTarget);
        }
        if !self.state.is_live() {
            return Err(ConnectionError::EditImpossible {
                status: self.state.as_str(),
            });
        }
        Ok(())
    }

    fn changed(
        mut self,
        by: Side,
        action: Action,
        changes: Vec<String>,
        now: Timestamp,
        mail: Option<(Side, MailKind)>,
    ) -> Change {
        self.updated_at = now;
        let entry = HistoryEntry {
            number: self.version + 1,
            at: now,
            by,
            action,
            changes,
        };
        Change {
            connection: self,
            entry,
            mail,
        }
    }
}
