use tandem_domain::cart::Cart;
use tandem_domain::ids::{CartId, ClientId};

use crate::entity::{Entity, Indexes, Key};
use crate::list::List;

pub fn cart(owner: ClientId, id: CartId) -> Key<Cart> {
    Key::new(format!("{owner}#{id}"), "cart")
}

pub fn carts_of(owner: ClientId) -> List<Cart> {
    List::gsi1(format!("{owner}#carts"))
}

impl Entity for Cart {
    fn key(&self) -> Key<Self> {
        cart(self.client_id, self.id)
    }
    fn indexes(&self) -> Indexes {
        Indexes::default().in_list(carts_of(self.client_id), self.id)
    }
    fn version(&self) -> u64 {
        self.version
    }
}
