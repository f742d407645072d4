//! Authenticated encryption and MACs.
//!
//! A sealed text is the base64 of a version octet, a nonce of 12 octets, the ciphertext, and a tag of 16 octets.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::data_key::{DataKey, Purpose};

const VERSION: u8 = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Not base64, or too short.
    #[error("not a sealed text")]
    Malformed,
    /// Probably sealed by a later release.
    #[error("unknown version {0} of a sealed text")]
    UnknownVersion(u8),
    /// Changed, or sealed under another key, for another purpose or for another row.
    #[error(
        "the sealed text was changed, or sealed under another key, for another purpose or for another row"
    )]
    Refused,
}

/// Seals and opens under the keys of a [`DataKey`]. Cheap to clone.
#[derive(Clone)]
pub struct Sealer(DataKey);

impl Sealer {
    pub fn new(data_key: DataKey) -> Self {
        Self(data_key)
    }

    /// Seals `plain`. `bound_to` names the row that stores the text; the text opens in no other row.
    pub fn seal(&self, purpose: Purpose, bound_to: &str, plain: &[u8]) -> String {
        let mut text = plain.to_vec();
        let sealed = self
            .key(purpose, bound_to)
            .seal_in_place_append_tag(aad(purpose, bound_to), &mut text);
        let nonce = sealed.expect("AES-256-GCM seals what fits into memory");
        STANDARD.encode([&[VERSION], nonce.as_ref().as_slice(), &text].concat())
    }

    /// Opens a text that [`Sealer::seal`] sealed for the same purpose and row.
    pub fn open(
        &self,
        purpose: Purpose,
        bound_to: &str,
        sealed: &str,
    ) -> Result<Vec<u8>, OpenError> {
        let bytes = STANDARD.decode(sealed).map_err(|_| OpenError::Malformed)?;
        let (&version, rest) = bytes.split_first().ok_or(OpenError::Malformed)?;
        if version != VERSION {
            return Err(OpenError::UnknownVersion(version));
        }
        let (nonce, text) = rest
            .split_at_checked(NONCE_LEN)
            .ok_or(OpenError::Malformed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| OpenError::Malformed)?;
        let mut text = text.to_vec();
        let opened =
            self.key(purpose, bound_to)
                .open_in_place(nonce, aad(purpose, bound_to), &mut text);
        let length = opened.map_err(|_| OpenError::Refused)?.len();
        text.truncate(length);
        Ok(text)
    }

    /// HMAC-SHA256 of `message`, 32 octets.
    pub fn mac(&self, purpose: Purpose, message: &[u8]) -> Vec<u8> {
        hmac::sign(&self.0.mac_key(purpose), message)
            .as_ref()
            .to_vec()
    }

    /// Compares `mac` with the MAC of `message` in constant time.
    pub fn verify_mac(&self, purpose: Purpose, message: &[u8], mac: &[u8]) -> bool {
        hmac::verify(&self.0.mac_key(purpose), message, mac).is_ok()
    }

    fn key(&self, purpose: Purpose, bound_to: &str) -> RandomizedNonceKey {
        let key = self.0.sealing_key(purpose, bound_to);
        RandomizedNonceKey::new(&AES_256_GCM, &key).expect("AES-256 takes 32 octets")
    }
}

fn aad(purpose: Purpose, bound_to: &str) -> Aad<Vec<u8>> {
    Aad::from(
        [
            &[VERSION],
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sealer(character: &str) -> Sealer {
        Sealer::new(DataKey::from_secret(&character.repeat(32)).expect("long enough"))
    }

    proptest! {
        #[test]
        fn a_sealed_text_opens(plain in proptest::collection::vec(any::<u8>(), 0..200), place in ".{0,20}") {
            let sealed = sealer("x").seal(Purpose::CallbackBody, &place, &plain);
            prop_assert_eq!(sealer("x").open(Purpose::CallbackBody, &place, &sealed), Ok(plain));
        }

        #[test]
        fn opening_never_panics(text in ".{0,100}") {
            prop_assert!(sealer("x").open(Purpose::CallbackBody, "a", &text).is_err());
        }
    }

    #[test]
    fn a_text_does_not_open_under_another_key_purpose_or_row() {
        let sealed = sealer("x").seal(Purpose::CallbackBody, "cbk_1", b"plain");
        assert_eq!(
            sealer("y").open(Purpose::CallbackBody, "cbk_1", &sealed),
            Err(OpenError::Refused)
        );
        assert_eq!(
            sealer("x").open(Purpose::SigningSecret, "cbk_1", &sealed),
            Err(OpenError::Refused)
        );
        assert_eq!(
            sealer("x").open(Purpose::CallbackBody, "cbk_2", &sealed),
            Err(OpenError::Refused)
        );
    }

    #[test]
    fn a_change_of_any_octet_is_detected() {
        let sealed = STANDARD
            .decode(sealer("x").seal(Purpose::CallbackBody, "a", b"plain"))
            .expect("base64");
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            let expected = if index == 0 {
                OpenError::UnknownVersion(0)
            } else {
                OpenError::Refused
            };
            let opened = sealer("x").open(Purpose::CallbackBody, "a", &STANDARD.encode(changed));
            assert_eq!(opened, Err(expected), "octet {index}");
        }
    }

    #[test]
    fn a_text_that_is_too_short_is_malformed() {
        for text in ["", "AQ==", "AQAAAAAAAAAAAAA=", "no base64"] {
            assert_eq!(
                sealer("x").open(Purpose::Cursor, "a", text),
                Err(OpenError::Malformed),
                "{text}"
            );
        }
    }

    #[test]
    fn the_same_text_is_sealed_differently_each_time() {
        assert_ne!(
            sealer("x").seal(Purpose::Cursor, "a", b"plain"),
            sealer("x").seal(Purpose::Cursor, "a", b"plain")
        );
    }

    #[test]
    fn a_mac_is_valid_for_its_message_purpose_and_key_only() {
        let mac = sealer("x").mac(Purpose::Cursor, b"message");
        assert_eq!(mac.len(), 32);
        assert!(sealer("x").verify_mac(Purpose::Cursor, b"message", &mac));
        assert!(!sealer("x").verify_mac(Purpose::Cursor, b"massage", &mac));
        assert!(!sealer("x").verify_mac(Purpose::IdempotentAnswer, b"message", &mac));
        assert!(!sealer("y").verify_mac(Purpose::Cursor, b"message", &mac));
        assert!(!sealer("x").verify_mac(Purpose::Cursor, b"message", &mac[..31]));
        assert!(!sealer("x").verify_mac(Purpose::Cursor, b"message", b""));
    }

    #[test]
    fn a_sealer_is_not_printed() {
        assert_eq!(format!("{:?}", sealer("x")), "Sealer(..)");
    }
}
