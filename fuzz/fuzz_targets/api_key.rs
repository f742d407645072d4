//! API keys: the parser accepts exactly the keys that an independent parser of the same grammar accepts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tandem_sealing::api_key::{PresentedKey, is_key_id};
use tandem_sealing::sha256_hex;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// `tdm_`, 16 characters of key id, `_`, 32 of secret.
const BODY: usize = 53;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        check(text);
    }
    // Mutation does not find a checksum, so half of the inputs are valid keys with one changed character.
    if let [position, other, of_key @ ..] = bytes
        && of_key.len() >= 48
    {
        let key = key_of(of_key);
        assert!(PresentedKey::parse(&key).is_some(), "{key} is right");
        let mut wrong = key.clone().into_bytes();
        let position = usize::from(*position) % wrong.len();
        wrong[position] = other & 0x7f;
        let wrong = String::from_utf8(wrong).expect("ASCII");
        assert_eq!(
            PresentedKey::parse(&wrong).is_some(),
            wrong == key,
            "{wrong}"
        );
        check(&wrong);
    }
});

fn check(text: &str) {
    let presented = PresentedKey::parse(text);
    assert_eq!(presented.is_some(), is_key(text), "{text}");
    let Some(presented) = presented else { return };
    assert!(is_key_id(&presented.key_id));
    assert_eq!((text.len(), presented.key_id.as_str()), (60, &text[4..20]));
    assert!(presented.matches(&sha256_hex(&text.as_bytes()[21..BODY])));
    assert!(!presented.matches(&sha256_hex(&text.as_bytes()[21..BODY - 1])));
    assert!(
        !format!("{presented:?}").contains(&text[21..BODY]),
        "a secret is printed"
    );
}

/// An independent parser of the documented grammar.
fn is_key(text: &str) -> bool {
    let bytes = text.as_bytes();
    let in_alphabet =
        |range: std::ops::Range<usize>| bytes[range].iter().all(|byte| ALPHABET.contains(byte));
    bytes.len() == 60
        && bytes.starts_with(b"tdm_")
        && bytes[20] == b'_'
        && in_alphabet(4..20)
        && in_alphabet(21..BODY)
        && bytes[BODY..] == checksum(&bytes[..BODY])
}

fn key_of(bytes: &[u8]) -> String {
    let mut of: Vec<u8> = bytes
        .iter()
        .take(48)
        .map(|byte| ALPHABET[usize::from(byte % 32)])
        .collect();
    let secret = of.split_off(16);
    let body = [b"tdm_".as_slice(), &of, b"_", &secret].concat();
    let checksum = checksum(&body);
    String::from_utf8([body, checksum].concat()).expect("ASCII")
}

/// CRC-32 (IEEE 802.3) bit by bit, as seven characters, the most significant first.
fn checksum(bytes: &[u8]) -> Vec<u8> {
    let step = |crc: u32| (crc >> 1) ^ (0xedb8_8320 * (crc & 1));
    let crc = !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc))
    });
    (0..7)
        .rev()
        .map(|place| ALPHABET[((u64::from(crc) >> (5 * place)) & 31) as usize])
        .collect()
}
