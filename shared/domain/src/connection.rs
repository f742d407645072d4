//! Connections: the directed link from a source client, which shares offers, to a target client, which sells them.
//!
//! ```text
//!            accept (target)            block (either)
//!  invited ------------------> active <----------------> blocked (by one side, or by both)
//!     | decline (target)                unblock (the last side that blocks)
//!     +------------------> declined
//!     | withdraw (source)
//!     +------------------> withdrawn
//! ```
//!
//! Each side blocks for itself: the connection is active while neither side blocks, and a side takes back only its own block.
//!
//! `declined` and `withdrawn` are final: a new invitation is a new connection. The store, not this module, ensures that an
//! ordered pair has at most one live connection, by a row for the pair.

mod block_mails;
mod blocks;
mod events;
mod history;
mod input;
mod signing;
mod transition;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use block_mails::{BLOCK_MAILS_PER_HOUR, BlockMails};
pub use blocks::{Block, Blocks};
pub use history::{Action, HistoryEntry, TermsEntry};
pub(crate) use input::parse_url;
pub use input::{CallbackDraft, CallbackEdit, ConnectionDraft, ConnectionEdit, SealedSettings};
pub use signing::{CallbackSettings, MAX_SECRETS, SECRET_OVERLAP, SigningSecret};
pub use transition::Transition;

use crate::ids::{ClientId, CompanyId, ConnectionId};
use crate::mail::{AboutCarts, MailKind};
use crate::metadata::{Metadata, edited};
use crate::sealed::Sealed;
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
}

impl Side {
    pub fn other(self) -> Self {
        match self {
            Self::Source => Self::Target,
            Self::Target => Self::Source,
        }
    }
}

/// A client as recorded in the connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Party {
    pub client_id: ClientId,
    pub company_id: CompanyId,
    /// The client's name when the connection was created.
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "status")]
pub enum State {
    Invited,
    Active,
    Declined,
    Withdrawn,
    /// No sales until each side that blocks has unblocked.
    Blocked(Blocks),
}

impl State {
    pub fn status(&self) -> ConnectionStatus {
        match self {
            Self::Invited => ConnectionStatus::Invited,
            Self::Active => ConnectionStatus::Active,
            Self::Declined => ConnectionStatus::Declined,
            Self::Withdrawn => ConnectionStatus::Withdrawn,
            Self::Blocked(_) => ConnectionStatus::Blocked,
        }
    }

    pub fn as_str(&self) -> &'static str {
        self.status().as_str()
    }

    /// Whether the connection excludes another one for the same pair.
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Invited | Self::Active | Self::Blocked(_))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    pub id: ConnectionId,
    pub source: Party,
    pub target: Party,
    /// Whether the target sees the source's offers.
    pub offers_access: bool,
    /// Set between two contracting companies.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub callback: Option<CallbackSettings>,
    /// The recent mails about blocking and unblocking.
    #[serde(rename = "notices", skip_serializing_if = "Option::is_none", default)]
    pub block_mails: Option<BlockMails>,
    /// The source's; the target does not see them.
    #[serde(skip_serializing_if = "Metadata::is_empty", default)]
    pub metadata: Metadata,
    #[serde(flatten)]
    pub state: State,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Counts the changes: for optimistic locking, and as the number of the newest history entry.
    pub version: u64,
}

/// Why a connection cannot be created or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionError {
    #[error("only the {side} client may {} a connection", .transition)]
    OtherSide { transition: Transition, side: Side },
    #[error("a connection that is {status} cannot be changed by '{}'", .transition)]
    ImpossibleTransition {
        transition: Transition,
        status: &'static str,
    },
    #[error("only the {by} client blocks the connection, and it alone may take back its block")]
    BlockedByOther { by: Side },
    #[error("only the source client may edit a connection")]
    EditByTarget,
    #[error("a connection that is {status} cannot be edited")]
    EditImpossible { status: &'static str },
    #[error("only the source client may send the invitation again")]
    ResendByTarget,
    #[error("the invitation of a connection that is {status} cannot be sent again")]
    ResendImpossible { status: &'static str },
    /// The operator disabled the invited client.
    #[error("the client is disabled")]
    TargetDisabled,
    #[error("the module crossClientConnections is off in the {side} client's contracting company")]
    ModuleOff { side: Side },
    #[error("a client cannot connect with itself")]
    Itself,
    #[error("callback settings are only for connections between two contracting companies")]
    CallbackWithinCompany,
    #[error("a connection between two contracting companies needs callback settings")]
    CallbackMissing,
}

/// A changed connection with its history entry and its mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The store increments the version when it writes the connection.
    pub connection: Connection,
    pub entry: HistoryEntry,
    /// The mail to the other side, if any.
    pub mail: Option<(Side, MailKind)>,
}

/// Checks that the module is on in both contracting companies.
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
    /// `None` if the client is not a party.
    pub fn side_of(&self, client: ClientId) -> Option<Side> {
        if client == self.source.client_id {
            Some(Side::Source)
        } else if client == self.target.client_id {
            Some(Side::Target)
        } else {
            None
        }
    }

    pub fn party(&self, side: Side) -> &Party {
        match side {
            Side::Source => &self.source,
            Side::Target => &self.target,
        }
    }

    /// Within one company, both clients have the same customers.
    pub fn within_one_company(&self) -> bool {
        self.source.company_id == self.target.company_id
    }

    /// Changes the access or the callback settings. `seal` seals new headers.
    pub fn edit(
        mut self,
        edit: ConnectionEdit,
        seal: impl FnOnce(&[u8]) -> Sealed,
        by: Side,
        now: Timestamp,
    ) -> Result<Change, ConnectionError> {
        self.may_edit(by)?;
        let mut changes = Vec::new();
        let mut mail = None;
        if let Some(access) = edit
            .offers_access
            .filter(|access| *access != self.offers_access)
        {
            self.offers_access = access;
            changes.push(format!("{}{access}", events::OFFERS_ACCESS));
            mail = self.access_mail(now);
        }
        if let Some(edit) = edit.callback {
            let settings = self
                .callback
                .as_mut()
                .ok_or(ConnectionError::CallbackWithinCompany)?;
            if let Some(url) = edit.url {
                changes.push("callback.url".to_owned());
                settings.url = url;
            }
            if let Some(headers) = edit.headers {
                changes.push("callback.headers".to_owned());
                settings.headers = headers.sealed(seal);
            }
        }
        let metadata = edited(edit.metadata, self.metadata.clone());
        if metadata != self.metadata {
            self.metadata = metadata;
            changes.push("metadata".to_owned());
        }
        Ok(self.changed(by, Action::Edited, changes, now, mail))
    }

    /// The mail to the target about changed access. An invited target has no carts with the source's offers yet.
    fn access_mail(&mut self, now: Timestamp) -> Option<(Side, MailKind)> {
        if self.state == State::Invited || !self.may_mail_again(now) {
            return None;
        }
        let mail = MailKind::OffersAccess {
            source_name: self.source.name.clone(),
            connection_id: self.id,
            is_on: self.offers_access,
            carts: AboutCarts::default(),
        };
        Some((Side::Target, mail))
    }

    /// Adds a signing secret; see [`CallbackSettings::rotate`].
    pub fn rotate_secret(
        mut self,
        sealed: Sealed,
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

    /// Sends the invitation's mail to the target again.
    pub fn resend_invitation(self, by: Side, now: Timestamp) -> Result<Change, ConnectionError> {
        if by == Side::Target {
            return Err(ConnectionError::ResendByTarget);
        }
        if self.state != State::Invited {
            return Err(ConnectionError::ResendImpossible {
                status: self.state.as_str(),
            });
        }
        let mail = (Side::Target, self.invitation());
        Ok(self.changed(by, Action::InvitationResent, Vec::new(), now, Some(mail)))
    }

    fn invitation(&self) -> MailKind {
        MailKind::Invitation {
            source_name: self.source.name.clone(),
            connection_id: self.id,
        }
    }

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
