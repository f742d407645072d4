//! The query of a request.

use lambda_http::aws_lambda_events::query_map::QueryMap;
use serde_json::Value;
use tandem_domain::input::FieldErrors;

use crate::problem::Problem;

/// Routes that take query parameters; the contract tests hold the list to docs/openapi.yaml. All others refuse any before they
/// do anything: who misspells a filter, or puts one where there is none, is told so.
pub const ROUTES_WITH_QUERY: [&str; 20] = [
    "GET /v1/callbacks",
    "GET /v1/carts",
    "GET /v1/clients",
    "GET /v1/clients/{clientId}/api-keys",
    "GET /v1/connections",
    "GET /v1/contracting-companies",
    "GET /v1/customers",
    "GET /v1/customers/{customerId}/orders",
    "GET /v1/customers/{customerId}/subscriptions",
    "GET /v1/imports",
    "GET /v1/imports/orders/logs",
    "GET /v1/imports/{promiseId}",
    "GET /v1/offers",
    "GET /v1/offers/shared",
    "GET /v1/orders",
    "GET /v1/payouts",
    "GET /v1/payouts/export",
    "GET /v1/payouts/statement",
    "GET /v1/subscriptions",
    "POST /v1/imports/orders",
];

/// Query parameters being read; as with bodies, all errors are named at once and unknown ones are refused.
pub struct Query<'a> {
    map: &'a QueryMap,
    asked: Vec<&'static str>,
    errors: FieldErrors,
}

impl<'a> Query<'a> {
    pub(crate) fn of(map: &'a QueryMap) -> Self {
        Self { map, asked: Vec::new(), errors: FieldErrors::default() }
    }

    /// A parameter that may be absent, read as if it were a JSON string.
    pub fn optional<T>(&mut self, name: &'static str, parse: impl FnOnce(&Value) -> Result<T, FieldErrors>) -> Option<T> {
        self.asked.push(name);
        let text = self.map.first(name)?;
        parse(&Value::String(text.to_owned())).map_err(|errors| self.errors.0.extend(errors.under(name).0)).ok()
    }

    /// A whole number within bounds.
    pub fn number(&mut self, name: &'static str, bounds: std::ops::RangeInclusive<usize>) -> Option<usize> {
        self.asked.push(name);
        let number = self.map.first(name)?.parse().ok().filter(|number| bounds.contains(number));
        if number.is_none() {
            let detail = format!("expected a whole number from {} to {}", bounds.start(), bounds.end());
            self.errors.0.extend(FieldErrors::at(name, "out_of_range", detail).0);
        }
        number
    }

    /// What remains the same from page to page, for the cursor: all parameters but `cursor` and `limit`.
    #[must_use]
    pub fn fixed(&self) -> String {
        let mut pairs: Vec<_> = self.map.iter().filter(|(name, _)| !matches!(*name, "cursor" | "limit")).collect();
        pairs.sort_unstable();
        serde_json::json!(pairs).to_string()
    }

    /// The same parameters as text of a URL, each with an `&` behind it.
    #[must_use]
    pub fn pairs(&self) -> String {
        let fixed = self.map.iter().filter(|(name, _)| !matches!(*name, "cursor" | "limit"));
        fixed.fold(String::new(), |text, pair| {
            text + &url::form_urlencoded::Serializer::new(String::new()).append_pair(pair.0, pair.1).finish() + "&"
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
                let detail = match self.asked.as_slice() {
                    [] => "this route takes no query parameters".to_owned(),
                    known => format!("no such parameter here; known: {}", known.join(", ")),
                };
                self.errors.0.extend(FieldErrors::at(name, "unknown_parameter", detail).0);
            }
        }
        if self.errors.0.is_empty() { Ok(()) } else { Err(Problem::query(self.errors)) }
    }
}
