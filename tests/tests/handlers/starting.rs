//! The start of a function: its connections, and the certificates that it loads.
//!
//! A start reads its settings from the environment. So a test runs itself again, in a process with an environment of its own.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::process::Command;
use std::sync::Arc;

use tandem_api::App;
use tandem_runtime::canary;
use tandem_testing::TestTable;
use tandem_tests::{InProcess, Module};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Barrier, mpsc};

/// Names the function that a child starts.
const FUNCTION: &str = "TANDEM_TEST_START";
const FUNCTIONS: [(&str, &[&str]); 8] = [
    ("http", &["dynamodb", "secretsmanager"]),
    ("authorize", &["dynamodb", "secretsmanager"]),
    ("deliver-callbacks", &["dynamodb", "secretsmanager"]),
    ("process-imports", &["dynamodb", "secretsmanager"]),
    ("sweep-outbox", &["dynamodb", "sqs"]),
    ("relay-outbox", &["sqs"]),
    ("send-mails", &["dynamodb"]),
    ("note-mail-events", &["dynamodb"]),
];

/// No service answers before each has a request. If a function called one after the other, its first call would never end.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_connects_to_all_services_at_once() {
    if let Ok(function) = std::env::var(FUNCTION) {
        return start(&function).await;
    }
    for (function, services) in FUNCTIONS {
        let (connections, made) = Services::start(services).await.run(function).await;
        assert!(made, "{function} does not start");
        let once = services.iter().map(|service| (*service, 1)).collect();
        assert_eq!(connections, once, "{function}");
    }
}

/// Its canary is sealed under the key of this test; the stand-in of Secrets Manager has another one.
#[tokio::test(flavor = "multi_thread")]
async fn a_function_with_the_data_key_of_another_table_does_not_start() {
    let table = TestTable::new().await;
    let stage = InProcess::on(table.shared(), InProcess::sender());
    let stage = Arc::new(stage.with_data_keys("the data key of this table, and of no other"));
    let _ = stage.setup().company("Medienhaus", Module::On).await;
    let canary = stage.app.store.connect().await.expect("an answer");
    assert!(canary.is_some());
    let other = InProcess::on(table.shared(), InProcess::sender());
    let refused = canary::check(canary.as_ref(), &other.app.sealer).expect_err("another key");
    assert!(
        format!("{refused:#}").contains("docs/operations.md"),
        "{refused:#}"
    );
    assert!(canary::check(canary.as_ref(), &stage.app.sealer).is_ok());
}

/// The transactions of concurrent first companies conflict on the canary; all but one are decided again.
#[tokio::test(flavor = "multi_thread")]
async fn concurrent_first_companies_write_one_canary() {
    let stage = InProcess::start().await;
    let setup = stage.setup();
    let create = |name: &'static str| setup.company(name, Module::On);
    let _ = tokio::join!(create("A"), create("B"), create("C"));
    let canaries = stage.rows_of("canary");
    assert_eq!(canaries.len(), 1);
    assert_eq!(stage.rows_of("company").len(), 3);
}

async fn start(function: &str) {
    match function {
        "http" => is_started(App::start().await),
        "authorize" => is_started(authorize::Authorizer::start().await),
        "deliver-callbacks" => is_started(deliver_callbacks::Worker::start().await),
        "process-imports" => is_started(process_imports::Worker::start().await),
        "sweep-outbox" => is_started(sweep_outbox::Sweep::start().await),
        "relay-outbox" => is_started(relay_outbox::Relay::start().await),
        "send-mails" => is_started(send_mails::Worker::start().await),
        _ => is_started(note_mail_events::Notes::start().await),
    }
}

fn is_started<T, E: Debug>(started: Result<T, E>) {
    assert!(started.is_ok(), "{:?}", started.err());
}

/// Stand-ins for some services, each at an address of its own.
struct Services {
    urls: Vec<(&'static str, String)>,
    connections: mpsc::UnboundedReceiver<&'static str>,
}

impl Services {
    async fn start(names: &[&'static str]) -> Self {
        let all_called = Arc::new(Barrier::new(names.len()));
        let (connected, connections) = mpsc::unbounded_channel();
        let mut urls = Vec::new();
        for &name in names {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            urls.push((
                name,
                format!("http://{}", listener.local_addr().expect("bound")),
            ));
            let (connected, all_called) = (connected.clone(), all_called.clone());
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    connected.send(name).expect("the test runs");
                    tokio::spawn(answer(stream, name, all_called.clone()));
                }
            });
        }
        Self { urls, connections }
    }

    /// The connections of a start of the function, and whether it succeeded.
    async fn run(mut self, function: &str) -> (BTreeMap<&'static str, usize>, bool) {
        let mut child = Command::new(std::env::current_exe().expect("this test"));
        child
            .args([
                "--exact",
                "starting::a_start_connects_to_all_services_at_once",
            ])
            .env(FUNCTION, function)
            // A start that loaded the system's certificates would fail.
            .env("SSL_CERT_FILE", "/nonexistent")
            .env("SSL_CERT_DIR", "/nonexistent")
            .env("AWS_REGION", "eu-central-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            // Nothing listens there.
            .env("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
            .env("TABLE_NAME", "table");
        for setting in [
            "DATA_KEY_SECRET_ARN",
            "OPERATOR_KEY_SECRET_ARN",
            "MAIL_SENDER",
            "MAIL_CONFIGURATION_SET",
        ] {
            child.env(setting, "setting");
        }
        for queue in ["CALLBACK", "MAIL", "IMPORT", "DEAD_LETTER"] {
            child.env(
                format!("{queue}_QUEUE_URL"),
                format!("https://sqs.example/{queue}"),
            );
        }
        for (service, url) in &self.urls {
            let name = match *service {
                "secretsmanager" => "SECRETS_MANAGER".to_owned(),
                name => name.to_uppercase(),
            };
            child.env(format!("AWS_ENDPOINT_URL_{name}"), url);
        }
        let output = tokio::task::spawn_blocking(move || child.output().expect("run"));
        let output = output.await.expect("ran");
        let text = String::from_utf8_lossy(&output.stdout);
        let mut connections = BTreeMap::new();
        while let Ok(service) = self.connections.try_recv() {
            *connections.entry(service).or_default() += 1;
        }
        (
            connections,
            output.status.success() && text.contains("1 passed"),
        )
    }
}

/// Answers the requests of a connection, the first one after all services have one.
async fn answer(mut stream: TcpStream, service: &str, all_called: Arc<Barrier>) {
    let mut waited = false;
    while read_request(&mut stream).await {
        if !waited {
            all_called.wait().await;
            waited = true;
        }
        let key = format!(
            r#"{{"ARN":"a","Name":"n","SecretString":"{}"}}"#,
            InProcess::DATA_KEY
        );
        let (status, body) = match service {
            "dynamodb" => ("200 OK", "{}"),
            "secretsmanager" => ("200 OK", key.as_str()),
            _ => (
                "400 Bad Request",
                r#"{"__type":"com.amazonaws.sqs#EmptyBatchRequest"}"#,
            ),
        };
        let length = body.len();
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n");
        let answered = stream.write_all(format!("{head}{body}").as_bytes()).await;
        if answered.is_err() {
            return;
        }
    }
}

/// `false` if the connection was closed.
async fn read_request(stream: &mut TcpStream) -> bool {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&request);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("content-length")
                    .then(|| value.parse().ok())?
            });
            if body.len() >= length.unwrap_or(0) {
                return true;
            }
        }
        match stream.read(&mut buffer).await {
            Ok(read) if read > 0 => request.extend_from_slice(&buffer[..read]),
            _ => return false,
        }
    }
}
