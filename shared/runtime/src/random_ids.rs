//! Random ids and voucher codes.

use jiff::Timestamp;
use tandem_domain::IdSource;
use tandem_domain::ids::ClientId;
use tandem_domain::import::decide::ExternalHash;
use tandem_domain::text::ExternalId;
use tandem_domain::voucher::{NewVoucher, VoucherCode, VoucherHash};
use tandem_sealing::{random, sha256_hex};
use uuid::{ContextV7, Uuid};

/// 128 bits.
const VOUCHER_HASH_DIGITS: usize = 32;

/// Generates from the operating system's randomness. Ids carry the given time and increase within it.
pub struct RandomIds {
    seconds: u64,
    nanoseconds: u32,
    context: ContextV7,
}

impl RandomIds {
    /// One per request or message.
    pub fn at(now: Timestamp) -> Self {
        Self {
            seconds: u64::try_from(now.as_second()).unwrap_or(0),
            nanoseconds: u32::try_from(now.subsec_nanosecond()).unwrap_or(0),
            context: ContextV7::new(),
        }
    }
}

impl IdSource for RandomIds {
    fn uuid(&mut self) -> Uuid {
        Uuid::new_v7(uuid::Timestamp::from_unix(
            &self.context,
            self.seconds,
            self.nanoseconds,
        ))
    }

    fn voucher(&mut self, source: ClientId) -> NewVoucher {
        let code = VoucherCode::from_bits(random::bits128());
        let hash = hash_of(source, &code);
        NewVoucher { code, hash }
    }
}

/// The lookup hash of an imported order's `externalSystemId`, which is unique for a client. A client's id has no line break.
pub fn hash_of_external(client: ClientId, id: &ExternalId) -> ExternalHash {
    ExternalHash::of(&sha256_hex(format!("{client}\n{id}").as_bytes()))
}

/// The hash by which a source client's voucher code is stored and looked up.
pub fn hash_of(source: ClientId, code: &VoucherCode) -> VoucherHash {
    let mut hash = sha256_hex(format!("{source}#{}", code.canonical()).as_bytes());
    hash.truncate(VOUCHER_HASH_DIGITS);
    VoucherHash(hash)
}
