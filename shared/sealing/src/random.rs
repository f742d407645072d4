//! Random numbers, from the operating system's generator by way of AWS-LC.

use aws_lc_rs::rand;

/// Random octets. Panics if the operating system has none: no secret would be safe then.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the operating system gives random numbers");
    bytes
}

pub fn bits128() -> u128 {
    u128::from_be_bytes(bytes())
}

/// Thousandths, 0 to 1,000: spreads retries, so that they do not all come at the same moment.
pub fn per_mille() -> u16 {
    u16::from_le_bytes(bytes()) % 1_001
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_values_do_not_repeat() {
        assert_ne!(bits128(), bits128());
        assert_ne!(bytes::<32>(), bytes::<32>());
    }
}
