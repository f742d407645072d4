//! The secrets from which all keys of a deployment are derived.

use std::fmt;

use aws_lc_rs::{hkdf, hmac};

const MIN_CHARACTERS: usize = 32;

/// The use of a key. Keys of different purposes are independent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Bodies of callbacks, which contain voucher codes and data of customers.
    CallbackBody,
    /// Secrets that sign callbacks.
    SigningSecret,
    /// Static headers of callbacks, which authenticate Tandem at a receiver.
    CallbackHeaders,
    /// Stored answers of requests with an `Idempotency-Key`.
    IdempotentAnswer,
    Cursor,
    /// The key of one person, which seals all stored data about that person.
    PersonalKey,
    /// The personal part of a callback's body.
    PersonalData,
    /// A receiver's answer to a callback about a person.
    ReceivedAnswer,
    /// The row by which a function recognises the data key of its table.
    Canary,
}

impl Purpose {
    pub const ALL: [Self; 9] = [
        Self::CallbackBody,
        Self::SigningSecret,
        Self::CallbackHeaders,
        Self::IdempotentAnswer,
        Self::Cursor,
        Self::PersonalKey,
        Self::PersonalData,
        Self::ReceivedAnswer,
        Self::Canary,
    ];

    /// Part of the derivation. Never change a word: stored data could no longer be opened.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::CallbackBody => "callback-body",
            Self::SigningSecret => "signing-secret",
            Self::CallbackHeaders => "callback-headers",
            Self::IdempotentAnswer => "idempotent-answer",
            Self::Cursor => "cursor",
            Self::PersonalKey => "personal-key",
            Self::PersonalData => "personal-data",
            Self::ReceivedAnswer => "received-answer",
            Self::Canary => "canary",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the data key has fewer than {MIN_CHARACTERS} characters")]
pub struct WeakDataKey;

/// The length of a key's id.
pub(crate) const KEY_ID: usize = 4;

/// The secret from which keys are derived by HKDF-SHA256 (RFC 5869).
#[derive(Clone)]
pub struct DataKey {
    prk: hkdf::Prk,
    id: [u8; KEY_ID],
}

impl DataKey {
    /// `text` is a line of the secret in Secrets Manager.
    pub fn from_secret(text: &str) -> Result<Self, WeakDataKey> {
        if text.chars().count() < MIN_CHARACTERS {
            return Err(WeakDataKey);
        }
        Ok(Self::of_octets(text.as_bytes()))
    }

    /// A key of random octets, such as that of a person.
    pub fn of_octets(secret: &[u8]) -> Self {
        let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, b"tandem data key v1").extract(secret);
        let mut id = [0; KEY_ID];
        fill(&prk, &[b"id"], &mut id);
        Self { prk, id }
    }

    /// Names the key in the texts that it seals. Derived from the key, so that two keys never share a name by mistake.
    pub(crate) fn id(&self) -> [u8; KEY_ID] {
        self.id
    }

    /// The key for one row. A key for each row keeps the random nonces of AES-GCM far from their limit of 2^32 messages a key
    /// (NIST SP 800-38D, 8.3).
    pub(crate) fn sealing_key(&self, purpose: Purpose, bound_to: &str) -> [u8; 32] {
        let info = [
            b"seal\0".as_slice(),
            purpose.word().as_bytes(),
            b"\0",
            bound_to.as_bytes(),
        ];
        let mut key = [0; 32];
        fill(&self.prk, &info, &mut key);
        key
    }

    pub(crate) fn mac_key(&self, purpose: Purpose) -> hmac::Key {
        let info = [b"mac\0".as_slice(), purpose.word().as_bytes()];
        let okm = self
            .prk
            .expand(&info, hmac::HMAC_SHA256)
            .expect("HKDF-SHA256 gives 32 octets");
        hmac::Key::from(okm)
    }
}

/// At most 32 octets that are derived from a key.
fn fill(prk: &hkdf::Prk, info: &[&[u8]], octets: &mut [u8]) {
    let mut block = [0; 32];
    let derived = prk
        .expand(info, hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut block));
    derived.expect("HKDF-SHA256 gives 32 octets");
    octets.copy_from_slice(&block[..octets.len()]);
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_secret_is_rejected() {
        assert_eq!(
            DataKey::from_secret(&"x".repeat(31)).err(),
            Some(WeakDataKey)
        );
        assert!(DataKey::from_secret(&"x".repeat(32)).is_ok());
    }

    #[test]
    fn each_purpose_and_row_has_its_own_key() {
        let data_key = DataKey::from_secret(&"x".repeat(32)).expect("long enough");
        let key = data_key.sealing_key(Purpose::CallbackBody, "a");
        assert_eq!(key, data_key.sealing_key(Purpose::CallbackBody, "a"));
        assert_ne!(key, data_key.sealing_key(Purpose::CallbackBody, "b"));
        assert_ne!(key, data_key.sealing_key(Purpose::Cursor, "a"));
    }

    #[test]
    fn the_derivation_never_changes() {
        let data_key =
            DataKey::from_secret("0123456789abcdef0123456789abcdef").expect("long enough");
        let key = data_key.sealing_key(Purpose::SigningSecret, "con_1");
        assert_eq!(
            crate::hash::hex(&key),
            "6bf199cd8e6c8ca287b1fe5a1e9930c94dd1b90889ea35a7c6aca470b725ebfe"
        );
        assert_eq!(crate::hash::hex(&data_key.id()), "4705f0b2");
    }

    #[test]
    fn a_data_key_is_not_printed() {
        let data_key = DataKey::from_secret(&"x".repeat(32)).expect("long enough");
        assert_eq!(format!("{data_key:?}"), "DataKey(..)");
    }
}
