//! Sealed values: only `tandem-sealing` makes and opens them.

use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

/// The octets of a sealed value, stored as binary.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(#[serde(with = "serde_bytes")] Vec<u8>);

impl From<Vec<u8>> for Sealed {
    fn from(octets: Vec<u8>) -> Self {
        Self(octets)
    }
}

impl Deref for Sealed {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} octets)", self.0.len())
    }
}
