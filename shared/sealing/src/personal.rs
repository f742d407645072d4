//! A key for each person, so that a person can be forgotten by forgetting the key.
//!
//! What is kept of a person outside of the person's own row (what callbacks tell, answers that are kept) is sealed under that
//! person's key, and the key is kept, sealed, in the person's row alone. Without the row none of it can be read again,
//! wherever it lies and however much of it there is (NIST SP 800-88, 2.5: cryptographic erase).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::data_key::{DataKey, Purpose};
use crate::random;
use crate::seal::{OpenError, Sealer};

impl Sealer {
    /// A fresh key for a person, 256 random bits, sealed; `bound_to` is the person's id.
    ///
    /// # Panics
    /// The operating system gives no random numbers.
    pub fn new_personal_key(&self, bound_to: &str) -> String {
        self.seal(
            Purpose::PersonalKey,
            bound_to,
            STANDARD.encode(random::bytes::<32>()).as_bytes(),
        )
    }

    /// What seals and opens under the key of a person.
    ///
    /// # Errors
    /// The sealed key is another person's, or none.
    pub fn personal(&self, bound_to: &str, sealed_key: &str) -> Result<Self, OpenError> {
        let key = String::from_utf8(self.open(Purpose::PersonalKey, bound_to, sealed_key)?)
            .map_err(|_| OpenError::Malformed)?;
        DataKey::from_secret(&key)
            .map(Self::new)
            .map_err(|_| OpenError::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer() -> Sealer {
        Sealer::new(DataKey::from_secret(&"x".repeat(32)).expect("long enough"))
    }

    #[test]
    fn what_is_sealed_for_a_person_opens_with_that_persons_key_only() {
        let (anna, ben) = (
            sealer().new_personal_key("cus_1"),
            sealer().new_personal_key("cus_2"),
        );
        let of = |id: &str, key: &str| sealer().personal(id, key).expect("a key");
        let sealed = of("cus_1", &anna).seal(Purpose::PersonalData, "cbk_1", b"Anna");
        assert_eq!(
            of("cus_1", &anna).open(Purpose::PersonalData, "cbk_1", &sealed),
            Ok(b"Anna".to_vec())
        );
        assert_eq!(
            of("cus_2", &ben).open(Purpose::PersonalData, "cbk_1", &sealed),
            Err(OpenError::Refused)
        );
        assert_eq!(
            sealer().open(Purpose::PersonalData, "cbk_1", &sealed),
            Err(OpenError::Refused)
        );
    }

    #[test]
    fn a_persons_key_is_of_no_use_for_another_person() {
        let key = sealer().new_personal_key("cus_1");
        assert_eq!(
            sealer().personal("cus_2", &key).err(),
            Some(OpenError::Refused)
        );
        assert_eq!(
            sealer().personal("cus_1", "").err(),
            Some(OpenError::Malformed)
        );
    }
}
