//! The receivers shown in docs/callbacks.md, run unchanged: each verifies the deployed functions' signatures with its own
//! language's library.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use jiff::Timestamp;
use reqwest::StatusCode;
use serde_json::json;
use tandem_tests::{Module, Pair, Setup};
use tandem_webhooks::signature_header;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// The port in the documented programs.
const DOCUMENTED_PORT: &str = "8080";

/// A language of the documentation.
struct Language {
    /// The word behind the fence of its code.
    fence: &'static str,
    /// The command that runs a program.
    command: &'static [&'static str],
    /// The name of a program's file.
    file: &'static str,
}

const PYTHON: Language = Language {
    fence: "python",
    command: &["python", "-u"],
    file: "receiver.py",
};
const NODE: Language = Language {
    fence: "js",
    command: &["node"],
    file: "receiver.mjs",
};

/// A running documented receiver. Dropping it ends the process.
struct Documented {
    url: String,
    printed: Lines<BufReader<ChildStdout>>,
    program: PathBuf,
    _process: Child,
}

impl Drop for Documented {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.program.parent().expect("a folder of its own"));
    }
}

#[tokio::test]
async fn the_documented_python_receiver_accepts_only_valid_signatures() {
    story(&PYTHON).await;
}

#[tokio::test]
async fn the_documented_node_receiver_accepts_only_valid_signatures() {
    story(&NODE).await;
}

async fn story(language: &Language) {
    let setup = Setup::new().await;
    let source = setup
        .client(
            &setup.company("Bücher & Söhne", Module::On).await,
            "Grüße aus Zürich 🏔",
            "de",
        )
        .await;
    let target = setup
        .client(
            &setup.company("Harbour Press", Module::On).await,
            "Quayside 🐟",
            "en",
        )
        .await;
    let port = free_port();
    let pair = Pair::connect(
        source,
        target,
        Some(&format!("http://127.0.0.1:{port}/tandem")),
    )
    .await;
    let mut receiver = start(&setup, language, port, pair.secret()).await;
    let sale = pair.sell().await;
    let callback = pair
        .source
        .callback_about(
            sale.shared_subscription_id(),
            "crossClientOrder.created",
            "delivered",
        )
        .await;
    let id = callback["id"].as_str().expect("an id");
    assert_eq!(
        receiver.printed().await,
        format!("{id} crossClientOrder.created")
    );
    let (secret, other) = (
        pair.secret(),
        "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDC2FVsBQIhrs=",
    );
    let large = json!({"type": "grüezi.🐟", "data": "Schöne Grüße 🏔 — ".repeat(5_000)}).to_string();
    assert!(large.len() > 100 * 1024);
    assert_eq!(
        receiver.post(&[secret], &large, &large).await,
        StatusCode::NO_CONTENT
    );
    assert_eq!(receiver.printed().await, "cbk_1 grüezi.🐟");
    assert_eq!(
        receiver.post(&[other, secret], &large, &large).await,
        StatusCode::NO_CONTENT,
        "in the day after a rotation"
    );
    assert_eq!(
        receiver.post(&[other], &large, &large).await,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        receiver
            .post(&[secret], &large, &large.replace('ö', "o"))
            .await,
        StatusCode::UNAUTHORIZED
    );
}

impl Documented {
    async fn printed(&mut self) -> String {
        self.printed
            .next_line()
            .await
            .expect("readable")
            .expect("a line")
    }

    /// Posts `sent` with the signature of `signed`.
    async fn post(&self, secrets: &[&str], signed: &str, sent: &str) -> StatusCode {
        let now = Timestamp::now().as_second();
        let secrets: Vec<_> = secrets.iter().map(|secret| (*secret).into()).collect();
        let signature =
            signature_header(&secrets, "cbk_1", now, signed.as_bytes()).expect("secrets");
        let request = reqwest::Client::new()
            .post(&self.url)
            .header("webhook-id", "cbk_1")
            .header("webhook-timestamp", now);
        let request = request
            .header("webhook-signature", signature)
            .body(sent.to_owned());
        request.send().await.expect("an answer").status()
    }
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port()
}

async fn start(setup: &Setup, language: &Language, port: u16, secret: &str) -> Documented {
    let program = program(language, port);
    let (command, arguments) = language.command.split_first().expect("a command");
    let mut process = Command::new(command)
        .args(arguments)
        .arg(&program)
        .env("TANDEM_SECRET", secret)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| panic!("{command} is needed for this story: {error}"));
    let printed = BufReader::new(process.stdout.take().expect("piped")).lines();
    setup
        .settle("the documented receiver listens", async || {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await
        })
        .await;
    Documented {
        url: format!("http://127.0.0.1:{port}/tandem"),
        printed,
        program,
        _process: process,
    }
}

/// The program of the documentation with another port, in a file from which its language finds its packages.
fn program(language: &Language, port: u16) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let docs = fs::read_to_string(root.join("docs/callbacks.md")).expect("docs/callbacks.md");
    let (_, after) = docs
        .split_once(&format!("```{}\n", language.fence))
        .expect("a program in that language");
    let (program, _) = after.split_once("```").expect("its end");
    assert_eq!(program.matches(DOCUMENTED_PORT).count(), 1, "{program}");
    let packages = root.join("infra/receivers/node_modules");
    assert!(
        packages.is_dir(),
        "{} is missing: run `make test`, or `npm ci` there",
        packages.display()
    );
    let folder = packages.join(format!(".run-{port}"));
    fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join(language.file);
    fs::write(&path, program.replace(DOCUMENTED_PORT, &port.to_string())).expect("written");
    path
}
