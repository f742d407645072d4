//! Customers whose e-mail address has a domain in other letters than ASCII.

use std::sync::Arc;

use serde_json::{Value, json};
use tandem_sealing::sha256_hex;
use tandem_store::rows::{Guard, Unique};
use tandem_store::{Entity as _, Store, Transaction};
use tandem_tests::{Client, InProcess, id};

const LETTERS: &str = "k@b\u{fc}cher.example";
const ASCII: &str = "k@xn--bcher-kva.example";
/// `LETTERS`, encoded for a URL.
const ENCODED: &str = "k%40b%C3%BCcher.example";

async fn client(stage: &Arc<InProcess>) -> Client {
    stage.setup().pair_within_one_company().await.target
}

fn draft(email: &str) -> Value {
    json!({"email": email, "language": "de"})
}

async fn found(client: &Client) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for email in [ENCODED, "K@XN--bcher-kva.example"] {
        let customers = client
            .api
            .all(&format!("/v1/customers?email={email}"))
            .await;
        found.push(customers.iter().map(|row| id(row).to_owned()).collect());
    }
    found
}

/// Stores the guard of a customer's address as an earlier release stored it.
async fn as_formerly(stage: &InProcess, customer: &Value) {
    let rows = stage.rows_of("customer");
    let row = rows
        .iter()
        .find(|row| row["id"] == customer["id"])
        .expect("the customer's row");
    let guard = |text: &str| {
        let company = row["companyId"].as_str().expect("a company");
        Guard::new(
            company.parse().expect("an id"),
            Unique::Email,
            &sha256_hex(text.as_bytes()),
            id(customer).parse().expect("an id"),
        )
    };
    let mut transaction = Transaction::default();
    transaction.delete(&guard(ASCII).key());
    transaction.create(&guard(LETTERS)).expect("a row");
    let table = &stage.table;
    let store = Store::new(table.client.clone(), table.table_name.clone());
    store.commit(transaction).await.expect("written");
}

#[tokio::test]
async fn both_forms_of_a_domain_are_one_customer() {
    let stage = InProcess::start().await;
    let client = client(&stage).await;
    let customer = client.api.post("/v1/customers", draft(LETTERS)).await;
    let customer = customer.created();
    assert_eq!(customer["email"], LETTERS, "as given");
    let again = client.api.post("/v1/customers", draft(ASCII)).await.ok();
    assert_eq!(again["id"], customer["id"]);
    assert_eq!(
        found(&client).await,
        vec![vec![id(&customer).to_owned()]; 2]
    );
}

#[tokio::test]
async fn a_customer_of_an_earlier_release_stays_found() {
    let stage = InProcess::start().await;
    let client = client(&stage).await;
    let customer = client.api.post("/v1/customers", draft(LETTERS)).await;
    let customer = customer.created();
    as_formerly(&stage, &customer).await;
    for email in [LETTERS, ASCII] {
        let again = client.api.post("/v1/customers", draft(email)).await.ok();
        assert_eq!(again["id"], customer["id"], "{email}");
    }
    let path = format!("/v1/customers/{}", id(&customer));
    let _ = client.api.patch(&path, json!({"phone": "1"})).await.ok();
    let _ = client.api.patch(&path, draft(ASCII)).await.ok();
    assert_eq!(
        found(&client).await,
        vec![vec![id(&customer).to_owned()]; 2]
    );
    let other = client.customer_with_email("other@customers.example").await;
    let other = format!("/v1/customers/{}", id(&other));
    let taken = client.api.patch(&other, draft(ASCII)).await;
    let _ = taken.problem(409, "customer_email_taken");
    let _ = client
        .api
        .patch(&path, draft("k@customers.example"))
        .await
        .ok();
    assert_eq!(
        found(&client).await,
        [[""; 0]; 2],
        "the old address is free"
    );
    let _ = client.api.patch(&other, draft(LETTERS)).await.ok();
}

#[tokio::test]
async fn two_customers_of_an_earlier_release_keep_their_rows() {
    let stage = InProcess::start().await;
    let client = client(&stage).await;
    let letters = client.api.post("/v1/customers", draft(LETTERS)).await;
    let letters = letters.created();
    as_formerly(&stage, &letters).await;
    let ascii = client.customer_with_email("k@customers.example").await;
    // An earlier release took both forms as two customers.
    let mut rows = stage.rows_of("guard");
    rows.retain(|row| row["customerId"] == ascii["id"]);
    let own = rows.first().expect("a guard").clone();
    let guard = |text: &str| {
        Guard::new(
            own["companyId"]
                .as_str()
                .expect("a company")
                .parse()
                .expect("an id"),
            Unique::Email,
            &sha256_hex(text.as_bytes()),
            id(&ascii).parse().expect("an id"),
        )
    };
    let mut transaction = Transaction::default();
    transaction.create(&guard(ASCII)).expect("a row");
    let table = &stage.table;
    let store = Store::new(table.client.clone(), table.table_name.clone());
    store.commit(transaction).await.expect("written");

    let path = format!("/v1/customers/{}", id(&letters));
    let _ = client.api.patch(&path, json!({"phone": "1"})).await.ok();
    let _ = client.api.delete(&path).await.ok();
    let left = stage.rows_of("guard");
    assert!(
        left.iter().all(|row| row["customerId"] == ascii["id"]),
        "the other's guards stay: {left:?}"
    );
    assert_eq!(left.len(), 2);
}
