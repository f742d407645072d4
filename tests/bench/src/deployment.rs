//! What every binary under measurement is started with, and what `template.yaml` says of it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::fair_queue::FairQueue;
use crate::front::Front;
use crate::lambda::Function;
use crate::services::Services;

/// Where functions find what they work with.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The table's name.
    pub table: &'a str,
    /// The way to it.
    pub calls: &'a Front,
    /// Queues and secrets.
    pub services: &'a Services,
}

impl Place<'_> {
    /// Starts copies of the binary beside this one, with settings of its own.
    ///
    /// # Errors
    /// It is not built, or does not start.
    pub async fn start(&self, name: &str, copies: usize, own: &[(&str, &str)]) -> Result<Function> {
        let binary: PathBuf = std::env::current_exe()?.with_file_name(name);
        ensure!(
            binary.exists(),
            "{} is not built; use make",
            binary.display()
        );
        let services = &self.services.url;
        let queue = |name: &str| format!("{services}/{name}");
        let (callbacks, mails, imports) = (queue("callbacks"), queue("mails"), queue("imports"));
        let dead_letters = queue("dead-letters");
        let mut environment = vec![
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "benchmark"),
            ("AWS_SECRET_ACCESS_KEY", "benchmark"),
            ("AWS_ENDPOINT_URL_DYNAMODB", &self.calls.url),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", services),
            ("AWS_ENDPOINT_URL_SQS", services),
            ("STAGE", "dev"),
            ("TABLE_NAME", self.table),
            ("DATA_KEY_SECRET_ARN", "data-key"),
            ("CALLBACK_QUEUE_URL", &callbacks),
            ("MAIL_QUEUE_URL", &mails),
            ("IMPORT_QUEUE_URL", &imports),
            // Nothing comes there: a message that can never be handled would fail here, and the run with it.
            ("DEAD_LETTER_QUEUE_URL", &dead_letters),
        ];
        environment.extend(own);
        Function::start(&binary, copies, &environment).await
    }
}

/// What `template.yaml` says of a worker and its queue.
#[derive(Debug, Clone, Copy)]
pub struct Deployed {
    /// Messages of one invocation.
    pub batch: usize,
    /// Workers at a time.
    pub concurrency: usize,
    /// Memory of one, in MiB.
    pub memory: u64,
    /// For how long a message that was received is hidden.
    pub visibility: Duration,
    /// How often a message is received before it is a dead letter.
    pub most_receives: u32,
}

impl Deployed {
    /// Reads what it says of the callback worker.
    ///
    /// # Errors
    /// It says it in another place or form.
    pub fn callbacks() -> Result<Self> {
        let template = tandem_testing::template();
        let number = |path: &str| {
            template
                .pointer(path)
                .and_then(Value::as_u64)
                .with_context(|| format!("template.yaml{path}"))
        };
        let source =
            "/Resources/DeliverCallbacksFunction/Properties/Events/CallbackQueue/Properties";
        Ok(Self {
            batch: number(&format!("{source}/BatchSize"))?.try_into()?,
            concurrency: number(&format!("{source}/ScalingConfig/MaximumConcurrency"))?
                .try_into()?,
            memory: number("/Globals/Function/MemorySize")?,
            visibility: Duration::from_secs(number(
                "/Parameters/CallbackVisibilityTimeout/Default",
            )?),
            most_receives: number(
                "/Resources/CallbackQueue/Properties/RedrivePolicy/maxReceiveCount",
            )?
            .try_into()?,
        })
    }

    /// The stand-in for its queue.
    pub fn queue(&self) -> FairQueue {
        FairQueue::new(self.visibility, self.most_receives)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_says_all_that_the_benchmark_needs() {
        let deployed = Deployed::callbacks().expect("it says so");
        assert!(
            deployed.visibility >= Duration::from_secs(6 * 60),
            "six times the function's timeout"
        );
        assert!(
            deployed.batch > 0
                && deployed.concurrency > 0
                && deployed.memory > 0
                && deployed.most_receives >= 5
        );
    }
}
