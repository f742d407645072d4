//! Erasing a customer.
//!
//! The customer's row is deleted, and with it the key that encrypts all other personal data. The books stay: orders,
//! subscriptions and payout rows hold the customer's id only. A record names the client that requested the erasure.
//!
//! ```text
//!              a subscription runs
//!  customer ------------------------> refused: it must end first, by cancellation, refund or charge-back
//!     |
//!     +------------------------------> erased; the record remains
//! ```

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::customer::Customer;
use crate::ids::{ClientId, CompanyId, CustomerId, SubscriptionId};
use crate::subscription::Subscription;

/// The record of an erasure. It holds no personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Erasure {
    pub customer_id: CustomerId,
    pub company_id: CompanyId,
    /// The client that requested the erasure.
    pub asked_by: ClientId,
    pub erased_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ErasureError {
    /// Somebody still serves or bills the customer.
    #[error("the customer has running subscriptions; each must end first")]
    StillRunning {
        /// Those of the requesting client.
        own: Vec<(SubscriptionId, &'static str)>,
        /// Whether other clients of the contracting company have running subscriptions; their ids are not disclosed.
        others: bool,
    },
}

impl Customer {
    /// Erases the customer; `subscriptions` are the rows of all clients of the contracting company.
    pub fn erase<'a>(
        &self,
        by: ClientId,
        subscriptions: impl IntoIterator<Item = &'a Subscription>,
        now: Timestamp,
    ) -> Result<Erasure, ErasureError> {
        let (mut own, mut others) = (Vec::new(), false);
        for running in subscriptions.into_iter().filter(|row| row.is_running(now)) {
            if running.client_id == by {
                own.push((running.id, running.status(now).as_str()));
            } else {
                others = true;
            }
        }
        if !own.is_empty() || others {
            return Err(ErasureError::StillRunning { own, others });
        }
        Ok(Erasure {
            customer_id: self.id,
            company_id: self.company_id,
            asked_by: by,
            erased_at: now,
        })
    }
}
