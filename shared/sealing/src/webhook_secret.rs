//! Secrets that sign callbacks, in the form of Standard Webhooks 1.0.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;

use crate::random;

/// A new signing secret: `whsec_` and the base64 of 32 random octets.
pub fn new_webhook_secret() -> SecretString {
    format!("whsec_{}", STANDARD.encode(random::bytes::<32>())).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;

    #[test]
    fn a_secret_has_the_prefix_and_32_octets() {
        let secret = new_webhook_secret();
        let octets = secret
            .expose_secret()
            .strip_prefix("whsec_")
            .map(|text| STANDARD.decode(text));
        assert_eq!(octets.expect("prefix").expect("base64").len(), 32);
    }

    #[test]
    fn a_secret_is_not_printed() {
        assert!(!format!("{:?}", new_webhook_secret()).contains("whsec_"));
    }
}
