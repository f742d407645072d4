//! A purchase must not sell through a blocked connection.

use tandem_store::keys;
use tandem_tests::Answer;

use crate::run::Run;
use crate::step::Call;
use crate::world::Link;

impl Run<'_> {
    /// The inactive connections, through which a purchase must not sell.
    pub(crate) async fn unsold(&self, call: &Call) -> Vec<Link> {
        let Call::Purchase { cart, .. } = call else {
            return Vec::new();
        };
        let cart = &self.world.carts[*cart];
        let mut unsold = Vec::new();
        for link in self
            .world
            .links
            .iter()
            .filter(|link| link.target == cart.seller && cart.sources.contains(&link.source))
        {
            let id = link.id.parse().expect("an id");
            let connection = self
                .stage
                .app
                .store
                .get(&keys::connection(id))
                .await
                .expect("read")
                .expect("a connection");
            if connection.state.as_str() != "active" {
                unsold.push(link.clone());
            }
        }
        unsold
    }

    /// A purchase must not sell through a connection that is blocked both before and after it.
    pub(crate) async fn not_sold_by_blocked(
        &mut self,
        call: &Call,
        before: Vec<Link>,
        answer: Option<&Answer>,
    ) {
        let sold = answer.is_some_and(|answer| answer.status == 201 && !answer.is_repeated());
        if before.is_empty() || !sold {
            return;
        }
        let after = self.unsold(call).await;
        if let Some(link) = before
            .iter()
            .find(|link| after.iter().any(|other| other.id == link.id))
        {
            self.wrong.push(format!(
                "{call:?} sells over the connection of {} to {}, which is blocked",
                link.source, link.target
            ));
        }
    }
}
