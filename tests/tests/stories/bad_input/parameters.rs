//! Query parameters that a route refuses.

use tandem_tests::Api;

use super::case::{Case, Query};
use super::check::{Check, Fields};

impl Case {
    pub(super) fn queries(&self, api: &Api, query: &Query) -> Vec<Check> {
        let wrong_limit = if query.largest_limit.is_some() {
            "out_of_range"
        } else {
            "unknown_parameter"
        };
        let more = [
            ("limit", "0", wrong_limit),
            ("nonsense", "1", "unknown_parameter"),
        ];
        let all: Vec<_> = query.parameters.iter().copied().chain(more).collect();
        let at_once = all
            .iter()
            .map(|(name, value, _)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join("&");
        let fields = all
            .iter()
            .map(|(name, _, code)| ((*name).to_owned(), (*code).to_owned()))
            .collect();
        let mut wrong = vec![(at_once, fields)];
        if let Some(largest) = query.largest_limit {
            for limit in [
                (largest + 1).to_string(),
                "-1".to_owned(),
                "x".to_owned(),
                "1.5".to_owned(),
            ] {
                wrong.push((
                    format!("limit={limit}"),
                    named(&[("limit", "out_of_range")]),
                ));
            }
        }
        wrong.extend(
            query
                .wrong
                .iter()
                .map(|(query, fields)| (query.clone(), named(fields))),
        );
        let mut checks: Vec<Check> = wrong
            .into_iter()
            .map(|(query, fields)| {
                let call = self.call(api, &format!("{}?{query}", self.path()));
                self.check(&format!("?{query}"), call, (400, "invalid_query"), fields)
            })
            .collect();
        if query.largest_limit.is_some() {
            for cursor in ["x", "bm9uc2Vuc2U.bm9uc2Vuc2U", "%F0%9F%92%A9.x"] {
                let call = self.call(api, &format!("{}?cursor={cursor}", self.path()));
                checks.push(self.check(
                    &format!("?cursor={cursor}"),
                    call,
                    (400, "invalid_cursor"),
                    Fields::new(),
                ));
            }
        }
        checks
    }

    /// Unknown and repeated parameters of a call that is valid without them.
    pub(super) fn parameters(&self, api: &Api) -> Vec<Check> {
        let (unknown, repeated) = ("unknown_parameter", "repeated_parameter");
        let mut wrong = vec![
            ("nonsense=1".to_owned(), named(&[("nonsense", unknown)])),
            (
                "nonsense=1&nonsense=1".to_owned(),
                named(&[("nonsense", unknown), ("nonsense", repeated)]),
            ),
            ("%FF=1".to_owned(), named(&[("\u{fffd}", unknown)])),
        ];
        if self
            .query
            .as_ref()
            .is_some_and(|query| query.largest_limit.is_some())
        {
            wrong.push(("limit=1&limit=1".to_owned(), named(&[("limit", repeated)])));
        }
        for (_, name, first, second) in VALUES.iter().filter(|(route, ..)| *route == self.route) {
            let query = format!("{name}={first}&{name}={second}");
            wrong.push((query, named(&[(name, repeated)])));
        }
        let check = |(query, fields): (String, Fields)| {
            let call = self.call(api, &format!("{}?{query}", self.path()));
            let call = match &self.body {
                Some(body) => call.json(&body.right),
                None => call,
            };
            self.check(&format!("?{query}"), call, (400, "invalid_query"), fields)
        };
        wrong.into_iter().map(check).collect()
    }
}

/// A route, a parameter, and two valid values of it.
const VALUES: &[(&str, &str, &str, &str)] = &[
    ("POST /v1/imports/orders", "dryRun", "false", "true"),
    ("GET /v1/offers", "status", "archived", "active"),
    ("GET /v1/carts", "status", "active", "active"),
    ("GET /v1/connections", "role", "source", "target"),
    ("GET /v1/callbacks", "status", "pending", "held"),
];

pub(super) fn named(fields: &[(&str, &str)]) -> Fields {
    fields
        .iter()
        .map(|(field, code)| ((*field).to_owned(), (*code).to_owned()))
        .collect()
}
