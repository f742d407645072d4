//! A key for each person, so that deleting the key erases the person.
//!
//! Personal data outside the person's own row (callbacks, stored answers) is sealed under that person's key. The key is stored,
//! sealed, in the person's row only. Once the row is deleted, no copy of the data can be read (NIST SP 800-88, 2.5: cryptographic
//! erase).

use crate::data_key::{DataKey, Purpose};
use crate::random;
use crate::seal::{OpenError, Sealer};

impl Sealer {
    /// A new, sealed key of 256 random bits; `bound_to` is the person's id.
    pub fn new_personal_key(&self, bound_to: &str) -> Vec<u8> {
        self.seal(Purpose::PersonalKey, bound_to, &random::bytes::<32>())
    }

    /// The sealer of a person. Fails if the sealed key belongs to another person.
    pub fn personal(&self, bound_to: &str, sealed_key: &[u8]) -> Result<Self, OpenError> {
        let key = self.open(Purpose::PersonalKey, bound_to, sealed_key)?;
        Ok(Self::new(DataKey::of_octets(&key)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer() -> Sealer {
        Sealer::new(DataKey::from_secret(&"x".repeat(32)).expect("long enough"))
    }

    #[test]
    fn personal_data_opens_with_that_persons_key_only() {
        let (anna, ben) = (
            sealer().new_personal_key("cus_1"),
            sealer().new_personal_key("cus_2"),
        );
        let of = |id: &str, key: &[u8]| sealer().personal(id, key).expect("a key");
        let sealed = of("cus_1", &anna).seal(Purpose::PersonalData, "cbk_1", b"Anna");
        assert_eq!(
            of("cus_1", &anna).open(Purpose::PersonalData, "cbk_1", &sealed),
            Ok(b"Anna".to_vec())
        );
        assert_eq!(
            of("cus_2", &ben).open(Purpose::PersonalData, "cbk_1", &sealed),
            Err(OpenError::UnknownKey)
        );
        assert_eq!(
            sealer().open(Purpose::PersonalData, "cbk_1", &sealed),
            Err(OpenError::UnknownKey)
        );
    }

    #[test]
    fn a_key_does_not_open_for_another_person() {
        let key = sealer().new_personal_key("cus_1");
        assert_eq!(
            sealer().personal("cus_2", &key).err(),
            Some(OpenError::Refused)
        );
        assert_eq!(
            sealer().personal("cus_1", b"").err(),
            Some(OpenError::Malformed)
        );
    }
}
