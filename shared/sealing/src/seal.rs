//! Authenticated encryption and MACs.
//!
//! A sealed text is a version octet, an octet for the form of the plain text, the id of the key (4 octets), a nonce of 12 octets,
//! the ciphertext, and a tag of 16 octets.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;

use crate::data_key::{DataKey, KEY_ID, Purpose, WeakDataKey};
use crate::packing::{PLAIN, Text, pack, unpack};

const VERSION: u8 = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Too short, or its plain text has not the form that it names.
    #[error("not a sealed text")]
    Malformed,
    /// Probably sealed by a later release.
    #[error("unknown version {0} of a sealed text")]
    UnknownVersion(u8),
    /// Probably sealed by a later release.
    #[error("unknown dictionary {0} of a sealed text")]
    UnknownDictionary(u8),
    /// Sealed under a key that is not among the sealer's.
    #[error("the text is sealed under another key")]
    UnknownKey,
    /// Changed, or sealed for another purpose or for another row.
    #[error("the sealed text was changed, or sealed for another purpose or for another row")]
    Refused,
}

/// Seals under the newest of its keys, and opens under all. Cheap to clone.
#[derive(Clone)]
pub struct Sealer {
    /// The newest first; never empty.
    keys: Arc<[DataKey]>,
}

impl Sealer {
    pub fn new(data_key: DataKey) -> Self {
        Self {
            keys: Arc::new([data_key]),
        }
    }

    /// `text` is the value of the secret in Secrets Manager: the keys, one a line, the newest first.
    pub fn from_secret(text: &str) -> Result<Self, WeakDataKey> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let keys: Vec<DataKey> = lines.map(DataKey::from_secret).collect::<Result<_, _>>()?;
        if keys.is_empty() {
            return Err(WeakDataKey);
        }
        Ok(Self { keys: keys.into() })
    }

    /// Seals `plain` as it is. `bound_to` names the row that stores the text; the text opens in no other row.
    pub fn seal(&self, purpose: Purpose, bound_to: &str, plain: &[u8]) -> Vec<u8> {
        self.seal_form(purpose, bound_to, PLAIN, plain.to_vec())
    }

    /// Seals a text, deflated if the purpose allows it and the text becomes shorter.
    pub fn seal_text(&self, purpose: Purpose, bound_to: &str, text: &Text<'_>) -> Vec<u8> {
        let (form, octets) = pack(purpose, text);
        self.seal_form(purpose, bound_to, form, octets)
    }

    fn seal_form(
        &self,
        purpose: Purpose,
        bound_to: &str,
        form: u8,
        mut octets: Vec<u8>,
    ) -> Vec<u8> {
        let data_key = &self.keys[0];
        let sealed = key(data_key, purpose, bound_to)
            .seal_in_place_append_tag(aad(form, purpose, bound_to), &mut octets);
        let nonce = sealed.expect("AES-256-GCM seals what fits into memory");
        let head: &[&[u8]] = &[&[VERSION, form], &data_key.id(), nonce.as_ref()];
        [head.concat(), octets].concat()
    }

    /// Opens a text that was sealed for the same purpose and row.
    pub fn open(
        &self,
        purpose: Purpose,
        bound_to: &str,
        sealed: &[u8],
    ) -> Result<Vec<u8>, OpenError> {
        let (&version, rest) = sealed.split_first().ok_or(OpenError::Malformed)?;
        if version != VERSION {
            return Err(OpenError::UnknownVersion(version));
        }
        let (&form, rest) = rest.split_first().ok_or(OpenError::Malformed)?;
        let (id, rest) = rest
            .split_first_chunk::<KEY_ID>()
            .ok_or(OpenError::Malformed)?;
        let (nonce, octets) = rest
            .split_at_checked(NONCE_LEN)
            .ok_or(OpenError::Malformed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| OpenError::Malformed)?;
        let data_key = self.keys.iter().find(|data_key| data_key.id() == *id);
        let data_key = data_key.ok_or(OpenError::UnknownKey)?;
        let mut octets = octets.to_vec();
        let opened = key(data_key, purpose, bound_to).open_in_place(
            nonce,
            aad(form, purpose, bound_to),
            &mut octets,
        );
        let length = opened.map_err(|_| OpenError::Refused)?.len();
        octets.truncate(length);
        unpack(form, octets)
    }

    /// HMAC-SHA256 of `message` under the newest key, 32 octets.
    pub fn mac(&self, purpose: Purpose, message: &[u8]) -> Vec<u8> {
        hmac::sign(&self.keys[0].mac_key(purpose), message)
            .as_ref()
            .to_vec()
    }

    /// Compares `mac` with the MAC of `message` under each key, in constant time.
    pub fn verify_mac(&self, purpose: Purpose, message: &[u8], mac: &[u8]) -> bool {
        self.keys
            .iter()
            .any(|data_key| hmac::verify(&data_key.mac_key(purpose), message, mac).is_ok())
    }
}

fn key(data_key: &DataKey, purpose: Purpose, bound_to: &str) -> RandomizedNonceKey {
    let key = data_key.sealing_key(purpose, bound_to);
    RandomizedNonceKey::new(&AES_256_GCM, &key).expect("AES-256 takes 32 octets")
}

fn aad(form: u8, purpose: Purpose, bound_to: &str) -> Aad<Vec<u8>> {
    Aad::from(
        [
            &[VERSION, form],
            purpose.word().as_bytes(),
            b"\0",
            bound_to.as_bytes(),
        ]
        .concat(),
    )
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(..)")
    }
}

#[cfg(test)]
mod tests;
