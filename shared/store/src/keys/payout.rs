use tandem_domain::connection::Side;
use tandem_domain::ids::{ClientId, PayoutId};
use tandem_domain::payout::Payout;

use crate::entity::{Entity, Indexes, Key};
use crate::list::List;

/// Read a payout row by [`crate::Store::payout_of`], which returns it to its two parties only.
pub fn payout(id: PayoutId) -> Key<Payout> {
    Key::new(id.to_string(), "payout")
}

/// The payout rows that have the client on this side.
pub fn payouts_of(client: ClientId, side: Side) -> List<Payout> {
    match side {
        Side::Source => List::gsi1(format!("{client}#payouts#source")).spread(),
        Side::Target => List::gsi2(format!("{client}#payouts#target")).spread(),
    }
}

impl Entity for Payout {
    const KEY_SAYS: &'static [&'static str] = &["id", "createdAt"];

    fn key(&self) -> Key<Self> {
        payout(self.id)
    }
    fn indexes(&self) -> Indexes {
        Indexes::default()
            .in_list(payouts_of(self.source_client_id, Side::Source), self.id)
            .in_list(payouts_of(self.target_client_id, Side::Target), self.id)
    }
    fn version(&self) -> u64 {
        self.version
    }
}
