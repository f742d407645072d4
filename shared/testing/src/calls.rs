//! Records the requests of a client: their operations, the keys that they read, and the capacity that they use.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_dynamodb::operation::batch_get_item::{BatchGetItemInput, BatchGetItemOutput};
use aws_sdk_dynamodb::operation::get_item::{GetItemInput, GetItemOutput};
use aws_sdk_dynamodb::operation::put_item::{PutItemInput, PutItemOutput};
use aws_sdk_dynamodb::operation::query::{QueryInput, QueryOutput};
use aws_sdk_dynamodb::operation::transact_write_items::{
    TransactWriteItemsInput, TransactWriteItemsOutput,
};
use aws_sdk_dynamodb::types::{AttributeValue, ConsumedCapacity, ReturnConsumedCapacity};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextMut,
    BeforeTransmitInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

/// Capacity units of the table and its indexes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Capacity {
    pub read: f64,
    /// A transaction's writes count twice, as DynamoDB charges them.
    pub write: f64,
}

/// A key that was read, or a partition that was queried.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReadKey {
    /// Partition key of the table or of an index.
    pub pk: String,
    /// `None` for a query.
    pub sk: Option<String>,
}

#[derive(Debug, Default)]
struct Seen {
    names: Vec<String>,
    reads: Vec<ReadKey>,
    capacity: Capacity,
}

/// Records all requests. Clones share the record.
#[derive(Debug, Clone, Default)]
pub(crate) struct Calls(Arc<Mutex<Seen>>);

impl Calls {
    pub(crate) fn names(&self) -> Vec<String> {
        self.seen().names.clone()
    }

    pub(crate) fn reads(&self) -> Vec<ReadKey> {
        self.seen().reads.clone()
    }

    pub(crate) fn capacity(&self) -> Capacity {
        self.seen().capacity
    }

    pub(crate) fn reset(&self) {
        *self.seen() = Seen::default();
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn text(of: &HashMap<String, AttributeValue>, name: &str) -> Option<String> {
    of.get(name)?.as_s().ok().cloned()
}

fn read_key(key: &HashMap<String, AttributeValue>) -> Option<ReadKey> {
    Some(ReadKey {
        pk: text(key, "pk")?,
        sk: text(key, "sk"),
    })
}

#[dyn_dispatch_hint]
impl Intercept for Calls {
    fn name(&self) -> &'static str {
        "Calls"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let input = context.input_mut();
        let wanted = Some(ReturnConsumedCapacity::Total);
        if let Some(input) = input.downcast_mut::<GetItemInput>() {
            input.return_consumed_capacity = wanted;
            self.seen().reads.extend(input.key().and_then(read_key));
        } else if let Some(input) = input.downcast_mut::<BatchGetItemInput>() {
            input.return_consumed_capacity = wanted;
            let tables = input.request_items().into_iter().flat_map(HashMap::values);
            self.seen()
                .reads
                .extend(tables.flat_map(|rows| rows.keys()).filter_map(read_key));
        } else if let Some(input) = input.downcast_mut::<QueryInput>() {
            input.return_consumed_capacity = wanted;
            let partition = [":pk", ":shard"]
                .iter()
                .find_map(|name| text(input.expression_attribute_values()?, name));
            self.seen()
                .reads
                .extend(partition.map(|pk| ReadKey { pk, sk: None }));
        } else if let Some(input) = input.downcast_mut::<TransactWriteItemsInput>() {
            input.return_consumed_capacity = wanted;
        } else if let Some(input) = input.downcast_mut::<PutItemInput>() {
            input.return_consumed_capacity = wanted;
        }
        Ok(())
    }

    // Called before each attempt, so each retry counts.
    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation = config.load::<Metadata>().map_or("unknown", Metadata::name);
        self.seen().names.push(operation.to_owned());
        Ok(())
    }

    #[expect(
        clippy::float_arithmetic,
        reason = "units are floats, in steps of a half"
    )]
    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Ok(output) = context.output_or_error() else {
            return Ok(());
        };
        let sum = |used: &[ConsumedCapacity]| {
            used.iter()
                .filter_map(|used| used.capacity_units)
                .sum::<f64>()
        };
        let capacity = &mut self.seen().capacity;
        if let Some(output) = output.downcast_ref::<GetItemOutput>() {
            capacity.read += sum(output.consumed_capacity.as_slice());
        } else if let Some(output) = output.downcast_ref::<BatchGetItemOutput>() {
            capacity.read += sum(output.consumed_capacity());
        } else if let Some(output) = output.downcast_ref::<QueryOutput>() {
            capacity.read += sum(output.consumed_capacity.as_slice());
        } else if let Some(output) = output.downcast_ref::<TransactWriteItemsOutput>() {
            capacity.write += sum(output.consumed_capacity());
        } else if let Some(output) = output.downcast_ref::<PutItemOutput>() {
            capacity.write += sum(output.consumed_capacity.as_slice());
        }
        Ok(())
    }
}
