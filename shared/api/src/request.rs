//! What is asked: route, parameters, body.

use std::collections::HashMap;
use std::str::FromStr;

use lambda_http::http::HeaderMap;
use lambda_http::http::header::AUTHORIZATION;
use lambda_http::request::RequestContext;
use lambda_http::{RequestExt, aws_lambda_events::query_map::QueryMap};
use serde_json::Value;
use tandem_domain::input::FieldErrors;
use tandem_domain::json;

use crate::caller::Caller;
use crate::problem::{Code, Problem};

/// The largest body, in bytes, of all routes that have no limit of their own.
pub const LARGEST_BODY: usize = 256 * 1024;
/// The longest `Idempotency-Key`, in characters.
const LONGEST_KEY: usize = 255;

/// A request that came through the HTTP API and its authorizer.
#[derive(Debug, Clone)]
pub struct Request {
    /// Method and path pattern as the template spells them, e.g. `POST /v1/offers/{offerId}/archive`.
    pub route: String,
    /// Who calls.
    pub caller: Caller,
    /// The HTTP API's id of this request.
    pub id: String,
    path: String,
    path_parameters: QueryMap,
    query: QueryMap,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Request {
    /// Reads an event.
    ///
    /// # Errors
    /// The route is not behind the authorizer.
    pub fn read(event: lambda_http::Request) -> Result<Self, Problem> {
        let (route, id, context) = match event.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => (
                context.route_key.clone().unwrap_or_default(),
                context.request_id.clone().unwrap_or_default(),
                context
                    .authorizer
                    .as_ref()
                    .map(|authorizer| authorizer.fields.clone())
                    .unwrap_or_default(),
            ),
            _ => (String::new(), String::new(), HashMap::new()),
        };
        Ok(Self {
            route,
            caller: Caller::from_context(&context)?,
            id,
            path: event.uri().path().to_owned(),
            path_parameters: event.path_parameters(),
            query: event.query_string_parameters(),
            headers: without_key(event.headers()),
            body: event.body().to_vec(),
        })
    }

    /// The path as it was called.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// An id in the path; what is no such id cannot exist.
    ///
    /// # Errors
    /// `missing`, as if the thing were not there.
    pub fn id_in_path<T: FromStr>(&self, name: &str, missing: Code) -> Result<T, Problem> {
        self.path_parameters
            .first(name)
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| Problem::missing(missing))
    }

    /// A text in the path.
    pub fn text_in_path(&self, name: &str) -> &str {
        self.path_parameters.first(name).unwrap_or_default()
    }

    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The JSON body.
    ///
    /// # Errors
    /// Too large, not sent as JSON, or no JSON.
    pub fn json(&self) -> Result<Value, Problem> {
        self.json_up_to(LARGEST_BODY)
    }

    /// The JSON body of a route with a limit of its own, in bytes.
    ///
    /// # Errors
    /// As [`Self::json`].
    pub fn json_up_to(&self, largest: usize) -> Result<Value, Problem> {
        if self.body.len() > largest {
            return Err(Problem::new(
                Code::BodyTooLarge,
                format!("at most {largest} bytes are taken"),
            ));
        }
        let media_type = self.header("content-type").unwrap_or_default();
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(Problem::new(
                Code::UnsupportedMediaType,
                "send the header content-type: application/json",
            ));
        }
        json::parse(&self.body).map_err(|error| Problem::new(Code::InvalidJson, error.to_string()))
    }

    /// The JSON body of a route that needs none: an empty body counts as `{}`.
    ///
    /// # Errors
    /// As [`Self::json`].
    pub fn json_or_empty(&self) -> Result<Value, Problem> {
        if self.body.is_empty() {
            Ok(Value::Object(serde_json::Map::new()))
        } else {
            self.json()
        }
    }

    /// Goes on only if the body is empty or `{}`.
    ///
    /// # Errors
    /// Names each member, since the route knows none.
    pub fn no_body(&self) -> Result<Value, Problem> {
        let body = self.json_or_empty()?;
        tandem_domain::input::Object::read(&body)?.finish(|| Some(()))?;
        Ok(body)
    }

    /// The `Idempotency-Key`, if there is one.
    ///
    /// # Errors
    /// It has the wrong form.
    pub fn idempotency_key(&self) -> Result<Option<&str>, Problem> {
        let Some(value) = self.headers.get("idempotency-key") else {
            return Ok(None);
        };
        let fits = |text: &&str| {
            (1..=LONGEST_KEY).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_graphic() || b == b' ')
        };
        let detail =
            || format!("expected 1 to {LONGEST_KEY} printable ASCII characters, e.g. a UUID");
        value
            .to_str()
            .ok()
            .filter(fits)
            .map(Some)
            .ok_or_else(|| Problem::new(Code::IdempotencyKeyInvalid, detail()))
    }

    /// Starts to read the query.
    pub fn query(&self) -> Query<'_> {
        Query {
            map: &self.query,
            asked: Vec::new(),
            errors: FieldErrors::default(),
        }
    }
}

/// The caller is known; the key that it showed is nobody's business any more.
fn without_key(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    headers.remove(AUTHORIZATION);
    headers
}

/// Query parameters being read; as with bodies, all errors are named at once and unknown ones are refused.
pub struct Query<'a> {
    map: &'a QueryMap,
    asked: Vec<&'static str>,
    errors: FieldErrors,
}

impl Query<'_> {
    /// A parameter that may be absent, read as if it were a JSON string.
    pub fn optional<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&Value) -> Result<T, FieldErrors>,
    ) -> Option<T> {
        self.asked.push(name);
        let text = self.map.first(name)?;
        parse(&Value::String(text.to_owned()))
            .map_err(|errors| self.errors.0.extend(errors.under(name).0))
            .ok()
    }

    /// A whole number within bounds.
    pub fn number(
        &mut self,
        name: &'static str,
        bounds: std::ops::RangeInclusive<usize>,
    ) -> Option<usize> {
        self.asked.push(name);
        let number = self
            .map
            .first(name)?
            .parse()
            .ok()
            .filter(|number| bounds.contains(number));
        if number.is_none() {
            let detail = format!(
                "expected a whole number from {} to {}",
                bounds.start(),
                bounds.end()
            );
            self.errors
                .0
                .extend(FieldErrors::at(name, "out_of_range", detail).0);
        }
        number
    }

    /// What remains the same from page to page, for the cursor: all parameters but `cursor` and `limit`.
    pub fn fixed(&self) -> String {
        let mut pairs: Vec<_> = self
            .map
            .iter()
            .filter(|(name, _)| !matches!(*name, "cursor" | "limit"))
            .collect();
        pairs.sort_unstable();
        serde_json::json!(pairs).to_string()
    }

    /// The same parameters as text of a URL, each with an `&` behind it.
    pub fn pairs(&self) -> String {
        let fixed = self
            .map
            .iter()
            .filter(|(name, _)| !matches!(*name, "cursor" | "limit"));
        fixed.fold(String::new(), |text, pair| {
            text + &url::form_urlencoded::Serializer::new(String::new())
                .append_pair(pair.0, pair.1)
                .finish()
                + "&"
        })
    }

    /// Notes an error that concerns several parameters.
    pub fn note(&mut self, errors: FieldErrors) {
        self.errors.0.extend(errors.0);
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// All wrong and all unknown parameters.
    pub fn finish(mut self) -> Result<(), Problem> {
        let mut names: Vec<&str> = self.map.iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            if !self.asked.contains(&name) {
                let detail = format!("no such parameter here; known: {}", self.asked.join(", "));
                self.errors
                    .0
                    .extend(FieldErrors::at(name, "unknown_parameter", detail).0);
            }
        }
        if self.errors.0.is_empty() {
            Ok(())
        } else {
            Err(Problem::query(self.errors))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_http::request::from_str;
    use serde_json::json;
    use tandem_testing::HttpCall;

    const KEY: &str = "tdm_0123456789abcdef_0123456789abcdefghjkmnpqrstvwxyz3tmq654";

    #[test]
    fn the_key_of_the_caller_is_in_no_request_that_was_read() {
        // The gateway writes names in lower case; callers and other gateways may not.
        for name in ["authorization", "Authorization", "AUTHORIZATION"] {
            let call = HttpCall::new("GET /v1/offers")
                .header("idempotency-key", "k1")
                .authorizer(json!({"role": "operator"}));
            let mut event = call.event();
            event["headers"][name] = json!(format!("Bearer {KEY}"));
            let event = from_str(&event.to_string()).expect("an event");
            assert!(event.headers().contains_key(name), "it came along");
            let request = Request::read(event).expect("behind the authorizer");
            assert_eq!(
                (request.header(name), request.header("authorization")),
                (None, None)
            );
            assert_eq!(
                request.header("idempotency-key"),
                Some("k1"),
                "the others are there"
            );
            assert!(!format!("{request:?}").contains(KEY), "{name}");
        }
    }
}
