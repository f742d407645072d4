//! The description of a deployed stack; see docs/local-stack.md.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::Value;

const VARIABLE: &str = "TANDEM_STACK";

/// A `stack.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stack {
    /// Without a slash at the end.
    pub api_url: String,
    pub operator_key: String,
    pub aws_endpoint: String,
    pub region: String,
    /// An access key that may call all AWS services.
    pub aws_access_key_id: String,
    pub aws_secret_access_key: String,
    /// The sender of Tandem's mails.
    pub mail_sender: String,
    pub sent_mails_url: String,
    /// The folder with a log file for each function.
    pub function_logs: String,
    pub table_name: String,
    pub callback_queue_url: String,
    pub callback_dead_letter_queue_url: String,
    pub mail_queue_url: String,
    pub mail_dead_letter_queue_url: String,
    /// The file that records all requests and answers.
    pub exchanges: String,
    /// Whether the functions' calls to AWS meet injected faults.
    pub faults: bool,
    /// All other values, e.g. `sweepOutboxFunctionName`.
    #[serde(flatten)]
    pub others: BTreeMap<String, Value>,
}

impl Stack {
    /// Whether `TANDEM_STACK` names a stack.
    pub fn is_named() -> bool {
        env::var_os(VARIABLE).is_some_and(|path| !path.is_empty())
    }

    /// The stack that `TANDEM_STACK` names. Panics if there is none, so that no test passes without it.
    pub fn get() -> &'static Self {
        static STACK: OnceLock<Stack> = OnceLock::new();
        STACK.get_or_init(|| {
            let path = env::var(VARIABLE).expect(
                "no stack: run `make test`, or `make up` and set TANDEM_STACK to its .local/stack.json",
            );
            let text = fs::read_to_string(&path).unwrap_or_else(|error| {
                panic!("{VARIABLE} names {path}, which cannot be read ({error}); is the stack up?")
            });
            serde_json::from_str(&text)
                .unwrap_or_else(|error| panic!("{path} does not describe a stack: {error}"))
        })
    }
}
