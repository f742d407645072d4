//! Requests to Amazon SES, and the errors for its answers.

use std::time::Duration;

use aws_sdk_sesv2::config::retry::RetryConfig;
use aws_sdk_sesv2::config::timeout::TimeoutConfig;
use aws_sdk_sesv2::config::{BehaviorVersion, Credentials, Region};
use serde_json::{Value, json};
use tandem_domain::mail::Mail;
use tandem_mail::{Mailer, SendMailError, SesTransport, render};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn mailer(ses: &MockServer) -> Mailer {
    let config = aws_sdk_sesv2::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
        .retry_config(RetryConfig::disabled())
        .timeout_config(
            TimeoutConfig::builder()
                .operation_timeout(Duration::from_millis(500))
                .build(),
        )
        .endpoint_url(ses.uri())
        .build();
    let client = aws_sdk_sesv2::Client::from_conf(config);
    Mailer::with_transport(SesTransport {
        client,
        sender: "Tandem <tandem@example.com>".to_owned(),
        configuration_set: "mails".to_owned(),
    })
}

async fn ses(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/v2/email/outbound-emails"))
        .respond_with(answer)
        .mount(&server)
        .await;
    server
}

fn mail_to(email: &str) -> Mail {
    let mail = json!({
        "id": "mal_0190b8f5c6f77c3ab0a1c2d3e4f50601",
        "clientId": "cli_0190b8f5c6f77c3ab0a1c2d3e4f50602",
        "email": email,
        "language": "de",
        "kind": {
            "about": "invitation",
            "sourceName": "Tagblatt Süd",
            "connectionId": "con_0190b8f5c6f77c3ab0a1c2d3e4f50617",
        },
        "status": "waiting",
        "dueAt": "2026-07-01T12:00:00Z",
        "tries": 0,
        "createdAt": "2026-07-01T12:00:00Z",
        "version": 1,
    });
    serde_json::from_value(mail).expect("a mail")
}

#[tokio::test]
async fn a_mail_is_sent_as_structured_content() {
    let ses = ses(ResponseTemplate::new(200).set_body_json(json!({"MessageId": "1"}))).await;
    let mail = mail_to("partner@example.com");
    mailer(&ses).send(&mail).await.expect("sent");
    let requests = ses.received_requests().await.expect("recorded");
    let sent: Value = requests[0].body_json().expect("JSON");
    let rendered = render(&mail).expect("rendered");
    let utf8 = |data: &str| json!({"Data": data, "Charset": "UTF-8"});
    assert_eq!(
        sent,
        json!({
            "FromEmailAddress": "Tandem <tandem@example.com>",
            "ConfigurationSetName": "mails",
            "EmailTags": [
                {"Name": "about", "Value": "invitation"},
                {"Name": "connection", "Value": "con_0190b8f5c6f77c3ab0a1c2d3e4f50617"},
            ],
            "Destination": {"ToAddresses": ["partner@example.com"]},
            "Content": {"Simple": {
                "Subject": utf8(&rendered.subject),
                "Body": {"Text": utf8(&rendered.text), "Html": utf8(&rendered.html)},
                "Headers": [{"Name": "Auto-Submitted", "Value": "auto-generated"}],
            }},
        })
    );
}

#[tokio::test]
async fn a_domain_with_umlauts_is_sent_in_punycode() {
    let ses = ses(ResponseTemplate::new(200).set_body_json(json!({"MessageId": "1"}))).await;
    mailer(&ses)
        .send(&mail_to("post@bücher.example"))
        .await
        .expect("sent");
    let requests = ses.received_requests().await.expect("recorded");
    let sent: Value = requests[0].body_json().expect("JSON");
    assert_eq!(
        sent["Destination"]["ToAddresses"],
        json!(["post@xn--bcher-kva.example"])
    );
}

#[tokio::test]
async fn a_rejection_keeps_the_code_but_not_the_address() {
    let answer = json!({"message": "Email address is not verified: partner@example.com"});
    let answer = ResponseTemplate::new(400)
        .insert_header("x-amzn-errortype", "MessageRejected")
        .set_body_json(answer);
    let error = mailer(&ses(answer).await)
        .send(&mail_to("partner@example.com"))
        .await
        .expect_err("rejected");
    assert_eq!(
        error,
        SendMailError::Rejected {
            code: "MessageRejected".to_owned()
        }
    );
    assert!(!format!("{error} {error:?}").contains("example.com"));
}

#[tokio::test]
async fn a_timeout_is_an_error() {
    let late = ResponseTemplate::new(200)
        .set_body_json(json!({"MessageId": "1"}))
        .set_delay(Duration::from_secs(5));
    let error = mailer(&ses(late).await)
        .send(&mail_to("partner@example.com"))
        .await
        .expect_err("timed out");
    assert_eq!(
        error,
        SendMailError::NoAnswer {
            reason: "the request timed out"
        }
    );
}
