//! Where the stack is.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::Value;

/// The stack that the stories are told on, as its `stack.json` describes it; see docs/local-stack.md.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stack {
    /// Where the HTTP API is, without a slash at the end.
    pub api_url: String,
    /// The operator's key.
    pub operator_key: String,
    /// Where the AWS services are.
    pub aws_endpoint: String,
    /// The AWS region.
    pub region: String,
    /// The id of an access key that may do anything with the AWS services.
    pub aws_access_key_id: String,
    /// Its secret.
    pub aws_secret_access_key: String,
    /// Who sends Tandem's mails.
    pub mail_sender: String,
    /// Where all mails that were sent can be read.
    pub sent_mails_url: String,
    /// The folder with one log file per function.
    pub function_logs: String,
    /// The table.
    pub table_name: String,
    /// The queue of due callbacks.
    pub callback_queue_url: String,
    /// Where messages about callbacks end that no worker could take.
    pub callback_dead_letter_queue_url: String,
    /// The queue of due mails.
    pub mail_queue_url: String,
    /// Where messages about mails end that no worker could take.
    pub mail_dead_letter_queue_url: String,
    /// Where it is written down what callers said and were told.
    pub said: String,
    /// Whether calls between the functions and AWS are broken on purpose.
    pub faults: bool,
    /// Every other value, e.g. `sweepOutboxFunctionName`.
    #[serde(flatten)]
    pub others: BTreeMap<String, Value>,
}

impl Stack {
    /// The stack whose description the variable `TANDEM_STACK` names.
    ///
    /// # Panics
    /// There is none: a story that was not told is no success.
    pub fn get() -> &'static Self {
        static STACK: OnceLock<Stack> = OnceLock::new();
        STACK.get_or_init(|| {
            let path = env::var("TANDEM_STACK").expect(
                "the stories need a deployed stack: run `make test`, or `make up` and set TANDEM_STACK to its .local/stack.json",
            );
            let text = fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("TANDEM_STACK names {path}, which cannot be read ({error}); is the stack up?"));
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path} does not describe a stack: {error}"))
        })
    }
}
