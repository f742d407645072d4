use tandem_domain::ids::{ClientId, OfferId};
use tandem_domain::offer::Offer;

use crate::entity::{Entity, Indexes, Key};
use crate::list::List;
use crate::rows::Share;

pub fn offer(owner: ClientId, id: OfferId) -> Key<Offer> {
    Key::new(format!("{owner}#{id}"), "offer")
}

pub fn offers_of(owner: ClientId) -> List<Offer> {
    List::gsi1(format!("{owner}#offers"))
}

impl Entity for Offer {
    fn key(&self) -> Key<Self> {
        offer(self.client_id, self.id)
    }
    fn indexes(&self) -> Indexes {
        Indexes::default().in_list(offers_of(self.client_id), self.id)
    }
    fn version(&self) -> u64 {
        self.version
    }
}

/// The share of an offer with a target client.
pub fn share(target: ClientId, offer: OfferId) -> Key<Share> {
    Key::new(shares_partition(target), offer.to_string())
}

/// All shares with a target client.
pub fn shares_with(target: ClientId) -> List<Share> {
    List::table(shares_partition(target), "off_")
}

fn shares_partition(target: ClientId) -> String {
    format!("{target}#shared")
}

impl Entity for Share {
    fn key(&self) -> Key<Self> {
        share(self.target, self.offer_id)
    }
}
