//! Random spread, so that callbacks do not all retry at the same moment.

pub(crate) use tandem_sealing::random::per_mille;
