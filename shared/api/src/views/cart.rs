//! A cart.

use serde_json::{Value, json};
use tandem_domain::cart::{Cart, CartError, Choice, Position, PositionProblem, Sellability};

/// A cart in a list.
pub fn cart(cart: &Cart) -> Value {
    with_positions(cart, view)
}

/// A cart by itself: whether it can be bought now, and why not.
pub fn sellable_cart(cart: &Cart, sellability: &Sellability) -> Value {
    let mut view = with_positions(cart, |position| {
        let problem = sellability
            .positions
            .iter()
            .find(|(number, _)| *number == position.number)
            .map(|(_, problem)| position_problem(problem));
        let mut view = view(position);
        let price = sellability
            .prices
            .iter()
            .find(|(number, _)| *number == position.number)
            .map(|(_, price)| json!(price));
        view["price"] = price.into();
        view["sellable"] = problem.is_none().into();
        view["problem"] = problem.into();
        view
    });
    view["sellable"] = sellability.refusal.is_none().into();
    view["problem"] = sellability.refusal.as_ref().map(cart_problem).into();
    view
}

fn cart_problem(error: &CartError) -> Value {
    json!({"code": error.code(), "detail": error.to_string()})
}

fn position_problem(problem: &PositionProblem) -> Value {
    json!({"code": problem.code(), "detail": problem.to_string()})
}

fn with_positions(cart: &Cart, position: impl Fn(&Position) -> Value) -> Value {
    json!({
        "id": cart.id,
        "name": cart.name,
        "description": cart.description,
        "status": cart.status,
        "positions": cart.positions.iter().map(position).collect::<Vec<_>>(),
        "metadata": cart.metadata,
        "createdAt": cart.created_at,
        "updatedAt": cart.updated_at,
    })
}

fn view(position: &Position) -> Value {
    json!({
        "position": position.number,
        "offerId": position.offer_id,
        "mandatory": position.choice == Choice::Mandatory,
        "preselected": position.choice == Choice::Preselected,
        "sourceClientId": position.origin.map(|origin| origin.client_id),
    })
}
