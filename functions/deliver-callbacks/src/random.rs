//! Random spread, so that callbacks do not all retry at the same moment.

/// Thousandths, 0 to 1,000.
pub(crate) fn per_mille() -> u16 {
    u16::from_le_bytes(tandem_sealing::random::bytes::<2>()) % 1_001
}
