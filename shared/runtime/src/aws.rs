//! AWS clients: built once, with deadlines on every call.

use std::time::Duration;

use anyhow::{Context, Result};
use aws_config::environment::{
    EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider,
};
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use tandem_domain::callback_url::LocalTargets;
use tandem_mail::Mailer;
use tandem_queue::{DeadLetterQueue, Queue, Queues};
use tandem_sealing::{DataKey, Sealer};
use tandem_store::Store;

use crate::{DeadLetterHandler, HeldSecret, settings};

/// To reach a service at all.
const CONNECT: Duration = Duration::from_secs(1);
/// One try of a call.
const ATTEMPT: Duration = Duration::from_secs(3);
/// A call with all its tries; shorter than every function's own time limit.
const OPERATION: Duration = Duration::from_secs(8);
/// Tries of a call. The SDK's three are few for a worker whose attempt has reached the receiver and waits for its record.
const TRIES: u32 = 8;
/// The longest first pause between tries, doubled with each further one: what DynamoDB's guide names ("Error retries and
/// exponential backoff"). All pauses of a call fit into its time; the SDK's own, from a second on, do not.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest pause between tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The configuration of all clients. Lambda gives credentials and region by environment variables, so no other place is
/// asked.
pub async fn config() -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION)
        .build();
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .credentials_provider(EnvironmentVariableCredentialsProvider::new())
        .region(EnvironmentVariableRegionProvider::new())
        .timeout_config(timeouts)
        .retry_config(retries())
        .load()
        .await
}

/// How often a call is tried, inside its time and the SDK's own quota of retries.
pub fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(TRIES)
        .with_initial_backoff(FIRST_PAUSE)
        .with_max_backoff(LONGEST_PAUSE)
}

/// The store on the table that `TABLE_NAME` names, connected.
///
/// # Errors
/// The setting is absent, or the table does not answer.
pub async fn store(config: &SdkConfig) -> Result<Store> {
    let store = Store::new(
        aws_sdk_dynamodb::Client::new(config),
        settings::required("TABLE_NAME")?,
    );
    // The first call pays for the TLS handshake; made here, no caller waits for it.
    store.connect().await.context("the table does not answer")?;
    Ok(store)
}

/// The sealer with the key that `DATA_KEY_SECRET_ARN` names.
///
/// # Errors
/// The setting is absent, the secret cannot be read, or it is no key.
pub async fn sealer(config: &SdkConfig) -> Result<Sealer> {
    let secret = secret(config, "DATA_KEY_SECRET_ARN").await?;
    Ok(Sealer::new(
        DataKey::from_secret(&secret).context("DATA_KEY_SECRET_ARN holds no key")?,
    ))
}

/// The text of the secret that a setting names.
///
/// # Errors
/// The setting is absent, or the secret cannot be read.
pub async fn secret(config: &SdkConfig, setting: &'static str) -> Result<String> {
    let client = aws_sdk_secretsmanager::Client::new(config);
    secret_text(&client, &settings::required(setting)?)
        .await
        .context(setting)
}

/// The secret that a setting names, which is read again when it is old; read for the first time.
///
/// # Errors
/// The setting is absent, or the secret cannot be read.
pub async fn held_secret(config: &SdkConfig, setting: &'static str) -> Result<HeldSecret> {
    let held = HeldSecret::of(
        aws_sdk_secretsmanager::Client::new(config),
        settings::required(setting)?,
    );
    let _ = held.at(jiff::Timestamp::now()).await.context(setting)?;
    Ok(held)
}

pub(crate) async fn secret_text(
    client: &aws_sdk_secretsmanager::Client,
    id: &str,
) -> Result<String> {
    let answer = client
        .get_secret_value()
        .secret_id(id)
        .send()
        .await
        .context("a secret cannot be read")?;
    answer.secret_string.context("a secret holds no text")
}

/// The queue whose URL a setting holds, connected.
///
/// # Errors
/// The setting is absent.
pub async fn queue(config: &SdkConfig, setting: &'static str) -> Result<Queue> {
    let queue = Queue::new(
        aws_sdk_sqs::Client::new(config),
        settings::required(setting)?,
    );
    queue.connect().await;
    Ok(queue)
}

/// Where a worker puts what it can never handle: the queue whose URL is in `DEAD_LETTER_QUEUE_URL`. It is not connected: what is
/// hardly ever used is not waited for.
///
/// # Errors
/// The setting is absent.
pub fn dead_letter_handler(config: &SdkConfig, store: &Store) -> Result<DeadLetterHandler> {
    let letters = DeadLetterQueue::new(
        aws_sdk_sqs::Client::new(config),
        settings::required("DEAD_LETTER_QUEUE_URL")?,
    );
    Ok(DeadLetterHandler::new(store.clone(), letters))
}

/// The queues of all kinds of work, connected.
///
/// # Errors
/// A setting is absent.
pub async fn queues(config: &SdkConfig) -> Result<Queues> {
    let (callbacks, mails) = (
        queue(config, "CALLBACK_QUEUE_URL").await?,
        queue(config, "MAIL_QUEUE_URL").await?,
    );
    Ok(Queues::new(
        callbacks,
        mails,
        queue(config, "IMPORT_QUEUE_URL").await?,
    ))
}

/// The mailer that writes from the address in `MAIL_SENDER`, by the configuration set in `MAIL_CONFIGURATION_SET`. It connects with its first mail: SES has no call that does nothing,
/// and nobody waits for a mail's answer.
///
/// # Errors
/// A setting is absent.
pub fn mailer(config: &SdkConfig) -> Result<Mailer> {
    let (sender, set) = (
        settings::required("MAIL_SENDER")?,
        settings::required("MAIL_CONFIGURATION_SET")?,
    );
    // SES cannot tell a repetition: a try whose answer was lost would be a second mail. The mail's own schedule tries again.
    let once = aws_sdk_sesv2::config::Builder::from(config)
        .retry_config(RetryConfig::disabled())
        .build();
    Ok(Mailer::new(
        aws_sdk_sesv2::Client::from_conf(once),
        sender,
        set,
    ))
}

/// Loopback targets that a local stack may call, from `LOCAL_CALLBACK_TARGETS`; none in production, whatever it says.
pub fn local_targets() -> LocalTargets {
    if settings::optional("STAGE").is_some_and(|stage| stage == "production") {
        return LocalTargets::default();
    }
    LocalTargets::parse(&settings::optional("LOCAL_CALLBACK_TARGETS").unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_call_has_deadlines_inside_the_shortest_time_limit_of_a_function() {
        let config = config().await;
        let timeouts = config.timeout_config().expect("set");
        assert_eq!(timeouts.connect_timeout(), Some(CONNECT));
        assert_eq!(timeouts.operation_attempt_timeout(), Some(ATTEMPT));
        assert_eq!(timeouts.operation_timeout(), Some(OPERATION));
        let retries = config.retry_config().expect("set");
        assert_eq!(
            (retries.max_attempts(), retries.initial_backoff()),
            (TRIES, FIRST_PAUSE)
        );
        let pauses: Duration = (0..TRIES - 1)
            .map(|pause| (FIRST_PAUSE * (1 << pause)).min(LONGEST_PAUSE))
            .sum();
        assert!(pauses < OPERATION, "{pauses:?} of pauses");
        let limits = include_str!("../../../template.yaml")
            .lines()
            .filter_map(|line| {
                line.trim()
                    .strip_prefix("Timeout: ")
                    .and_then(|seconds| seconds.parse::<u64>().ok())
            });
        assert!(
            limits
                .min()
                .is_some_and(|shortest| OPERATION < Duration::from_secs(shortest))
        );
    }
}
