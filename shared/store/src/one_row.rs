//! A commit of one row, as a conditional put: one write unit for each kilobyte, where a transaction takes two.
//!
//! A put has no `ClientRequestToken`. If its answer is lost, the SDK sends it again, and the condition fails on the row that the
//! first send wrote. So each put carries random octets of its own, and the failed condition returns the row as it is: if the row
//! has these octets, the first send took effect.
//!
//! Not guaranteed: if another writer replaces the row between both sends, the commit reports a conflict, and its caller decides
//! again on the newer row.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use uuid::Uuid;

use crate::entity::{Item, RawKey};
use crate::transaction::{CommitError, Condition};
use crate::{Conflict, Store, StoreError};

/// The attribute with the octets of the last put.
const COMMIT: &str = "commit";

impl Store {
    pub(crate) async fn put(
        &self,
        key: &RawKey,
        mut item: Item,
        condition: Condition,
    ) -> Result<(), CommitError> {
        let own = AttributeValue::B(Blob::new(&Uuid::new_v4().as_bytes()[8..]));
        item.insert(COMMIT.to_owned(), own.clone());
        let throttled = self.throttled();
        let sent = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression(condition.expression)
            .set_expression_attribute_names(condition.names)
            .set_expression_attribute_values(condition.values)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let Err(error) = sent else {
            return Ok(());
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                let stored = failed.item().and_then(|row| row.get(COMMIT));
                if stored == Some(&own) {
                    return Ok(());
                }
                Err(CommitError::Conflict(Conflict(vec![key.clone()])))
            }
            Some(PutItemError::TransactionConflictException(_)) => {
                Err(CommitError::Conflict(Conflict(vec![key.clone()])))
            }
            _ => {
                let throttled = self.throttled() > throttled;
                Err(StoreError::of(error).or_throttled(throttled).into())
            }
        }
    }
}
