use tandem_domain::ids::ClientId;
use tandem_domain::voucher::{Voucher, VoucherHash};

use crate::entity::{Entity, Key};

/// A voucher of a source client, by the hash of its code.
pub fn voucher(source: ClientId, hash: &VoucherHash) -> Key<Voucher> {
    Key::new(format!("{source}#voucher#{}", hash.0), "voucher")
}

impl Entity for Voucher {
    fn key(&self) -> Key<Self> {
        voucher(self.client_id, &self.hash)
    }
    fn version(&self) -> u64 {
        self.version
    }
}
