//! AWS clients: built once, with deadlines on every call.
//!
//! All clients of a function share one HTTP client (`http_client.rs`). A function that uses several services
//! connects to them at the same time: [`store_and_sealer`].

use std::time::Duration;

use anyhow::{Context, Result};
use aws_config::environment::{
    EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider,
};
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use futures::future::try_join;
use tandem_domain::callback_url::LocalTargets;
use tandem_mail::{Mailer, SesTransport};
use tandem_queue::{DeadLetterQueue, Queue, Queues};
use tandem_sealing::Sealer;
use tandem_store::Store;
use tandem_store::rows::Canary;

use crate::cached_secret::{CachedSecret, SecretsManagerSource};
use crate::{DeadLetterHandler, canary, http_client, settings};

pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
/// All attempts of a call together; shorter than the time limit of every function.
pub const OPERATION_TIMEOUT: Duration = Duration::from_secs(8);
/// The SDK's default of three is too few for a worker whose request has reached the receiver and must still be recorded.
const MAX_ATTEMPTS: u32 = 8;
/// Doubled with each retry. The value is that of DynamoDB's guide ("Error retries and exponential backoff"). All pauses fit
/// into [`OPERATION_TIMEOUT`]; those of the SDK's default, one second, do not.
const INITIAL_BACKOFF: Duration = Duration::from_millis(50);
const MAX_BACKOFF: Duration = Duration::from_secs(2);

/// The configuration of all clients. Lambda sets credentials and region as environment variables, so no other provider is
/// queried.
///
/// # Errors
/// The certificates to trust cannot be read.
pub async fn config() -> Result<SdkConfig> {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http_client::shared()?)
        .credentials_provider(EnvironmentVariableCredentialsProvider::new())
        .region(EnvironmentVariableRegionProvider::new())
        .timeout_config(timeouts)
        .retry_config(retries())
        .load()
        .await;
    Ok(config)
}

/// The retries of a call. The operation timeout and the SDK's retry quota limit them further.
pub fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(MAX_ATTEMPTS)
        .with_initial_backoff(INITIAL_BACKOFF)
        .with_max_backoff(MAX_BACKOFF)
}

/// Connects to the table named by `TABLE_NAME`.
///
/// # Errors
/// The setting is missing, or the table does not respond.
pub async fn store(config: &SdkConfig) -> Result<Store> {
    connect(config).await.map(|(store, _)| store)
}

/// Connects to the table named by `TABLE_NAME`, and loads the data keys from the secret `DATA_KEY_SECRET_ARN`, at the same time.
///
/// # Errors
/// A setting is missing, a service does not respond, or the keys are not those of the table.
pub async fn store_and_sealer(config: &SdkConfig) -> Result<(Store, Sealer)> {
    let ((store, canary), sealer) = try_join(connect(config), sealer(config)).await?;
    canary::check(canary.as_ref(), &sealer)?;
    Ok((store, sealer))
}

async fn connect(config: &SdkConfig) -> Result<(Store, Option<Canary>)> {
    let store = Store::new(
        aws_sdk_dynamodb::Client::new(config),
        settings::required("TABLE_NAME")?,
    );
    // The first call includes the TLS handshake; made at start, no request waits for it.
    let canary = store
        .connect()
        .await
        .context("the table does not respond")?;
    Ok((store, canary))
}

/// The sealer with the data keys from the secret `DATA_KEY_SECRET_ARN`.
///
/// # Errors
/// The setting is missing, the secret cannot be loaded, or its text is not a key.
async fn sealer(config: &SdkConfig) -> Result<Sealer> {
    let secret = secret(config, "DATA_KEY_SECRET_ARN").await?;
    Sealer::from_secret(&secret).context("the secret DATA_KEY_SECRET_ARN is not a list of keys")
}

/// Loads the text of the secret whose ARN is in `setting`.
///
/// # Errors
/// The setting is missing, or the secret cannot be loaded.
pub async fn secret(config: &SdkConfig, setting: &'static str) -> Result<String> {
    let client = aws_sdk_secretsmanager::Client::new(config);
    secret_text(&client, &settings::required(setting)?)
        .await
        .context(setting)
}

/// A cache of the secret whose ARN is in `setting`, loaded once.
///
/// # Errors
/// The setting is missing, or the secret cannot be loaded.
pub async fn cached_secret(config: &SdkConfig, setting: &'static str) -> Result<CachedSecret> {
    let secret = CachedSecret::new(SecretsManagerSource {
        client: aws_sdk_secretsmanager::Client::new(config),
        arn: settings::required(setting)?,
    });
    let _ = secret.at(jiff::Timestamp::now()).await.context(setting)?;
    Ok(secret)
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
        .context("the secret cannot be loaded")?;
    answer.secret_string.context("the secret holds no text")
}

/// The handler that moves messages to the queue `DEAD_LETTER_QUEUE_URL`.
///
/// # Errors
/// The setting is missing.
pub fn dead_letter_handler(config: &SdkConfig, store: &Store) -> Result<DeadLetterHandler> {
    let config = config.clone();
    let queue = DeadLetterQueue::new(
        move || aws_sdk_sqs::Client::new(&config),
        settings::required("DEAD_LETTER_QUEUE_URL")?,
    );
    Ok(DeadLetterHandler::new(store.clone(), queue))
}

/// Connects to the queues of all kinds of work. One connection serves all: they are at the same host.
///
/// # Errors
/// A setting is missing.
pub async fn queues(config: &SdkConfig) -> Result<Queues> {
    let client = aws_sdk_sqs::Client::new(config);
    let callbacks = queue(&client, "CALLBACK_QUEUE_URL")?;
    let mails = queue(&client, "MAIL_QUEUE_URL")?;
    let imports = queue(&client, "IMPORT_QUEUE_URL")?;
    callbacks.connect().await;
    Ok(Queues::new(callbacks, mails, imports))
}

/// The queue whose URL is in `setting`.
fn queue(client: &aws_sdk_sqs::Client, setting: &'static str) -> Result<Queue> {
    Ok(Queue::new(client.clone(), settings::required(setting)?))
}

/// The mailer that sends from `MAIL_SENDER` with the configuration set `MAIL_CONFIGURATION_SET`.
///
/// # Errors
/// A setting is missing.
pub fn mailer(config: &SdkConfig) -> Result<Mailer> {
    // Without SDK retries: SES does not deduplicate, so retrying an attempt whose answer was lost would send a second mail.
    // The mail's own schedule retries instead. Not connected ahead: SES has no call without effect.
    let config = aws_sdk_sesv2::config::Builder::from(config)
        .retry_config(RetryConfig::disabled())
        .build();
    Ok(Mailer::with_transport(SesTransport {
        client: aws_sdk_sesv2::Client::from_conf(config),
        sender: settings::required("MAIL_SENDER")?,
        configuration_set: settings::required("MAIL_CONFIGURATION_SET")?,
    }))
}

/// The loopback targets that a local stack may call, from `LOCAL_CALLBACK_TARGETS`. Always none in production.
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
    async fn call_deadlines_are_shorter_than_every_function_timeout() {
        let config = config().await.expect("certificates");
        let timeouts = config.timeout_config().expect("set");
        assert_eq!(timeouts.connect_timeout(), Some(CONNECT_TIMEOUT));
        assert_eq!(timeouts.operation_attempt_timeout(), Some(ATTEMPT_TIMEOUT));
        assert_eq!(timeouts.operation_timeout(), Some(OPERATION_TIMEOUT));
        let retries = config.retry_config().expect("set");
        assert_eq!(
            (retries.max_attempts(), retries.initial_backoff()),
            (MAX_ATTEMPTS, INITIAL_BACKOFF)
        );
        let pauses: Duration = (0..MAX_ATTEMPTS - 1)
            .map(|pause| (INITIAL_BACKOFF * (1 << pause)).min(MAX_BACKOFF))
            .sum();
        assert!(pauses < OPERATION_TIMEOUT, "{pauses:?} of pauses");
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
                .is_some_and(|shortest| OPERATION_TIMEOUT < Duration::from_secs(shortest))
        );
    }
}
