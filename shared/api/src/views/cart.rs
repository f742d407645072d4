//! A cart.

use serde_json::{Value, json};
use tandem_domain::cart::{Cart, Choice, Position};

pub fn cart(cart: &Cart) -> Value {
    json!({
        "id": cart.id,
        "name": cart.name,
        "description": cart.description,
        "status": cart.status,
        "positions": cart.positions.iter().map(position).collect::<Vec<_>>(),
        "createdAt": cart.created_at,
        "updatedAt": cart.updated_at,
    })
}

fn position(position: &Position) -> Value {
    json!({
        "position": position.number,
        "offerId": position.offer_id,
        "mandatory": position.choice == Choice::Mandatory,
        "preselected": position.choice == Choice::Preselected,
        "sourceClientId": position.origin.map(|origin| origin.client_id),
    })
}
