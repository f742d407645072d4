//! Vouchers: the index `voucher` leads from the hash of a code to the source's row of the sold subscription.
//!
//! The domain's member `voucherHash` is the key of the index. A row without it is not in the index: a void voucher is not found.

use aws_sdk_dynamodb::types::AttributeValue;
use tandem_domain::ids::ClientId;
use tandem_domain::subscription::Subscription;
use tandem_domain::voucher::VoucherHash;

use crate::entity::{Key, RawKey};
use crate::{Store, StoreError};

impl Store {
    /// The source's row of a subscription by the hash of its voucher. The index follows the table after some milliseconds; the
    /// row is read consistently.
    pub async fn sold_with_voucher(
        &self,
        source: ClientId,
        hash: &VoucherHash,
    ) -> Result<Option<Subscription>, StoreError> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("voucher")
            .key_condition_expression("voucherHash = :hash")
            .expression_attribute_values(":hash", AttributeValue::S(hash.0.clone()))
            .send()
            .await
            .map_err(StoreError::of)?;
        let Some(key) = answer.items().iter().find_map(RawKey::of) else {
            return Ok(None);
        };
        let row = self.get(&Key::<Subscription>::new(key.pk, key.sk)).await?;
        Ok(row.filter(|row| row.client_id == source && row.voucher_hash.as_ref() == Some(hash)))
    }
}
