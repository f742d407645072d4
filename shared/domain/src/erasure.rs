//! Erasing a customer.
//!
//! The customer's row goes, and with it the key under which everything else about the person is sealed. What the books need
//! stays: orders, subscriptions and payout rows, which know the customer by id only, and a record of who asked for the erasure.
//!
//! ```text
//!              a subscription runs
//!  customer ------------------------> refused: it must end first, by cancellation, refund or charge-back
//!     |
//!     +------------------------------> gone; the record remains
//! ```

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::customer::Customer;
use crate::ids::{ClientId, CompanyId, CustomerId, SubscriptionId};
use crate::subscription::{Life, Subscription};

/// What remains of an erased customer. It holds no data of the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Erasure {
    /// Who was erased.
    pub customer_id: CustomerId,
    /// The contracting company whose customer it was.
    pub company_id: CompanyId,
    /// The client that asked.
    pub asked_by: ClientId,
    /// When.
    pub erased_at: Timestamp,
}

/// Why a customer is not erased.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ErasureError {
    /// Someone has to serve the person, or will ask for money.
    #[error("the customer has subscriptions that run; each must have ended before")]
    StillRunning {
        /// Those of the client that asked.
        own: Vec<(SubscriptionId, &'static str)>,
        /// Whether other clients of the contracting company have some too. Which is theirs to know.
        others: bool,
    },
}

impl Subscription {
    /// Whether someone has to serve the customer now or later. One that was sold for one period ends with it; one that renews
    /// goes on until it is cancelled, paid for or not; one that another system manages goes on until that system ends it.
    pub fn is_running(&self, now: Timestamp) -> bool {
        match self.life {
            Life::Active => self.renews || self.external.is_some() || self.paid_until > now,
            Life::Cancelled { ends_at, .. } => ends_at > now,
            Life::Refunded { .. } | Life::ChargedBack { .. } => false,
        }
    }
}

impl Customer {
    /// Erases the customer, of whom `subscriptions` are the rows of all clients of the contracting company.
    ///
    /// # Errors
    /// A subscription runs.
    pub fn erase<'a>(
        &self,
        by: ClientId,
        subscriptions: impl IntoIterator<Item = &'a Subscription>,
        now: Timestamp,
    ) -> Result<Erasure, ErasureError> {
        let (mut own, mut others) = (Vec::new(), false);
        for running in subscriptions.into_iter().filter(|row| row.is_running(now)) {
            if running.client_id == by {
                own.push((running.id, running.status().as_str()));
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
