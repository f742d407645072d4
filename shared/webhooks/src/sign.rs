//! Signatures of Standard Webhooks 1.0: HMAC-SHA256 over `id.timestamp.body`
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>).

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};

/// Octets of a secret.
const OCTETS: std::ops::RangeInclusive<usize> = 24..=64;

/// An unsigned callback must not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no signing secret, or a secret is not whsec_ and the base64 of 24 to 64 octets")]
pub struct InvalidSecret;

/// The value of the header `webhook-signature`: one `v1` signature for each secret, in their order.
pub fn signature_header(
    secrets: &[SecretString],
    id: &str,
    timestamp_unix_seconds: i64,
    body: &[u8],
) -> Result<String, InvalidSecret> {
    let head = format!("{id}.{timestamp_unix_seconds}.");
    let signatures = secrets.iter().map(|secret| {
        let mut context = hmac::Context::with_key(&key(secret)?);
        context.update(head.as_bytes());
        context.update(body);
        Ok(format!("v1,{}", STANDARD.encode(context.sign())))
    });
    let signatures = signatures.collect::<Result<Vec<_>, _>>()?;
    if signatures.is_empty() {
        Err(InvalidSecret)
    } else {
        Ok(signatures.join(" "))
    }
}

fn key(secret: &SecretString) -> Result<hmac::Key, InvalidSecret> {
    let text = secret
        .expose_secret()
        .strip_prefix("whsec_")
        .ok_or(InvalidSecret)?;
    let octets = STANDARD.decode(text).map_err(|_| InvalidSecret)?;
    if OCTETS.contains(&octets.len()) {
        Ok(hmac::Key::new(hmac::HMAC_SHA256, &octets))
    } else {
        Err(InvalidSecret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;
    use jiff::Timestamp;
    use standardwebhooks::Webhook;

    const OLD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";
    const NEW: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDC2FVsBQIhrs=";

    fn headers(secrets: &[&str], body: &[u8]) -> HeaderMap {
        let secrets: Vec<SecretString> = secrets.iter().map(|secret| (*secret).into()).collect();
        let now = Timestamp::now().as_second();
        let signature = signature_header(&secrets, "cbk_1", now, body).expect("valid secrets");
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", "cbk_1".parse().expect("header"));
        headers.insert(
            "webhook-timestamp",
            now.to_string().parse().expect("header"),
        );
        headers.insert("webhook-signature", signature.parse().expect("header"));
        headers
    }

    fn is_verified(secret: &str, body: &[u8], headers: &HeaderMap) -> bool {
        Webhook::new(secret)
            .expect("valid secret")
            .verify(body, headers)
            .is_ok()
    }

    #[test]
    fn an_independent_library_verifies_our_signatures() {
        let large = format!("{{\"data\": \"{}\"}}", "Straße ".repeat(100 * 1024 / 8));
        assert!(large.len() >= 100 * 1024);
        let bodies = [
            "",
            "{}",
            "{\"name\": \"Jörg Müßiggänger\"}",
            "{\"name\": \"👩‍👩‍👧 🎉\"}",
            "zwei\r\nZeilen",
            &large,
        ];
        for body in bodies {
            assert!(
                is_verified(OLD, body.as_bytes(), &headers(&[OLD], body.as_bytes())),
                "{body:.40}"
            );
        }
    }

    #[test]
    fn a_changed_body_or_another_secret_is_not_verified() {
        let headers = headers(&[OLD], b"{}");
        assert!(!is_verified(OLD, b"{} ", &headers));
        assert!(!is_verified(NEW, b"{}", &headers));
    }

    #[test]
    fn during_a_rotation_either_secret_verifies() {
        let headers = headers(&[NEW, OLD], b"{}");
        assert!(is_verified(NEW, b"{}", &headers));
        assert!(is_verified(OLD, b"{}", &headers));
    }

    #[test]
    fn the_signature_matches_the_specification() {
        let secret = SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let body = br#"{"test": 2432232314}"#;
        let header = signature_header(
            &[secret],
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            body,
        );
        assert_eq!(
            header.as_deref(),
            Ok("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        );
    }

    #[test]
    fn nothing_is_signed_without_a_valid_secret() {
        let too_short = format!("whsec_{}", STANDARD.encode([0; 23]));
        let too_long = format!("whsec_{}", STANDARD.encode([0; 65]));
        for wrong in ["", "whsec_", "whsec_?", &OLD[6..], &too_short, &too_long] {
            assert_eq!(
                signature_header(&[OLD.into(), wrong.into()], "a", 1, b""),
                Err(InvalidSecret),
                "{wrong}"
            );
        }
        assert_eq!(signature_header(&[], "a", 1, b""), Err(InvalidSecret));
    }
}
