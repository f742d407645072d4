//! Rows as no code of ours writes them.

use aws_sdk_dynamodb::types::AttributeValue;

use super::House;

impl House {
    /// Writes a member of a row past the store; answers what was there.
    pub async fn scribble(
        &self,
        pk: &str,
        sk: &str,
        member: &str,
        value: AttributeValue,
    ) -> AttributeValue {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let get = self
            .table
            .client
            .get_item()
            .table_name(&self.table.table_name)
            .key("pk", text(pk))
            .key("sk", text(sk));
        let before = get.send().await.expect("read").item.expect("a row")[member].clone();
        let update = self
            .table
            .client
            .update_item()
            .table_name(&self.table.table_name)
            .key("pk", text(pk))
            .key("sk", text(sk));
        let update = update
            .update_expression("SET #m = :v")
            .condition_expression("attribute_exists(pk)");
        let update = update
            .expression_attribute_names("#m", member)
            .expression_attribute_values(":v", value);
        update.send().await.expect("scribbled");
        before
    }
}
