//! Offers that are sold once to a customer, `oncePerCustomer`: a row for the customer and the offer names the subscription.
//!
//! The row stays when the subscription ends. The next purchase reads the subscription that it names, so a cancellation, a refund
//! or the end of a period needs no further write.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{PurchaseError, Sale};
use crate::ids::{ClientId, CustomerId, OfferId, SubscriptionId};
use crate::subscription::Subscription;

/// The most positions of one purchase whose offers are sold once. With their rows, the largest purchase still fits one
/// transaction.
pub const MAX_ONCE: usize = 10;

/// The latest subscription of a seller's customer to an offer that is sold once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Once {
    /// The seller.
    pub client_id: ClientId,
    pub customer_id: CustomerId,
    pub offer_id: OfferId,
    pub subscription_id: SubscriptionId,
    pub version: u64,
}

impl Sale {
    /// The rows of offers that are sold once: new ones, and those that earlier subscriptions had. `held` are the rows of earlier
    /// purchases, each with the seller's row of its subscription.
    ///
    /// # Errors
    /// All positions whose offer the customer has by a running subscription.
    pub fn take_over(
        &self,
        held: &[(Once, Option<Subscription>)],
        now: Timestamp,
    ) -> Result<Vec<Once>, PurchaseError> {
        let mut running = Vec::new();
        let mut rows = Vec::new();
        for (position, row) in &self.once {
            let earlier = held.iter().find(|(held, _)| held.offer_id == row.offer_id);
            match earlier {
                None => rows.push(row.clone()),
                Some((held, Some(subscription))) if subscription.is_running(now) => {
                    running.push((*position, held.subscription_id));
                }
                Some((held, _)) => rows.push(Once {
                    version: held.version,
                    ..row.clone()
                }),
            }
        }
        if running.is_empty() {
            Ok(rows)
        } else {
            Err(PurchaseError::AlreadySubscribed(running))
        }
    }
}
