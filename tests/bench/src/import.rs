//! The deployment of imports: real binaries of accept, relay and work.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tandem_testing::HttpCall;
use tandem_tests::handlers::{House, Merchant, Who};

use crate::deployment::Place;
use crate::fair_queue::FairQueue;
use crate::front::Front;
use crate::lambda::{Function, event_of, records_of};
use crate::services::Services;

/// Chunks that a worker takes at once: the `BatchSize` of the template.
const BATCH: usize = 4;
/// Orders of a chunk: `tandem_domain::import::CHUNK`.
const CHUNK: usize = tandem_domain::import::CHUNK;
/// The queue's, as the template has them.
const VISIBILITY: Duration = Duration::from_secs(360);
const MOST_RECEIVES: u32 = 5;

/// A client that imports.
#[derive(Debug, Clone)]
pub struct Importer {
    /// The client.
    pub client: Merchant,
    /// Its externally managed offer.
    pub offer: String,
    /// Its customers.
    pub customers: Vec<String>,
}

/// All that takes part.
pub struct Stage {
    /// The world, set up by the handlers themselves.
    pub house: House,
    /// The calls of `import-orders`.
    pub accept_calls: Front,
    /// The calls of `process-imports`.
    pub work_calls: Front,
    /// `import-orders`.
    pub accept: Function,
    /// `relay-outbox`.
    pub relay: Function,
    /// `process-imports`.
    pub worker: Function,
    /// The queue.
    pub services: Services,
    /// Chunks that were done.
    pub done: AtomicUsize,
}

impl Stage {
    /// Starts everything; binaries are those beside this one.
    ///
    /// # Errors
    /// A binary is not built, or does not start.
    pub async fn start(acceptors: usize, workers: usize) -> Result<Arc<Self>> {
        let house = House::new().await;
        let (accept_calls, work_calls) = (
            Front::open(&house.table.endpoint).await?,
            Front::open(&house.table.endpoint).await?,
        );
        let queue = FairQueue::new(VISIBILITY, MOST_RECEIVES);
        let services = Services::start(House::DATA_KEY, "imports", queue).await?;
        let place = |calls| Place {
            table: &house.table.table_name,
            calls,
            services: &services,
        };
        let accept = place(&accept_calls)
            .start("import-orders", acceptors, &[])
            .await?;
        let relay = place(&accept_calls).start("relay-outbox", 1, &[]).await?;
        let worker = place(&work_calls)
            .start("process-imports", workers, &[])
            .await?;
        Ok(Arc::new(Self {
            house,
            accept_calls,
            work_calls,
            accept,
            relay,
            worker,
            services,
            done: AtomicUsize::new(0),
        }))
    }

    /// A client with an offer and customers.
    pub async fn importer(&self, name: &str) -> Importer {
        let company = self.house.company(false).await;
        let client = self.house.merchant(&company, name).await;
        let offer = self
            .house
            .offer(&client, json!({"externallyManaged": true}))
            .await;
        let mut customers = Vec::new();
        for number in 0..20 {
            customers.push(
                self.house
                    .customer(&client, &format!("customer-{number}@example.com"))
                    .await,
            );
        }
        Importer {
            client,
            offer,
            customers,
        }
    }

    /// Sends a request to the function behind `/v1/imports`; the status and the body.
    ///
    /// # Errors
    /// The function failed.
    pub async fn http(&self, call: HttpCall) -> Result<(u64, Value)> {
        let answer: Value =
            serde_json::from_str(&self.accept.invoke(call.event().to_string()).await?)?;
        let status = answer["statusCode"].as_u64().context("no status")?;
        Ok((
            status,
            serde_json::from_str(answer["body"].as_str().unwrap_or("null"))?,
        ))
    }

    /// Has an import accepted, and its chunks relayed; the promise's id.
    ///
    /// # Errors
    /// It was not accepted.
    pub async fn import(&self, importer: &Importer, items: &[Value]) -> Result<String> {
        let call = importer
            .call("POST /v1/imports/orders")
            .json(&json!({"items": items}));
        let (status, promise) = self.http(call).await?;
        ensure!(
            status == 202,
            "an import was answered with {status}: {promise}"
        );
        let id = promise["promiseId"]
            .as_str()
            .context("no promise")?
            .to_owned();
        // What the table's stream would hand over.
        let chunks = (0..items.len().div_ceil(CHUNK)).map(|chunk| {
            (
                format!("{}#{id}", importer.client.id),
                format!("chunk#{chunk:03}"),
            )
        });
        let _ = self.relay.invoke(records_of(chunks)).await?;
        Ok(id)
    }

    /// Hands messages to the workers for ever, each copy at most one batch at a time.
    ///
    /// # Errors
    /// A worker failed.
    pub async fn work(self: Arc<Self>) -> Result<()> {
        let pollers = (0..self.worker.copies()).map(|_| self.poll());
        futures::future::try_join_all(pollers).await.map(|_| ())
    }

    async fn poll(&self) -> Result<()> {
        loop {
            let chunks = self.services.queue.receive(BATCH).await;
            let answer: Value =
                serde_json::from_str(&self.worker.invoke(event_of(&chunks)).await?)?;
            let failed = answer["batchItemFailures"].as_array().map_or(0, Vec::len);
            ensure!(failed == 0, "chunks failed: {answer}");
            chunks
                .iter()
                .for_each(|chunk| self.services.queue.delete(chunk));
            self.done.fetch_add(chunks.len(), Ordering::Relaxed);
        }
    }

    /// The promise as its client sees it.
    ///
    /// # Errors
    /// It cannot be read.
    pub async fn promise(&self, importer: &Importer, id: &str) -> Result<Value> {
        let call = importer
            .call("GET /v1/imports/{promiseId}")
            .path("promiseId", id)
            .query("limit", 1);
        let (status, promise) = self.http(call).await?;
        ensure!(
            status == 200,
            "a promise was answered with {status}: {promise}"
        );
        Ok(promise)
    }

    /// Waits until an import is done, and looks whether it made all of its orders.
    ///
    /// # Errors
    /// It did not.
    pub async fn completed(&self, importer: &Importer, id: &str) -> Result<()> {
        loop {
            let promise = self.promise(importer, id).await?;
            if promise["finishedAt"].is_null() {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                continue;
            }
            ensure!(
                promise["counts"]["created"] == promise["itemCount"],
                "not all orders were made: {promise}"
            );
            return Ok(());
        }
    }
}

impl Importer {
    /// A call by this client.
    pub fn call(&self, route: &str) -> HttpCall {
        let Who::Client(client, company) = &self.client.who else {
            unreachable!("a merchant is a client")
        };
        HttpCall::new(route).client(client, company)
    }

    /// An order of the leading system.
    pub fn item(&self, number: usize) -> Value {
        json!({
            "externalSystemId": format!("SAP-4711-{number:07}"),
            "offerId": self.offer,
            "invoiceCustomerId": self.customers[number % self.customers.len()],
            "quantity": 1,
            "startDate": "2026-11-01T00:00:00Z",
            "orderDate": "2026-10-20T08:00:00Z",
            "paymentMethod": "BILLING",
            "currentPaymentPeriodPaid": true,
        })
    }
}
