//! Everything random comes from here: the operating system's generator by way of AWS-LC.

use aws_lc_rs::rand;

/// Random octets.
///
/// # Panics
/// The operating system gives no random numbers; nothing safe could be done then.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the operating system gives random numbers");
    bytes
}

/// 128 random bits.
///
/// # Panics
/// As [`bytes`].
pub fn bits128() -> u128 {
    u128::from_be_bytes(bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_random_does_not_repeat_itself() {
        assert_ne!(bits128(), bits128());
        assert_ne!(bytes::<32>(), bytes::<32>());
    }
}
