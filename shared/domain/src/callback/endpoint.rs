//! The endpoint of a callback.

use std::fmt;

use crate::ids::{ClientId, ConnectionId};

/// The owner of the settings (URL and secrets) of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Endpoint {
    /// For events about the source's offers at the target.
    Connection(ConnectionId),
    /// For events about the client itself.
    Client(ClientId),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(id) => id.fmt(f),
            Self::Client(id) => id.fmt(f),
        }
    }
}

impl From<ConnectionId> for Endpoint {
    fn from(id: ConnectionId) -> Self {
        Self::Connection(id)
    }
}
