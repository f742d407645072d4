use serde_json::{Value, json};

use super::{Answer, House, Who};
use crate::request::Request;

impl House {
    pub async fn call(&self, who: &Who, target: &str, body: Option<Value>) -> Answer {
        self.call_with(who, target, body, &[]).await
    }

    pub async fn post(&self, who: &Who, path: &str, key: &str, body: Value) -> Answer {
        let target = format!("POST {path}");
        self.call_with(who, &target, Some(body), &[("idempotency-key", key)])
            .await
    }

    pub async fn call_with(
        &self,
        who: &Who,
        target: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        self.send(who, target, body.map(|body| body.to_string()), headers)
            .await
    }

    pub async fn send(
        &self,
        who: &Who,
        target: &str,
        body: Option<String>,
        headers: &[(&str, &str)],
    ) -> Answer {
        self.send_bytes(who, target, body.map(String::into_bytes), headers)
            .await
    }

    pub async fn send_bytes(
        &self,
        who: &Who,
        target: &str,
        body: Option<Vec<u8>>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let (method, target) = target.split_once(' ').expect("METHOD /path");
        let mut request = Request::new(method.parse().expect("a method"), target, None);
        let owned = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        if body.is_some() {
            request
                .headers
                .push(owned("content-type", "application/json"));
        }
        request.body = body;
        request
            .headers
            .extend(headers.iter().map(|(name, value)| owned(name, value)));
        let context = match who {
            Who::Operator => json!({"role": "operator"}),
            Who::Client(client, company) => {
                json!({"role": "client", "clientId": client, "companyId": company, "keyId": "testkey"})
            }
        };
        let answer = self.answer_in_context(&request, context).await;
        let header = |name: &str| answer.header(name).map(str::to_owned);
        Answer {
            status: answer.status,
            replayed: answer.is_repeated(),
            content_type: header("content-type").unwrap_or_default(),
            link: header("link"),
            retry_after: header("retry-after"),
            headers: answer
                .headers
                .iter()
                .map(|(name, value)| {
                    let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                    (name.to_string(), value)
                })
                .collect(),
            text: answer.text,
            body: answer.body,
        }
    }
}
