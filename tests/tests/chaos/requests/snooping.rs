//! Reads of possibly foreign data.

use super::{Request, text};
use crate::run::Run;

impl Run<'_> {
    /// A read of possibly foreign data.
    pub(super) async fn snoop(
        &mut self,
        client: usize,
        order: usize,
        list: &str,
    ) -> Option<Request> {
        let (seller, body) = self.order(order)?;
        let second = &body["positions"][1];
        let source = second["sourceClientId"]
            .as_str()
            .and_then(|id| self.world.client(id));
        let (path, is_theirs) = match list {
            "orders" => (
                format!("/v1/orders/{}", text(&body["id"])),
                client == seller,
            ),
            "subscriptions" => {
                let id = second["subscriptionId"].as_str()?;
                (
                    format!("/v1/subscriptions/{id}"),
                    client == seller || source == Some(client),
                )
            }
            "payouts" => {
                let mut sources = body["positions"]
                    .as_array()?
                    .iter()
                    .filter_map(|position| position["sourceClientId"].as_str());
                // With several sources, the payout found may belong to either.
                let source = self.world.client(sources.next()?);
                if sources.next().is_some() {
                    return None;
                }
                (
                    format!("/v1/payouts/{}", self.payout(order).await?),
                    client == seller || source == Some(client),
                )
            }
            "callbacks" => {
                let (source, id) = self.callback(order).await?;
                (format!("/v1/callbacks/{id}"), client == source)
            }
            // No history buys or imports for this customer, so it cannot be erased.
            "customers" => (
                format!("/v1/customers/{}", self.world.customers[3][0]),
                client == 3,
            ),
            _ => (
                format!("/v1/connections/{}", self.world.links[1].id),
                matches!(client, 1 | 2),
            ),
        };
        let is_theirs = if list == "customers" && client == 3 {
            None
        } else {
            Some(is_theirs)
        };
        Some(Request {
            is_theirs,
            ..Request::get(client, &path)
        })
    }
}
