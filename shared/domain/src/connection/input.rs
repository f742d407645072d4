//! Input of connections.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    Action, CallbackSettings, Change, Connection, ConnectionError, HistoryEntry, Side, State,
    modules_are_on,
};
use crate::callback_headers::{HeaderDraft, StaticHeaders};
use crate::callback_url::{CallbackUrl, LocalTargets};
use crate::ids::{ClientId, ConnectionId};
use crate::input::{FieldErrors, Object, Parsed, boolean, parsed, string};
use crate::metadata::Metadata;
use crate::sealed::Sealed;
use crate::tenancy::{Client, ContractingCompany};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionDraft {
    pub target_client_id: ClientId,
    offers_access: bool,
    pub callback: Option<CallbackDraft>,
    metadata: Metadata,
}

/// The receiver of callbacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackDraft {
    pub url: CallbackUrl,
    pub headers: Option<HeaderDraft>,
}

/// The sealed parts of callback settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedSettings {
    /// The first signing secret.
    pub secret: Sealed,
    pub headers: Option<StaticHeaders>,
}

impl CallbackDraft {
    /// Reads `{url, headers?}`.
    pub fn parse(value: &Value, local: &LocalTargets) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let url = object.required("url", |value| parse_url(value, local));
        let headers = object.optional("headers", HeaderDraft::parse);
        object.finish(|| Some(Self { url: url?, headers }))
    }
}

impl ConnectionDraft {
    /// Reads `{targetClientId, offersAccess, callback?: {url, headers?}, metadata?}`.
    pub fn parse(value: &Value, local: &LocalTargets) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let target = object.required("targetClientId", parsed::<ClientId>);
        let offers_access = object.required("offersAccess", boolean);
        let callback = object.optional("callback", |value| CallbackDraft::parse(value, local));
        let metadata = object
            .optional("metadata", Metadata::parse)
            .unwrap_or_default();
        object.finish(|| {
            Some(Self {
                target_client_id: target?,
                offers_access: offers_access?,
                callback,
                metadata,
            })
        })
    }

    /// Creates the connection. `seal` makes the first signing secret and seals the headers; it is called only if there are callback
    /// settings.
    pub fn invite(
        self,
        id: ConnectionId,
        source: (&Client, &ContractingCompany),
        target: (&Client, &ContractingCompany),
        seal: impl FnOnce(&CallbackDraft) -> SealedSettings,
        now: Timestamp,
    ) -> Result<Change, ConnectionError> {
        if source.0.id == target.0.id {
            return Err(ConnectionError::Itself);
        }
        modules_are_on(source.1, target.1)?;
        if target.0.disabled_at.is_some() {
            return Err(ConnectionError::TargetDisabled);
        }
        let within_one_company = source.1.id == target.1.id;
        let callback = settings(self.callback, within_one_company, seal, now)?;
        let connection = Connection {
            id,
            source: source.0.into(),
            target: target.0.into(),
            offers_access: self.offers_access,
            callback,
            block_mails: None,
            metadata: self.metadata,
            state: State::Invited,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        let entry = HistoryEntry {
            number: 1,
            at: now,
            by: Side::Source,
            action: Action::Invited,
            changes: Vec::new(),
        };
        let mail = connection.invitation();
        Ok(Change {
            connection,
            entry,
            mail: Some((Side::Target, mail)),
        })
    }
}

/// Only a connection between two companies needs callbacks, and it cannot do without.
fn settings(
    draft: Option<CallbackDraft>,
    within_one_company: bool,
    seal: impl FnOnce(&CallbackDraft) -> SealedSettings,
    now: Timestamp,
) -> Result<Option<CallbackSettings>, ConnectionError> {
    match (draft, within_one_company) {
        (None, true) => Ok(None),
        (Some(_), true) => Err(ConnectionError::CallbackWithinCompany),
        (None, false) => Err(ConnectionError::CallbackMissing),
        (Some(draft), false) => {
            let SealedSettings { secret, headers } = seal(&draft);
            Ok(Some(CallbackSettings::new(draft.url, headers, secret, now)))
        }
    }
}

pub(crate) fn parse_url(value: &Value, local: &LocalTargets) -> Parsed<CallbackUrl> {
    CallbackUrl::parse(string(value)?, local)
        .map_err(|error| FieldErrors::one(error.code(), error.to_string()))
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionEdit {
    pub(super) offers_access: Option<bool>,
    pub callback: Option<CallbackEdit>,
    pub(super) metadata: Option<Option<Metadata>>,
}

/// A changed receiver of callbacks. An absent member does not change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackEdit {
    pub(super) url: Option<CallbackUrl>,
    /// Replaces all headers.
    pub(super) headers: Option<HeaderDraft>,
}

impl CallbackEdit {
    /// Reads `{url?, headers?}`. Empty headers remove all.
    fn parse(value: &Value, local: &LocalTargets) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let url = object.optional("url", |value| parse_url(value, local));
        let headers = object.optional("headers", HeaderDraft::parse);
        object.finish(|| Some(Self { url, headers }))
    }
}

impl ConnectionEdit {
    /// The members that `null` clears.
    pub const CLEARABLE: &[&str] = &["metadata"];

    /// Whether callbacks go to another URL or with other headers from now on.
    pub fn changes_endpoint(&self) -> bool {
        let callback = self.callback.as_ref();
        callback.is_some_and(|edit| edit.url.is_some() || edit.headers.is_some())
    }

    /// Reads `{offersAccess?, callback?: {url?, headers?}, metadata?}`.
    pub fn parse(value: &Value, local: &LocalTargets) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let offers_access = object.optional("offersAccess", boolean);
        let callback = object.optional("callback", |value| CallbackEdit::parse(value, local));
        let metadata = object.clearable("metadata", Metadata::parse);
        object.finish(|| {
            Some(Self {
                offers_access,
                callback,
                metadata,
            })
        })
    }
}
