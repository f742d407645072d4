//! A member that an import may set, clear or leave out.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Stored as the value or `null`; a member that is left out is not stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// Absent: the value stays as it is.
    #[default]
    Keep,
    /// `null`: the value is removed.
    Clear,
    Set(T),
}

impl<T> Change<T> {
    /// From [`Object::clearable`](crate::input::Object::clearable).
    pub fn of(read: Option<Option<T>>) -> Self {
        match read {
            None => Self::Keep,
            Some(None) => Self::Clear,
            Some(Some(value)) => Self::Set(value),
        }
    }

    pub fn is_kept(&self) -> bool {
        matches!(self, Self::Keep)
    }

    pub fn value(self) -> Option<T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Clear => None,
        }
    }
}

impl<T: Serialize> Serialize for Change<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Set(value) => serializer.serialize_some(value),
            Self::Keep | Self::Clear => serializer.serialize_none(),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Option::<T>::deserialize(deserializer)?;
        Ok(value.map_or(Self::Clear, Self::Set))
    }
}

/// The stored form of `endDate`: `{"at": …}` or `"never"`.
pub(super) mod stored_end {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Change;

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    enum End {
        Keep,
        Never,
        At(Timestamp),
    }

    pub(in super::super) fn serialize<S: Serializer>(
        end: &Change<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let stored = match end {
            Change::Keep => End::Keep,
            Change::Clear => End::Never,
            Change::Set(at) => End::At(*at),
        };
        stored.serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Change<Timestamp>, D::Error> {
        Ok(match End::deserialize(deserializer)? {
            End::Keep => Change::Keep,
            End::Never => Change::Clear,
            End::At(at) => Change::Set(at),
        })
    }
}
