//! Runs the binaries that import orders: accept, relay and work.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tandem_testing::HttpCall;
use tandem_tests::{Client, InProcess, Module, id, managed_offer};

use crate::counting_proxy::CountingProxy;
use crate::deployment::Environment;
use crate::fair_queue::FairQueue;
use crate::lambda::{Function, event_of, records_of};
use crate::services::Services;

/// Chunks per invocation: the `BatchSize` of the template.
const BATCH: usize = 4;
const CHUNK: usize = tandem_domain::import::CHUNK;
/// As in the template.
const VISIBILITY: Duration = Duration::from_secs(360);
const MAX_RECEIVES: u32 = 5;

#[derive(Debug, Clone)]
pub struct Importer {
    pub client: Client,
    /// Externally managed.
    pub offer: String,
    pub customers: Vec<String>,
}

pub struct ImportBench {
    /// Set up by the real handlers.
    pub stage: Arc<InProcess>,
    /// The database calls of `import-orders`.
    pub accept_calls: CountingProxy,
    /// The database calls of `process-imports`.
    pub work_calls: CountingProxy,
    /// `import-orders`.
    pub accept: Function,
    /// `relay-outbox`.
    pub relay: Function,
    /// `process-imports`.
    pub worker: Function,
    pub services: Services,
    pub done_chunks: AtomicUsize,
}

impl ImportBench {
    /// Starts the binaries beside this one.
    pub async fn start(acceptors: usize, workers: usize) -> Result<Arc<Self>> {
        let stage = InProcess::start().await;
        let (accept_calls, work_calls) = (
            CountingProxy::start(&stage.table.endpoint).await?,
            CountingProxy::start(&stage.table.endpoint).await?,
        );
        let queue = FairQueue::new(VISIBILITY, MAX_RECEIVES);
        let services = Services::start(InProcess::DATA_KEY, "imports", queue).await?;
        let environment = |database| Environment {
            table: &stage.table.table_name,
            database,
            services: &services,
        };
        let accept = environment(&accept_calls.url)
            .start("import-orders", acceptors, &[])
            .await?;
        let relay = environment(&accept_calls.url)
            .start("relay-outbox", 1, &[])
            .await?;
        let worker = environment(&work_calls.url)
            .start("process-imports", workers, &[])
            .await?;
        Ok(Arc::new(Self {
            stage,
            accept_calls,
            work_calls,
            accept,
            relay,
            worker,
            services,
            done_chunks: AtomicUsize::new(0),
        }))
    }

    /// Creates a client with an offer and customers.
    pub async fn importer(&self, name: &str) -> Importer {
        let setup = self.stage.setup();
        let company = setup.company("Medienhaus", Module::Off).await;
        let client = setup.client(&company, name, "de").await;
        let offer = id(&managed_offer(&client).await).to_owned();
        let mut customers = Vec::new();
        for _ in 0..20 {
            customers.push(id(&client.customer().await).to_owned());
        }
        Importer {
            client,
            offer,
            customers,
        }
    }

    /// Sends a request to the function behind `/v1/imports`; returns the status and the body.
    pub async fn http(&self, call: HttpCall) -> Result<(u64, Value)> {
        let answer: Value =
            serde_json::from_str(&self.accept.invoke(call.event().to_string()).await?)?;
        let status = answer["statusCode"].as_u64().context("no status")?;
        Ok((
            status,
            serde_json::from_str(answer["body"].as_str().unwrap_or("null"))?,
        ))
    }

    /// Sends an import and relays its chunks; returns the promise's id.
    pub async fn import(&self, importer: &Importer, items: &[Value]) -> Result<String> {
        let call = importer
            .call("POST /v1/imports/orders")
            .json(&json!({"items": items}));
        let (status, promise) = self.http(call).await?;
        ensure!(
            status == 202,
            "an import was answered with {status}: {promise}"
        );
        let promise_id = promise["promiseId"]
            .as_str()
            .context("no promise")?
            .to_owned();
        // The work of the table's stream.
        let chunks = (0..items.len().div_ceil(CHUNK)).map(|chunk| {
            (
                format!("{}#{promise_id}", importer.client.id),
                format!("chunk#{chunk:03}"),
            )
        });
        let _ = self.relay.invoke(records_of(chunks)).await?;
        Ok(promise_id)
    }

    /// Gives messages to the workers without end, each copy one batch at a time.
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
            self.done_chunks.fetch_add(chunks.len(), Ordering::Relaxed);
        }
    }

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

    /// Waits until an import is done, and checks that it created all orders.
    pub async fn wait_until_done(&self, importer: &Importer, id: &str) -> Result<()> {
        loop {
            let promise = self.promise(importer, id).await?;
            if promise["finishedAt"].is_null() {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                continue;
            }
            ensure!(
                promise["counts"]["created"] == promise["itemCount"],
                "not all orders were created: {promise}"
            );
            return Ok(());
        }
    }
}

impl Importer {
    pub fn call(&self, route: &str) -> HttpCall {
        HttpCall::new(route).client(&self.client.id, &self.client.company.id)
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
