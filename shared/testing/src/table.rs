//! A DynamoDB table for one test.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::config::retry::{RetryConfig, RetryPartition};
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_http_client::Builder as HttpBuilder;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dynoxide::actions::scan::ScanRequest;
use dynoxide::types::item_size;
use dynoxide::{AttributeValue, Database, ImportOptions, Item};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::calls::{Calls, Capacity, ReadKey};
use crate::faults::Faults;
use crate::in_process::InProcess;
use crate::template;

/// A new table in its own database, served on a free loopback port by this process. It ends when the value is dropped, or the
/// runtime that created it.
pub struct TestTable {
    /// A real client for this database. Its requests are counted.
    pub client: aws_sdk_dynamodb::Client,
    /// Different for each test, so that a hard-coded name fails.
    pub table_name: String,
    /// The database's address, `http://127.0.0.1:PORT`, for another client, whose requests are not counted.
    pub endpoint: String,
    /// Faults of the client's requests; none until one is planned.
    pub faults: Faults,
    calls: Calls,
    database: Database,
    // Dropping the sender stops the server.
    _stop: Option<oneshot::Sender<()>>,
}

#[derive(Debug, Clone)]
pub struct Snapshot(Vec<Item>);

/// The size of a row.
#[derive(Debug, Clone)]
pub struct RowSize {
    /// Partition and sort key.
    pub key: (String, String),
    pub octets: usize,
    /// The octets of its entry in each index that has one.
    pub indexes: Vec<usize>,
}

impl RowSize {
    /// The kind of row: the sort key, without numbers.
    pub fn kind(&self) -> &str {
        self.key.1.split('#').next().unwrap_or_default()
    }
}

const INDEXES: [&str; 4] = ["gsi1", "gsi2", "voucher", "due"];

fn key_of(item: &Item) -> (String, String) {
    let text = |name: &str| match item.get(name) {
        Some(AttributeValue::S(text)) => text.clone(),
        _ => String::new(),
    };
    (text("pk"), text("sk"))
}

impl TestTable {
    /// Creates the table of `data.yaml`: keys `pk` and `sk`, indexes `gsi1`, `gsi2` and `due`.
    pub async fn new() -> Self {
        let (table_name, database) = database();
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a loopback port is free");
        let endpoint = format!(
            "http://{}",
            listener.local_addr().expect("the port is known")
        );
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async move {
            let _ = stopped.await;
        };
        tokio::spawn(dynoxide::server::serve_with_shutdown(
            listener,
            database.clone(),
            shutdown,
        ));

        let calls = Calls::default();
        let faults = Faults::default();
        let http = faults.around(HttpBuilder::new().build_http());
        let client = aws_sdk_dynamodb::Client::from_conf(
            config(&endpoint, &table_name, calls.clone())
                .http_client(http)
                .build(),
        );
        Self {
            client,
            table_name,
            endpoint,
            faults,
            calls,
            database,
            _stop: Some(stop),
        }
    }

    /// The same table without a server: several times as fast, for tests that make many calls. Its requests are not signed.
    pub fn in_process() -> Self {
        let (table_name, database) = database();
        let endpoint = "http://in-process.invalid".to_owned();
        let (calls, faults) = (Calls::default(), Faults::default());
        let http = faults.around(InProcess(database.clone()).http_client());
        let config = config(&endpoint, &table_name, calls.clone())
            .http_client(http)
            .allow_no_auth();
        let client = aws_sdk_dynamodb::Client::from_conf(config.build());
        Self {
            client,
            table_name,
            endpoint,
            faults,
            calls,
            database,
            _stop: None,
        }
    }

    /// The same table for another stage, whose calls are its own.
    pub fn shared(&self) -> Self {
        let (calls, faults) = (Calls::default(), Faults::default());
        let http = faults.around(InProcess(self.database.clone()).http_client());
        let config = config(&self.endpoint, &self.table_name, calls.clone())
            .http_client(http)
            .allow_no_auth();
        Self {
            client: aws_sdk_dynamodb::Client::from_conf(config.build()),
            table_name: self.table_name.clone(),
            endpoint: self.endpoint.clone(),
            faults,
            calls,
            database: self.database.clone(),
            _stop: None,
        }
    }

    /// A new table with the rows of another one.
    pub async fn with(rows: &Snapshot) -> Self {
        let table = Self::new().await;
        table.load(rows);
        table
    }

    /// [`TestTable::in_process`] with the rows of another table.
    pub fn in_process_with(rows: &Snapshot) -> Self {
        let table = Self::in_process();
        table.load(rows);
        table
    }

    /// A client of the same table whose requests are neither counted nor meet faults.
    pub fn uncounted_client(&self) -> aws_sdk_dynamodb::Client {
        let config = config(
            "http://in-process.invalid",
            &self.table_name,
            Calls::default(),
        )
        .http_client(InProcess(self.database.clone()).http_client())
        .allow_no_auth();
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    fn load(&self, rows: &Snapshot) {
        let loaded =
            self.database
                .import_items(&self.table_name, rows.0.clone(), ImportOptions::default());
        loaded.expect("rows of a table fit into another one");
    }

    /// All rows, for [`TestTable::with`].
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(self.scan(None))
    }

    /// The operations of all requests that [`TestTable::client`] sent, in order, retries included: `["BatchGetItem",
    /// "TransactWriteItems"]`.
    pub fn calls(&self) -> Vec<String> {
        self.calls.names()
    }

    /// The capacity that all those requests used, without cancelled transactions, whose answers do not report it.
    pub fn capacity(&self) -> Capacity {
        self.calls.capacity()
    }

    /// The keys that all those requests read, and the partitions that they queried.
    pub fn reads(&self) -> Vec<ReadKey> {
        self.calls.reads()
    }

    /// Forgets the requests so far.
    pub fn reset_calls(&self) {
        self.calls.reset();
    }

    /// All rows as plain JSON, sorted by key, with the id and the owner that only the key says. Sets become lists, binary values
    /// base64. The reads are not counted.
    pub fn dump(&self) -> Vec<Value> {
        self.plain_rows(None)
    }

    /// The rows in the `due` index, like [`TestTable::dump`].
    pub fn waiting(&self) -> Vec<Value> {
        self.plain_rows(Some("due"))
    }

    /// The octets of each row and of its index entries, as DynamoDB counts them.
    pub fn sizes(&self) -> Vec<RowSize> {
        let entries = |index: &'static str| {
            let of = |item: Item| (key_of(&item), item_size(&item));
            self.scan(Some(index)).into_iter().map(of)
        };
        let indexed: Vec<_> = INDEXES.into_iter().flat_map(entries).collect();
        let size = |item: Item| {
            let key = key_of(&item);
            let own = indexed.iter().filter(|(of, _)| *of == key);
            RowSize {
                octets: item_size(&item),
                indexes: own.map(|(_, octets)| *octets).collect(),
                key,
            }
        };
        self.scan(None).into_iter().map(size).collect()
    }

    fn plain_rows(&self, index: Option<&str>) -> Vec<Value> {
        let mut rows: Vec<Value> = self
            .scan(index)
            .into_iter()
            .map(|item| with_key(plain(AttributeValue::M(unpacked(item)))))
            .collect();
        let key = |row: &Value| {
            (
                row["pk"].as_str().map(str::to_owned),
                row["sk"].as_str().map(str::to_owned),
            )
        };
        rows.sort_by_key(key);
        rows
    }

    fn scan(&self, index: Option<&str>) -> Vec<Item> {
        let mut rows = Vec::new();
        let mut next: Option<Item> = None;
        loop {
            let request = ScanRequest {
                table_name: self.table_name.clone(),
                index_name: index.map(str::to_owned),
                exclusive_start_key: next,
                ..ScanRequest::default()
            };
            let page = self.database.scan(request).expect("the table can be read");
            rows.extend(page.items.unwrap_or_default());
            next = page.last_evaluated_key;
            if next.is_none() {
                return rows;
            }
        }
    }
}

/// An empty database with the table of `data.yaml`, and that table's name.
fn database() -> (String, Database) {
    static NUMBER: AtomicU32 = AtomicU32::new(1);
    let table_name = format!("tandem-test-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let database = Database::memory().expect("an empty database");
    database
        .create_table(template::create_table(&table_name))
        .expect("the template's table is valid");
    (table_name, database)
}

fn config(endpoint: &str, table: &str, calls: Calls) -> aws_sdk_dynamodb::config::Builder {
    aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
        .endpoint_url(endpoint)
        // As many retries as in production, but without pauses. Each table has its own retry budget, so that the faults of one test
        // do not use up the retries of another.
        .retry_config(retries())
        .retry_partition(RetryPartition::new(table.to_owned()))
        .interceptor(calls)
}

/// As many attempts as in production; a test compares the number with `tandem_runtime`.
pub fn retries() -> RetryConfig {
    let wait = Duration::from_millis(1);
    RetryConfig::standard()
        .with_max_attempts(8)
        .with_initial_backoff(wait)
        .with_max_backoff(wait)
}

/// Adds the members that the store leaves out (`key_says.rs` there), but not the times.
fn with_key(mut row: Value) -> Value {
    if let (Some(pk), Some("order" | "subscription" | "callback" | "payout")) =
        (row["pk"].as_str().map(str::to_owned), row["sk"].as_str())
    {
        let (owner, id) = pk.split_once('#').unwrap_or(("", &pk));
        row["id"] = id.into();
        if !owner.is_empty() {
            row["clientId"] = owner.into();
        }
    }
    let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
    if let (Some((client, tail)), Some((_, rest))) = (
        text("pk").split_once("#imported#"),
        text("sk").split_once('#'),
    ) {
        row["externalHash"] = format!("{tail}{}", rest.split('#').next().unwrap_or(rest)).into();
        row["clientId"] = client.into();
    }
    row
}

/// A row with its packed members beside the others.
fn unpacked(mut row: Item) -> Item {
    let Some(AttributeValue::B(octets)) = row.get("packed") else {
        return row;
    };
    // A test may have damaged them.
    if let Some(members) = tandem_store::packed::members(octets) {
        row.remove("packed");
        row.extend(
            members
                .into_iter()
                .map(|(name, value)| (name, attribute(value))),
        );
    }
    row
}

fn attribute(value: Value) -> AttributeValue {
    match value {
        Value::Null => AttributeValue::NULL(true),
        Value::Bool(truth) => AttributeValue::BOOL(truth),
        Value::Number(number) => AttributeValue::N(number.to_string()),
        Value::String(text) => AttributeValue::S(text),
        Value::Array(values) => AttributeValue::L(values.into_iter().map(attribute).collect()),
        Value::Object(members) => AttributeValue::M(
            members
                .into_iter()
                .map(|(name, value)| (name, attribute(value)))
                .collect(),
        ),
    }
}

fn plain(value: AttributeValue) -> Value {
    let binary = |bytes: Vec<u8>| Value::String(STANDARD.encode(bytes));
    let number = |text: String| serde_json::from_str(&text).unwrap_or(Value::String(text));
    match value {
        AttributeValue::S(text) => Value::String(text),
        AttributeValue::N(text) => number(text),
        AttributeValue::B(bytes) => binary(bytes),
        AttributeValue::BOOL(truth) => Value::Bool(truth),
        AttributeValue::NULL(_) => Value::Null,
        AttributeValue::SS(texts) => texts.into(),
        AttributeValue::NS(texts) => texts.into_iter().map(number).collect(),
        AttributeValue::BS(all) => all.into_iter().map(binary).collect(),
        AttributeValue::L(values) => values.into_iter().map(plain).collect(),
        AttributeValue::M(members) => members
            .into_iter()
            .map(|(name, value)| (name, plain(value)))
            .collect(),
    }
}
