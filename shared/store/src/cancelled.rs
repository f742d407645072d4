//! Cancelled writes: the meaning of DynamoDB's reasons, and the retries of those that may succeed unchanged.
//!
//! DynamoDB throttles a transaction with `TransactionCanceledException`, which the SDK does not retry, and not with
//! `ThrottlingException`, which it does. [`RetryCancelled`] makes the SDK retry both alike: with its pauses, its quota of retries and
//! its deadline, and with the same `ClientRequestToken`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemError;
use aws_sdk_dynamodb::operation::get_item::GetItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::query::QueryError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::CancellationReason;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    Error, FinalizerInterceptorContextRef, InterceptorContext,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::OrchestratorError;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// Codes of calls that DynamoDB throttles, other than transactions.
const THROTTLING: [&str; 4] = [
    "ThrottlingException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "Throttling",
];

/// Codes of calls that can never succeed.
const INVALID: [&str; 3] = [
    "ValidationException",
    "IdempotentParameterMismatchException",
    "ItemCollectionSizeLimitExceededException",
];

/// Why DynamoDB cancelled a transaction. It wrote nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cancelled {
    /// A row does not meet its condition. Only another decision can succeed.
    ConditionFailed,
    /// The table, an index, or a partition of either has no capacity left. The same transaction may succeed later.
    Throttled,
    /// Another transaction is writing a row; no condition was checked. The same transaction may succeed later.
    Busy,
    /// DynamoDB rejects a row. This is a bug: no repetition can succeed.
    Invalid,
}

impl Cancelled {
    /// `None` if DynamoDB names no reason.
    pub(crate) fn of(reasons: &[CancellationReason]) -> Option<Self> {
        let each = reasons.iter().filter_map(|reason| match code(reason) {
            "None" => None,
            "ConditionalCheckFailed" | "DuplicateItem" => Some(Self::ConditionFailed),
            "ThrottlingError" | "ProvisionedThroughputExceeded" => Some(Self::Throttled),
            "TransactionConflict" => Some(Self::Busy),
            _ => Some(Self::Invalid),
        });
        each.max_by_key(|cancelled| cancelled.weight())
    }

    /// Of several reasons the one with the greatest weight counts. A condition that failed makes a repetition pointless, however
    /// the other rows fare.
    fn weight(self) -> u8 {
        match self {
            Self::Busy => 0,
            Self::Throttled => 1,
            Self::ConditionFailed => 2,
            Self::Invalid => 3,
        }
    }

    fn of_error(error: &TransactWriteItemsError) -> Option<Self> {
        match error {
            TransactWriteItemsError::TransactionCanceledException(cancelled) => {
                Self::of(cancelled.cancellation_reasons())
            }
            _ => None,
        }
    }
}

fn code(reason: &CancellationReason) -> &str {
    reason.code().unwrap_or("None")
}

/// Whether a row with this reason changed, or is being changed by another transaction.
pub(crate) fn is_conflict(reason: &CancellationReason) -> bool {
    matches!(
        code(reason),
        "ConditionalCheckFailed" | "TransactionConflict" | "DuplicateItem"
    )
}

/// The meaning of the code of a call that is not a cancelled transaction; `None` for others.
pub(crate) fn meaning(error: &impl ProvideErrorMetadata) -> Option<Cancelled> {
    let code = error.code()?;
    if THROTTLING.contains(&code) {
        Some(Cancelled::Throttled)
    } else if INVALID.contains(&code) {
        Some(Cancelled::Invalid)
    } else {
        None
    }
}

/// Makes the SDK retry transactions that were throttled, and writes that met another transaction.
#[derive(Debug)]
pub(crate) struct RetryCancelled;

impl ClassifyRetry for RetryCancelled {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(Err(error)) = context.output_or_error() else {
            return RetryAction::NoActionIndicated;
        };
        let error = error.as_operation_error();
        match error.and_then(cancelled) {
            Some(Cancelled::Throttled) => RetryAction::throttling_error(),
            Some(Cancelled::Busy) => RetryAction::transient_error(),
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "cancelled transactions"
    }
}

/// The meaning of a cancelled transaction, or of a put that met a transaction.
fn cancelled(error: &Error) -> Option<Cancelled> {
    if let Some(PutItemError::TransactionConflictException(_)) = error.downcast_ref() {
        return Some(Cancelled::Busy);
    }
    let transaction = error.downcast_ref::<TransactWriteItemsError>();
    transaction.and_then(Cancelled::of_error)
}

/// Counts the attempts that DynamoDB throttles. Clones count together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Throttles(Arc<AtomicU64>);

impl Throttles {
    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[dyn_dispatch_hint]
impl Intercept for Throttles {
    fn name(&self) -> &'static str {
        "throttled attempts"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let error = context.output_or_error().and_then(Result::err);
        let error = error.and_then(OrchestratorError::as_operation_error);
        if error.and_then(meaning_of_any) == Some(Cancelled::Throttled) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// The meaning of an error of any operation that the store uses.
fn meaning_of_any(error: &Error) -> Option<Cancelled> {
    if let Some(error) = error.downcast_ref::<TransactWriteItemsError>() {
        return Cancelled::of_error(error).or_else(|| meaning(error));
    }
    let get = error.downcast_ref::<GetItemError>().map(meaning);
    let get = get.or_else(|| error.downcast_ref::<BatchGetItemError>().map(meaning));
    let read = get.or_else(|| error.downcast_ref::<QueryError>().map(meaning));
    let put = read.or_else(|| error.downcast_ref::<PutItemError>().map(meaning));
    put.flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(codes: &[&str]) -> Vec<CancellationReason> {
        let reason = |code: &&str| CancellationReason::builder().code(*code).build();
        codes.iter().map(reason).collect()
    }

    #[test]
    fn each_mixture_of_reasons_has_one_meaning() {
        const NONE: &str = "None";
        for (codes, meaning) in [
            (&[][..], None),
            (&[NONE, NONE], None),
            (&[NONE, "TransactionConflict"], Some(Cancelled::Busy)),
            (&["ThrottlingError", NONE], Some(Cancelled::Throttled)),
            (
                &["ProvisionedThroughputExceeded"],
                Some(Cancelled::Throttled),
            ),
            (
                &["TransactionConflict", "ThrottlingError"],
                Some(Cancelled::Throttled),
            ),
            (
                &["ThrottlingError", "ConditionalCheckFailed"],
                Some(Cancelled::ConditionFailed),
            ),
            (
                &["ConditionalCheckFailed", "TransactionConflict", NONE],
                Some(Cancelled::ConditionFailed),
            ),
            (&["DuplicateItem"], Some(Cancelled::ConditionFailed)),
            (
                &["ConditionalCheckFailed", "ValidationError"],
                Some(Cancelled::Invalid),
            ),
            (
                &["ItemCollectionSizeLimitExceeded", "ThrottlingError"],
                Some(Cancelled::Invalid),
            ),
            (&["of a later release"], Some(Cancelled::Invalid)),
        ] {
            assert_eq!(Cancelled::of(&reasons(codes)), meaning, "{codes:?}");
        }
    }
}
