//! API keys: `tdm_<key id>_<secret><checksum>`, all in lower-case Crockford base32.
//!
//! ```text
//! tdm_0123456789abcdef_0123456789abcdefghjkmnpqrstvwxyz3tmq654
//!     `-- public id -' `----------- secret -----------'`-----'
//!         80 bits                   160 bits           CRC-32 of all before it
//! ```
//!
//! The checksum lets scanners of repositories and logs recognise a key, and lets Tandem reject a mistyped key without a table
//! read. It is not a protection: anyone can compute it.

use std::fmt;

use secrecy::SecretString;

use crate::hash::{equal, sha256_hex};
use crate::{base32, random};

const PREFIX: &str = "tdm_";
const KEY_ID: usize = 16;
const SECRET: usize = 32;
const CHECKSUM: usize = 7;
const LENGTH: usize = PREFIX.len() + KEY_ID + 1 + SECRET + CHECKSUM;

/// Whether a text has the form of a key's public part.
pub fn is_key_id(text: &str) -> bool {
    text.len() == KEY_ID && base32::is_base32(text)
}

/// A new key. Its text is shown once; its id and hash are stored.
#[derive(Debug)]
pub struct NewApiKey {
    /// The public part.
    pub key_id: String,
    /// SHA-256 of the secret, hex.
    pub secret_hash: String,
    /// The whole key, for the client.
    pub text: SecretString,
}

impl NewApiKey {
    pub fn generate() -> Self {
        let key_id = base32::of_bytes(&random::bytes::<10>());
        let secret = base32::of_bytes(&random::bytes::<20>());
        let secret_hash = sha256_hex(secret.as_bytes());
        let body = format!("{PREFIX}{key_id}_{secret}");
        let checksum = checksum(&body);
        Self {
            key_id,
            secret_hash,
            text: (body + &checksum).into(),
        }
    }
}

/// A well-formed key from a request; its secret is not checked yet.
#[derive(Clone, PartialEq, Eq)]
pub struct PresentedKey {
    /// The public part.
    pub key_id: String,
    /// SHA-256 of the presented secret, hex.
    pub secret_hash: String,
}

impl PresentedKey {
    /// Parses a key; `None` if its form or checksum is wrong.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != LENGTH || !text.is_ascii() {
            return None;
        }
        let (body, checksum_given) = text.split_at(LENGTH - CHECKSUM);
        let (key_id, secret) = body.strip_prefix(PREFIX)?.split_once('_')?;
        let well_formed = is_key_id(key_id) && base32::is_base32(secret);
        (well_formed && checksum(body) == checksum_given).then(|| Self {
            key_id: key_id.to_owned(),
            secret_hash: sha256_hex(secret.as_bytes()),
        })
    }

    /// Compares the secret with the stored hash in constant time.
    pub fn matches(&self, stored_hash: &str) -> bool {
        equal(self.secret_hash.as_bytes(), stored_hash.as_bytes())
    }
}

impl fmt::Debug for PresentedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresentedKey")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

fn checksum(body: &str) -> String {
    base32::of_number(u64::from(crc32fast::hash(body.as_bytes())), CHECKSUM as u32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use secrecy::ExposeSecret as _;

    #[test]
    fn a_key_matches_its_stored_hash() {
        let key = NewApiKey::generate();
        assert_eq!(key.text.expose_secret().len(), 60);
        let presented = PresentedKey::parse(key.text.expose_secret()).expect("well-formed");
        assert_eq!(presented.key_id, key.key_id);
        assert!(presented.matches(&key.secret_hash));
    }

    #[test]
    fn another_key_does_not_match() {
        let presented =
            PresentedKey::parse(NewApiKey::generate().text.expose_secret()).expect("well-formed");
        assert!(!presented.matches(&NewApiKey::generate().secret_hash));
        assert!(!presented.matches(""));
    }

    #[test]
    fn a_key_with_any_changed_character_is_rejected() {
        let key = NewApiKey::generate();
        let text = key.text.expose_secret();
        for index in 0..text.len() {
            for other in ["0", "1", "A", "_", "i"] {
                let mut changed = text.to_owned();
                changed.replace_range(index..=index, other);
                assert!(
                    changed == text || PresentedKey::parse(&changed).is_none(),
                    "character {index} to {other}"
                );
            }
        }
    }

    #[test]
    fn a_longer_shorter_or_uppercase_key_is_rejected() {
        let key = NewApiKey::generate();
        let text = key.text.expose_secret();
        for wrong in [
            format!("{text}0"),
            format!(" {text}"),
            text[1..].to_owned(),
            text.to_uppercase(),
            String::new(),
        ] {
            assert_eq!(PresentedKey::parse(&wrong), None);
        }
    }

    #[test]
    fn the_format_of_keys_never_changes() {
        let text = "tdm_0123456789abcdef_0123456789abcdefghjkmnpqrstvwxyz3tmq654";
        let key = PresentedKey::parse(text).expect("well-formed");
        assert_eq!(key.key_id, "0123456789abcdef");
        assert_eq!(
            key.secret_hash,
            sha256_hex(b"0123456789abcdefghjkmnpqrstvwxyz")
        );
    }

    #[test]
    fn secrets_are_not_printed() {
        let key = NewApiKey::generate();
        let presented = PresentedKey::parse(key.text.expose_secret()).expect("well-formed");
        assert!(!format!("{key:?}").contains(&key.text.expose_secret()[21..]));
        assert!(!format!("{presented:?}").contains(&key.secret_hash));
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "(tdm_)?[0-9a-zé_]{0,60}") {
            prop_assert_eq!(PresentedKey::parse(&text), None);
        }
    }
}
