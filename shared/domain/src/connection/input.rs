//! Input of connections.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    Action, CallbackSettings, Change, Connection, ConnectionError, HistoryEntry, Side,
    SigningSecret, State, modules_are_on,
};
use crate::callback_url::{CallbackUrl, LocalTargets};
use crate::ids::{ClientId, ConnectionId};
use crate::input::{FieldErrors, Object, Parsed, boolean, parsed, string};
use crate::sealed::Sealed;
use crate::tenancy::{Client, ContractingCompany};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionDraft {
    pub target_client_id: ClientId,
    offers_access: bool,
    pub callback_url: Option<CallbackUrl>,
}

impl ConnectionDraft {
    /// Reads `{targetClientId, offersAccess, callback?: {url}}`.
    pub fn parse(value: &Value, local: &LocalTargets) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let target = object.required("targetClientId", parsed::<ClientId>);
        let offers_access = object.required("offersAccess", boolean);
        let callback_url = object.optional("callback", |value| parse_callback(value, local));
        object.finish(|| {
            Some(Self {
                target_client_id: target?,
                offers_access: offers_access?,
                callback_url,
            })
        })
    }

    /// Creates the connection. `sealed_secret` makes the first signing secret; it is called only if there are callback settings.
    pub fn invite(
        self,
        id: ConnectionId,
        source: (&Client, &ContractingCompany),
        target: (&Client, &ContractingCompany),
        sealed_secret: impl FnOnce() -> Sealed,
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
        let callback = settings(self.callback_url, within_one_company, sealed_secret, now)?;
        let connection = Connection {
            id,
            source: source.0.into(),
            target: target.0.into(),
            offers_access: self.offers_access,
            callback,
            block_mails: None,
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
    url: Option<CallbackUrl>,
    within_one_company: bool,
    sealed_secret: impl FnOnce() -> Sealed,
    now: Timestamp,
) -> Result<Option<CallbackSettings>, ConnectionError> {
    match (url, within_one_company) {
        (None, true) => Ok(None),
        (Some(_), true) => Err(ConnectionError::CallbackWithinCompany),
        (None, false) => Err(ConnectionError::CallbackMissing),
        (Some(url), false) => {
            let secret = SigningSecret {
                sealed: sealed_secret(),
                created_at: now,
                expires_at: None,
            };
            Ok(Some(CallbackSettings {
                url,
                secrets: vec![secret],
            }))
        }
    }
}

fn parse_callback(value: &Value, local: &LocalTargets) -> Parsed<CallbackUrl> {
    let mut object = Object::read(value)?;
    let url = object.required("url", |value| {
        CallbackUrl::parse(string(value)?, local)
            .map_err(|error| FieldErrors::one(error.code(), error.to_string()))
    });
    object.finish(|| url)
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionEdit {
    pub(super) offers_access: Option<bool>,
    pub callback_url: Option<CallbackUrl>,
}

impl ConnectionEdit {
    /// Reads `{offersAccess?, callback?: {url}}`.
    pub fn parse(value: &Value, local: &LocalTargets) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let offers_access = object.optional("offersAccess", boolean);
        let callback_url = object.optional("callback", |value| parse_callback(value, local));
        object.finish(|| {
            Some(Self {
                offers_access,
                callback_url,
            })
        })
    }
}
