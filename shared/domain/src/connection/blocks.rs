//! The blocks of a connection: each side has its own.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Side;

/// One side's block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Block {
    pub by: Side,
    pub at: Timestamp,
}

/// One block or two. The stored form keeps the members of a single block, which earlier releases wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Blocks {
    /// The side whose block is the older one.
    blocked_by: Side,
    blocked_at: Timestamp,
    /// Since when the other side blocks, too.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    other_blocked_at: Option<Timestamp>,
}

impl Blocks {
    pub fn by(side: Side, at: Timestamp) -> Self {
        Self {
            blocked_by: side,
            blocked_at: at,
            other_blocked_at: None,
        }
    }

    pub fn first(&self) -> Block {
        Block {
            by: self.blocked_by,
            at: self.blocked_at,
        }
    }

    /// The older one first.
    pub fn iter(&self) -> impl Iterator<Item = Block> + use<> {
        let by = self.blocked_by.other();
        let second = self.other_blocked_at.map(|at| Block { by, at });
        [self.first()].into_iter().chain(second)
    }

    pub fn has(&self, side: Side) -> bool {
        self.iter().any(|block| block.by == side)
    }

    /// With a block of this side as well; `None` if it blocks already.
    pub(super) fn with(self, side: Side, at: Timestamp) -> Option<Self> {
        (!self.has(side)).then_some(Self {
            other_blocked_at: Some(at),
            ..self
        })
    }

    /// The other side's block, if there is one.
    pub(super) fn without(self, side: Side) -> Option<Self> {
        self.iter()
            .find(|block| block.by != side)
            .map(|block| Self::by(block.by, block.at))
    }
}
