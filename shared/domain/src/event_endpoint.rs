//! A client's own event endpoint, for the events of the client itself: its connections, its finished imports. Signed, delivered
//! and logged like a connection's callbacks.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::callback::EventType;
use crate::callback_headers::HeaderDraft;
use crate::callback_url::{CallbackUrl, LocalTargets};
use crate::connection::{CallbackSettings, parse_url};
use crate::ids::ClientId;
use crate::input::{FieldErrors, Object, Parsed, list, string};
use crate::sealed::Sealed;

/// The most entries of `eventTypes`.
pub const MAX_EVENT_TYPES: usize = 50;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventEndpoint {
    pub client_id: ClientId,
    #[serde(flatten)]
    pub settings: CallbackSettings,
    /// The chosen types; `None` for all, also for those that later releases add.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub event_types: Option<BTreeSet<EventType>>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub version: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventEndpointDraft {
    url: CallbackUrl,
    headers: Option<HeaderDraft>,
    event_types: Option<BTreeSet<EventType>>,
}

impl EventEndpointDraft {
    /// Reads `{url, headers?, eventTypes?}`. Without types, the endpoint gets all.
    pub fn parse(value: &Value, local: &LocalTargets) -> Parsed<Self> {
        let mut object = Object::read(value)?;
        let url = object.required("url", |value| parse_url(value, local));
        let headers = object.optional("headers", HeaderDraft::parse);
        let event_types = object.optional("eventTypes", list(1..=MAX_EVENT_TYPES, own_type));
        object.finish(|| {
            Some(Self {
                url: url?,
                headers,
                event_types: event_types.map(BTreeSet::from_iter),
            })
        })
    }

    pub fn create(
        self,
        client_id: ClientId,
        sealed_secret: Sealed,
        seal: impl FnOnce(&[u8]) -> Sealed,
        now: Timestamp,
    ) -> EventEndpoint {
        let headers = self.headers.and_then(|headers| headers.sealed(seal));
        EventEndpoint {
            client_id,
            settings: CallbackSettings::new(self.url, headers, sealed_secret, now),
            event_types: self.event_types,
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }
}

fn own_type(value: &Value) -> Parsed<EventType> {
    let own = EventType::from_word(string(value)?).filter(|event| event.is_own());
    own.ok_or_else(|| {
        let known: Vec<&str> = EventType::ALL
            .into_iter()
            .filter(|event| event.is_own())
            .map(EventType::as_str)
            .collect();
        FieldErrors::one(
            "unknown_value",
            format!("must be one of: {}", known.join(", ")),
        )
    })
}

impl EventEndpoint {
    /// Whether the client chose events of this type.
    pub fn takes(&self, event: EventType) -> bool {
        self.event_types
            .as_ref()
            .is_none_or(|chosen| chosen.contains(&event))
    }

    /// Changes the URL, the chosen types and the headers, if given, and keeps the secrets.
    pub fn set(
        mut self,
        draft: EventEndpointDraft,
        seal: impl FnOnce(&[u8]) -> Sealed,
        now: Timestamp,
    ) -> Self {
        self.settings.url = draft.url;
        if let Some(headers) = draft.headers {
            self.settings.headers = headers.sealed(seal);
        }
        Self {
            event_types: draft.event_types,
            updated_at: now,
            ..self
        }
    }

    /// Adds a secret; the previous one stays valid for a day.
    pub fn rotated(mut self, sealed_secret: Sealed, now: Timestamp) -> Self {
        self.settings.rotate(sealed_secret, now);
        Self {
            updated_at: now,
            ..self
        }
    }
}
