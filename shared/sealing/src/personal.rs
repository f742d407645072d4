//! A key for each person, so that deleting the key erases the person.
//!
//! Personal data outside the person's own row (callbacks, stored answers) is sealed under that person's key. The key is stored,
//! sealed, in the person's row only. Once the row is deleted, no copy of the data can be read (NIST SP 800-88, 2.5: cryptographic
//! erase).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::data_key::{DataKey, Purpose};
use crate::random;
use crate::seal::{OpenError, Sealer};

impl Sealer {
    /// A new, sealed key of 256 random bits; `bound_to` is the person's id.
    pub fn new_personal_key(&self, bound_to: &str) -> String {
        self.seal(
            Purpose::PersonalKey,
            bound_to,
            STANDARD.encode(random::bytes::<32>()).as_bytes(),
        )
    }

    /// The sealer of a person. Fails if the sealed key belongs to another person.
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
    fn personal_data_opens_with_that_persons_key_only() {
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

    /// infra/operate/sealing.py opens the same texts.
    #[test]
    fn texts_of_earlier_releases_open() {
        let data_key =
            DataKey::from_secret("0123456789abcdef0123456789abcdef").expect("long enough");
        let sealer = Sealer::new(data_key);
        let lines = include_str!("../sealed_texts.tsv")
            .lines()
            .filter(|line| !line.starts_with('#'));
        let mut opened = 0;
        for line in lines {
            let [word, bound_to, person, sealed, plain] = line
                .split('\t')
                .collect::<Vec<_>>()
                .try_into()
                .expect("five columns");
            let purpose = Purpose::ALL
                .into_iter()
                .find(|purpose| purpose.word() == word)
                .expect("a purpose");
            let sealer = match person {
                "-" => sealer.clone(),
                key => sealer.personal("cus_1", key).expect("the person's key"),
            };
            let expected = Ok(plain.as_bytes().to_vec());
            assert_eq!(sealer.open(purpose, bound_to, sealed), expected, "{line}");
            opened += 1;
        }
        assert_eq!(opened, 6);
    }

    #[test]
    fn a_key_does_not_open_for_another_person() {
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
