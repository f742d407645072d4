//! Two clients of one contracting company connect and sell one cart; there is nothing to call back, since they share their
//! customers.

use tandem_stories::{World, callbacks_of};

#[tokio::test]
async fn what_one_client_sells_the_other_one_has_sold_too() {
    let pair = World::new().pair_within_one_company().await;
    let sale = pair.sell().await;

    for client in [&pair.source, &pair.target] {
        let path = format!("/v1/subscriptions/{}", sale.shared_subscription_id());
        let subscription = client.api.get(&path).await.ok();
        assert_eq!(subscription["status"], "active");
        assert_eq!(subscription["customerId"], sale.customer["id"]);
    }
    assert_eq!(callbacks_of(&pair.source).await, Vec::<serde_json::Value>::new());
}
