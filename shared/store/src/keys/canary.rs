use crate::entity::{Entity, Key};
use crate::rows::Canary;

pub fn canary() -> Key<Canary> {
    Key::new("canary".to_owned(), "canary")
}

impl Entity for Canary {
    fn key(&self) -> Key<Self> {
        canary()
    }
}
