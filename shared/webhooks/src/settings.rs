//! What a sender is told when it is made.

use std::time::Duration;

use tandem_domain::callback_url::LocalTargets;

/// Deadlines and exceptions. The defaults are those of production.
#[derive(Debug, Clone)]
pub struct SenderSettings {
    /// Targets of a local stack: not judged, plain http allowed. Empty in production.
    pub local_targets: LocalTargets,
    /// Until the connection stands: look-up, TCP and TLS together.
    pub connect_timeout: Duration,
    /// From the beginning until status and headers of the answer are there.
    pub first_byte_timeout: Duration,
    /// From the beginning until the answer has been read.
    pub total_timeout: Duration,
}

impl Default for SenderSettings {
    fn default() -> Self {
        Self {
            local_targets: LocalTargets::default(),
            connect_timeout: Duration::from_secs(3),
            first_byte_timeout: Duration::from_secs(10),
            total_timeout: Duration::from_secs(15),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_domain::endpoint_health::{PATIENCE, PROBE};

    #[test]
    fn a_probe_is_over_before_another_one_begins() {
        assert!(PROBE.unsigned_abs() > SenderSettings::default().total_timeout);
    }

    #[test]
    fn an_endpoint_that_hangs_is_known_before_an_attempt_has_failed() {
        assert!(PATIENCE.unsigned_abs() < SenderSettings::default().first_byte_timeout);
    }
}
