//! Crockford's base32 (<https://www.crockford.com/base32.html>) in lower case, as API keys use it.

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Encodes octets. With a length divisible by five, no bits are left over.
pub(crate) fn of_bytes(bytes: &[u8]) -> String {
    bytes
        .chunks(5)
        .flat_map(|chunk| of_number(chunk.iter().fold(0, |n, byte| n << 8 | u64::from(*byte)), 8))
        .collect()
}

/// Encodes the lowest `digits` digits of a number.
pub(crate) fn of_number(number: u64, digits: u32) -> impl Iterator<Item = char> {
    (0..digits)
        .rev()
        .map(move |index| char::from(ALPHABET[((number >> (5 * index)) & 31) as usize]))
}

pub(crate) fn is_base32(text: &str) -> bool {
    text.bytes().all(|byte| ALPHABET.contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_octets_are_eight_digits() {
        assert_eq!(of_bytes(&[0; 5]), "00000000");
        assert_eq!(of_bytes(&[0xff; 10]), "zzzzzzzzzzzzzzzz");
        assert_eq!(of_bytes(&[0x00, 0x44, 0x32, 0x14, 0xc7]), "01234567");
    }

    #[test]
    fn letters_that_look_like_digits_are_rejected() {
        assert!(is_base32("0123456789abcdefghjkmnpqrstvwxyz"));
        for text in ["i", "l", "o", "u", "A", "-", "é"] {
            assert!(!is_base32(text), "{text}");
        }
    }
}
