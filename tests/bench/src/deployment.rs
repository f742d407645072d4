//! The environment of every measured binary, and its settings in `template.yaml`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::fair_queue::FairQueue;
use crate::lambda::Function;
use crate::services::Services;

#[derive(Debug, Clone, Copy)]
pub struct Environment<'a> {
    pub table: &'a str,
    /// `http://127.0.0.1:PORT`
    pub database: &'a str,
    pub services: &'a Services,
}

impl Environment<'_> {
    /// Starts copies of the binary beside this one, with extra environment variables.
    pub async fn start(
        &self,
        name: &str,
        copies: usize,
        extra: &[(&str, &str)],
    ) -> Result<Function> {
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
            ("AWS_ENDPOINT_URL_DYNAMODB", self.database),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", services),
            ("AWS_ENDPOINT_URL_SQS", services),
            ("STAGE", "dev"),
            ("TABLE_NAME", self.table),
            ("DATA_KEY_SECRET_ARN", "data-key"),
            ("CALLBACK_QUEUE_URL", &callbacks),
            ("MAIL_QUEUE_URL", &mails),
            ("IMPORT_QUEUE_URL", &imports),
            // No message is sent there: a dead letter would fail the run.
            ("DEAD_LETTER_QUEUE_URL", &dead_letters),
        ];
        environment.extend(extra);
        Function::start(&binary, copies, &environment).await
    }
}

/// The settings of a worker and its queue in `template.yaml`.
#[derive(Debug, Clone, Copy)]
pub struct WorkerSettings {
    /// Messages per invocation.
    pub batch: usize,
    /// Workers at the same time.
    pub concurrency: usize,
    /// Of one worker, in MiB.
    pub memory: u64,
    /// How long a received message is hidden.
    pub visibility: Duration,
    /// Receives of a message before it becomes a dead letter.
    pub max_receives: u32,
}

impl WorkerSettings {
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
            max_receives: number(
                "/Resources/CallbackQueue/Properties/RedrivePolicy/maxReceiveCount",
            )?
            .try_into()?,
        })
    }

    pub fn queue(&self) -> FairQueue {
        FairQueue::new(self.visibility, self.max_receives)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_has_all_settings_of_the_benchmark() {
        let settings = WorkerSettings::callbacks().expect("the template has them");
        assert!(
            settings.visibility >= Duration::from_secs(6 * 60),
            "six times the function's timeout"
        );
        assert!(
            settings.batch > 0
                && settings.concurrency > 0
                && settings.memory > 0
                && settings.max_receives >= 5
        );
    }
}
