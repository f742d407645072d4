//! A request: route, parameters, headers and body.

use std::collections::HashMap;
use std::str::FromStr;

use lambda_http::http::HeaderMap;
use lambda_http::http::header::AUTHORIZATION;
use lambda_http::request::RequestContext;
use lambda_http::{RequestExt, aws_lambda_events::query_map::QueryMap};
use serde_json::Value;
use tandem_domain::ids::is_id;
use tandem_domain::input::{FieldErrors, MAX_NAME, one_of, shown};
use tandem_domain::json;

use crate::caller::Caller;
use crate::parameters;
use crate::problem::{Code, Problem};

/// Largest body in bytes, for routes without a limit of their own.
pub const MAX_BODY: usize = 256 * 1024;
/// Longest `Idempotency-Key`, in characters.
const MAX_KEY: usize = 255;

/// The route of every call that no other route of the template takes. It has no authorizer.
pub const DEFAULT_ROUTE: &str = "$default";

/// A request that the HTTP API's authorizer let through.
#[derive(Debug, Clone)]
pub struct Request {
    /// Method and path pattern as the template spells them, e.g. `POST /v1/offers/{offerId}/archive`.
    pub route: String,
    pub caller: Caller,
    /// The id of the client's API key; `None` for the operator.
    key_id: Option<String>,
    /// The HTTP API's request id.
    pub id: String,
    path: String,
    path_parameters: QueryMap,
    query: QueryMap,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Request {
    /// Reads an event. Fails if the route is not behind the authorizer.
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
            key_id: context
                .get("keyId")
                .and_then(Value::as_str)
                .map(str::to_owned),
            id,
            path: event.uri().path().to_owned(),
            path_parameters: event.path_parameters(),
            query: event.query_string_parameters(),
            headers: without_authorization(event.headers()),
            body: event.body().to_vec(),
        })
    }

    /// The id of the calling API key of a client.
    pub fn key_id(&self) -> Result<&str, Problem> {
        let missing = || Problem::new(Code::Unauthenticated, "the request names no API key");
        self.key_id.as_deref().ok_or_else(missing)
    }

    /// The path of the call, with its ids.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Parses a path id; a malformed id is a 404 with the code `not_found`.
    pub fn id_in_path<T: FromStr>(&self, name: &str, not_found: Code) -> Result<T, Problem> {
        self.path_parameters
            .first(name)
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| Problem::missing(not_found))
    }

    /// The ids in the path, for the log.
    pub fn ids_in_path(&self) -> Vec<&str> {
        self.path.split('/').filter(|part| is_id(part)).collect()
    }

    pub fn text_in_path(&self, name: &str) -> &str {
        self.path_parameters.first(name).unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The JSON body.
    ///
    /// # Errors
    /// The body is missing, larger than [`MAX_BODY`], has another media type, or is not valid JSON.
    pub fn json(&self) -> Result<Value, Problem> {
        self.json_up_to(MAX_BODY)
    }

    /// [`Self::json`] of a route with a limit of its own, in bytes.
    pub fn json_up_to(&self, max: usize) -> Result<Value, Problem> {
        if self.body.len() > max {
            return Err(Problem::new(
                Code::BodyTooLarge,
                format!("the limit is {max} bytes"),
            ));
        }
        if self.body.is_empty() {
            return Err(Problem::new(
                Code::InvalidJson,
                "the body is missing; send a JSON object with the header content-type: application/json",
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
        json::parse(&self.body).map_err(Problem::from)
    }

    /// [`Self::json`] of a route with an optional body: an empty body counts as `{}`.
    pub fn json_or_empty(&self) -> Result<Value, Problem> {
        if self.body.is_empty() {
            Ok(Value::Object(serde_json::Map::new()))
        } else {
            self.json()
        }
    }

    /// Accepts an empty body or `{}`; rejects each member.
    pub fn empty_body(&self) -> Result<Value, Problem> {
        let body = self.json_or_empty()?;
        tandem_domain::input::Object::read(&body)?.finish(|| Some(()))?;
        Ok(body)
    }

    pub fn idempotency_key(&self) -> Result<Option<&str>, Problem> {
        let Some(value) = self.headers.get("idempotency-key") else {
            return Ok(None);
        };
        let fits = |text: &&str| {
            (1..=MAX_KEY).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_graphic() || b == b' ')
        };
        let detail = || format!("expected 1 to {MAX_KEY} printable ASCII characters, e.g. a UUID");
        value
            .to_str()
            .ok()
            .filter(fits)
            .map(Some)
            .ok_or_else(|| Problem::new(Code::IdempotencyKeyInvalid, detail()))
    }

    pub fn query(&self) -> Query<'_> {
        let mut errors = FieldErrors::default();
        for name in self.parameter_names() {
            if self.query.all(name).is_some_and(|values| values.len() > 1) {
                let detail = "the parameter occurs twice; send it once";
                let name = shown(name, MAX_NAME);
                errors
                    .0
                    .extend(FieldErrors::at(name, "repeated_parameter", detail).0);
            }
        }
        Query {
            map: &self.query,
            names: self.parameter_names(),
            known: Vec::new(),
            errors,
        }
    }

    /// Rejects all query parameters, unless the route takes some and reads them by [`Self::query`].
    pub(crate) fn check_parameters(&self) -> Result<(), Problem> {
        if parameters::ROUTES.contains(&self.route.as_str()) {
            return Ok(());
        }
        self.query().finish()
    }

    fn parameter_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.query.iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

// Handlers know the caller from the authorizer. They never need the key, so no log or error can leak it.
fn without_authorization(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    headers.remove(AUTHORIZATION);
    headers
}

/// Parses query parameters. Like bodies: it reports all errors at once and rejects unknown parameters.
pub struct Query<'a> {
    map: &'a QueryMap,
    /// Sorted, each once.
    names: Vec<&'a str>,
    known: Vec<&'static str>,
    errors: FieldErrors,
}

impl Query<'_> {
    /// Reads an optional parameter with the parser of a JSON string.
    pub fn optional<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&Value) -> Result<T, FieldErrors>,
    ) -> Option<T> {
        self.known.push(name);
        let text = self.map.first(name)?;
        parse(&Value::String(text.to_owned()))
            .map_err(|errors| self.errors.0.extend(errors.under(name).0))
            .ok()
    }

    /// Reads an optional `true` or `false`.
    pub fn flag(&mut self, name: &'static str) -> Option<bool> {
        self.optional(name, one_of(&[("true", true), ("false", false)]))
    }

    pub fn number(
        &mut self,
        name: &'static str,
        bounds: std::ops::RangeInclusive<usize>,
    ) -> Option<usize> {
        self.known.push(name);
        let number = self
            .map
            .first(name)
            .map(|text| Some(text).filter(|text| text.bytes().all(|b| b.is_ascii_digit())))?
            .and_then(|digits| digits.parse().ok())
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

    /// All parameters but `cursor` and `limit`, in a stable order: the cursor is bound to them.
    pub fn filters(&self) -> String {
        let mut pairs: Vec<_> = self
            .map
            .iter()
            .filter(|(name, _)| !matches!(*name, "cursor" | "limit"))
            .collect();
        pairs.sort_unstable();
        serde_json::json!(pairs).to_string()
    }

    /// All parameters but `cursor` and `limit`, URL-encoded, each followed by `&`.
    pub fn encoded_filters(&self) -> String {
        let filters = self
            .map
            .iter()
            .filter(|(name, _)| !matches!(*name, "cursor" | "limit"));
        filters.fold(String::new(), |text, pair| {
            text + &url::form_urlencoded::Serializer::new(String::new())
                .append_pair(pair.0, pair.1)
                .finish()
                + "&"
        })
    }

    /// Adds an error that concerns several parameters.
    pub fn note(&mut self, errors: FieldErrors) {
        self.errors.0.extend(errors.0);
    }

    /// Reports all invalid and unknown parameters.
    pub fn finish(mut self) -> Result<(), Problem> {
        let detail = match self.known.as_slice() {
            [] => "the route takes no parameters".to_owned(),
            known => format!("unknown parameter; known parameters: {}", known.join(", ")),
        };
        for name in self.names {
            if !self.known.contains(&name) {
                let name = shown(name, MAX_NAME);
                self.errors
                    .0
                    .extend(FieldErrors::at(name, "unknown_parameter", detail.as_str()).0);
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
    fn a_request_does_not_hold_the_callers_key() {
        // The gateway sends names in lower case; other gateways may not.
        for name in ["authorization", "Authorization", "AUTHORIZATION"] {
            let call = HttpCall::new("GET /v1/offers")
                .header("idempotency-key", "k1")
                .authorizer(json!({"role": "operator"}));
            let mut event = call.event();
            event["headers"][name] = json!(format!("Bearer {KEY}"));
            let event = from_str(&event.to_string()).expect("an event");
            assert!(
                event.headers().contains_key(name),
                "the event holds the key"
            );
            let request = Request::read(event).expect("behind the authorizer");
            assert_eq!(
                (request.header(name), request.header("authorization")),
                (None, None)
            );
            assert_eq!(
                request.header("idempotency-key"),
                Some("k1"),
                "other headers remain"
            );
            assert!(!format!("{request:?}").contains(KEY), "{name}");
        }
    }
}
