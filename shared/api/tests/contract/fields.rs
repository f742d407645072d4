//! Compares the request bodies of docs/openapi.yaml with the parsers: members, required members and bounds.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tandem_domain::Timestamp;
use tandem_domain::after_sale::{CancelRequest, PaymentRequest, ReverseRequest};
use tandem_domain::callback_url::LocalTargets;
use tandem_domain::cart::{CartDraft, CartEdit};
use tandem_domain::connection::{ConnectionDraft, ConnectionEdit};
use tandem_domain::customer::{CustomerEdit, Profile};
use tandem_domain::event_endpoint::EventEndpointDraft;
use tandem_domain::import::item::{ImportItem, parse_items};
use tandem_domain::input::{FieldError, FieldErrors};
use tandem_domain::money::Currency;
use tandem_domain::offer::{OfferDraft, OfferEdit};
use tandem_domain::order::ReversalRequest;
use tandem_domain::purchase::PurchaseRequest;
use tandem_domain::replay::Selection;
use tandem_domain::tenancy::{
    ClientDraft, ClientEdit, CompanyDraft, CompanyEdit, KeyDraft, OwnEdit,
};
use tandem_domain::terms::TermsVersion;
use tandem_domain::voucher::RedeemRequest;
use tandem_testing::Openapi;

pub(crate) type Parser = fn(&Value) -> Result<(), FieldErrors>;

/// The parser of each body, by the name of its schema. The parser of `Replay` is private to its function.
pub(crate) const PARSERS: &[(&str, Parser)] = &[
    ("CompanyDraft", |body| CompanyDraft::parse(body).map(drop)),
    ("CompanyEdit", |body| CompanyEdit::parse(body).map(drop)),
    ("ClientDraft", |body| ClientDraft::parse(body).map(drop)),
    ("ClientEdit", |body| ClientEdit::parse(body).map(drop)),
    ("OwnEdit", |body| OwnEdit::parse(body).map(drop)),
    ("ApiKeyDraft", |body| {
        KeyDraft::parse(body, Timestamp::UNIX_EPOCH).map(drop)
    }),
    ("ConnectionDraft", |body| {
        ConnectionDraft::parse(body, &LocalTargets::default()).map(drop)
    }),
    ("ConnectionEdit", |body| {
        ConnectionEdit::parse(body, &LocalTargets::default()).map(drop)
    }),
    ("OfferDraft", |body| OfferDraft::parse(body).map(drop)),
    ("OfferEdit", |body| OfferEdit::parse(body).map(drop)),
    ("TermsAcceptance", |body| {
        TermsVersion::parse(body).map(drop)
    }),
    ("CartDraft", |body| CartDraft::parse(body).map(drop)),
    ("CartEdit", |body| CartEdit::parse(body).map(drop)),
    ("Purchase", |body| PurchaseRequest::parse(body).map(drop)),
    ("CustomerDraft", |body| Profile::parse(body).map(drop)),
    ("CustomerEdit", |body| CustomerEdit::parse(body).map(drop)),
    ("Reversal", |body| ReversalRequest::parse(body).map(drop)),
    ("PeriodReversal", |body| {
        ReverseRequest::parse(body).map(drop)
    }),
    ("Payment", |body| PaymentRequest::parse(body).map(drop)),
    ("Cancellation", |body| CancelRequest::parse(body).map(drop)),
    ("Redemption", |body| RedeemRequest::parse(body).map(drop)),
    ("Import", |body| parse_items(body).map(drop)),
    ("ReplayDraft", |body| Selection::parse(body).map(drop)),
    ("EventEndpointDraft", |body| {
        EventEndpointDraft::parse(body, &LocalTargets::default()).map(drop)
    }),
];

/// A place in a body.
pub(crate) struct Place<'a> {
    parser: Parser,
    /// The path in field errors.
    pub(crate) path: String,
    /// Makes a body with a value at this place.
    wrap: &'a dyn Fn(Value) -> Value,
    pub(crate) schema: &'static Value,
}

impl Place<'_> {
    /// The errors of a value at this place, with paths relative to it.
    pub(crate) fn errors(&self, value: Value) -> Vec<FieldError> {
        let errors = (self.parser)(&(self.wrap)(value))
            .err()
            .unwrap_or_default()
            .0;
        let here = |error: FieldError| {
            let field = error
                .field
                .strip_prefix(&self.path)?
                .trim_start_matches('.')
                .to_owned();
            Some(FieldError { field, ..error })
        };
        errors.into_iter().filter_map(here).collect()
    }

    pub(crate) fn rejects(&self, value: Value) -> bool {
        self.errors(value)
            .iter()
            .any(|error| error.field.is_empty())
    }

    /// Visits this place and all places below it.
    fn visit(&self, visitor: &dyn Fn(&Place<'_>)) {
        visitor(self);
        let schema = self.schema;
        if let Some(properties) = schema["properties"].as_object() {
            for (name, property) in properties {
                let inner = |value: Value| (self.wrap)(json!({name: value}));
                let path = if self.path.is_empty() {
                    name.clone()
                } else {
                    format!("{}.{name}", self.path)
                };
                self.within(path, &inner, property, visitor);
            }
        } else if let Some(items) = schema.get("items") {
            self.within(
                format!("{}[0]", self.path),
                &|value| (self.wrap)(json!([value])),
                items,
                visitor,
            );
        }
    }

    fn check(&self) {
        if self.schema["properties"].is_object() {
            self.check_members();
        } else if self.schema.get("items").is_some() {
            self.check_length();
        } else if self.is_pairs() {
            self.check_pairs();
        } else {
            self.check_bounds();
        }
    }

    /// Whether any member is allowed, of one kind of value.
    fn is_pairs(&self) -> bool {
        self.schema["additionalProperties"].is_object()
    }

    fn check_pairs(&self) {
        let (path, schema) = (&self.path, self.schema);
        let bound = |schema: &Value, name: &str| {
            let bound = Openapi::get().resolve(schema)[name].as_u64();
            usize::try_from(bound.unwrap_or_else(|| panic!("{path}: {name}"))).expect("small")
        };
        let pairs = |count: usize, key: usize, value: usize| -> Value {
            let pair = |number| (format!("{number:0>key$}"), Value::from("x".repeat(value)));
            (0..count)
                .map(pair)
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        let (most, key, value) = (
            bound(schema, "maxProperties"),
            bound(&schema["propertyNames"], "maxLength"),
            bound(&schema["additionalProperties"], "maxLength"),
        );
        for (taken, refused) in [
            (pairs(most, 2, 1), pairs(most + 1, 2, 1)),
            (pairs(1, key, 1), pairs(1, key + 1, 1)),
            (pairs(1, 1, value), pairs(1, 1, value + 1)),
            (pairs(0, 1, 1), json!({"key": 1})),
            (pairs(1, 1, 1), json!({"key": ""})),
        ] {
            assert!(self.errors(taken).is_empty(), "{path}");
            assert!(!self.errors(refused).is_empty(), "{path}");
        }
    }

    fn within(
        &self,
        path: String,
        wrap: &dyn Fn(Value) -> Value,
        schema: &'static Value,
        visitor: &dyn Fn(&Place<'_>),
    ) {
        // A member that `null` clears has a `oneOf` of its schema and null.
        let schema = schema["oneOf"].as_array().map_or(schema, |kinds| &kinds[0]);
        Place {
            parser: self.parser,
            path,
            wrap,
            schema: Openapi::get().resolve(schema),
        }
        .visit(visitor);
    }

    fn check_members(&self) {
        let (path, schema) = (&self.path, self.schema);
        assert_eq!(schema["additionalProperties"], false, "{path}");
        let errors = self.errors(json!({"?": 1}));
        let unknown = errors
            .iter()
            .find(|error| error.code == "unknown_field")
            .unwrap_or_else(|| panic!("{path}: {errors:?}"));
        let known = unknown.detail.rsplit(": ").next().unwrap_or_default();
        let known: BTreeSet<&str> = known.split(", ").filter(|name| !name.is_empty()).collect();
        let described: BTreeSet<&str> = schema["properties"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(described, known, "members of {path}");
        let required = errors
            .iter()
            .filter(|error| error.code == "required")
            .map(|error| error.field.as_str());
        let described = schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        assert_eq!(
            described.collect::<BTreeSet<_>>(),
            required.collect(),
            "required members of {path}"
        );
    }

    fn check_length(&self) {
        let bound = |name: &str| {
            self.schema[name]
                .as_u64()
                .and_then(|bound| usize::try_from(bound).ok())
        };
        let is_wrong = |length: usize| {
            self.errors(vec![json!(null); length].into())
                .iter()
                .any(|error| error.code == "wrong_length")
        };
        let (fewest, most) = (
            bound("minItems").unwrap_or(0),
            bound("maxItems").expect("maxItems"),
        );
        assert!(
            !is_wrong(fewest) && !is_wrong(most) && is_wrong(most + 1),
            "{}: {fewest} to {most} entries",
            self.path
        );
        assert!(
            fewest == 0 || is_wrong(fewest - 1),
            "{}: fewer than {fewest} entries",
            self.path
        );
    }

    fn check_bounds(&self) {
        let (path, schema) = (&self.path, self.schema);
        for word in schema["enum"].as_array().into_iter().flatten() {
            assert!(!self.rejects(word.clone()), "{path}: {word}");
        }
        let bound = |name: &str| schema[name].as_i64();
        if let (Some(low), Some(high)) = (bound("minimum"), bound("maximum")) {
            assert!(
                !self.rejects(low.into()) && !self.rejects(high.into()),
                "{path}: {low} to {high}"
            );
            assert!(
                self.rejects((low - 1).into()) && self.rejects((high + 1).into()),
                "{path}: only {low} to {high}"
            );
        }
        if let (Some(longest), None) = (
            bound("maxLength").and_then(|longest| usize::try_from(longest).ok()),
            schema.get("format"),
        ) {
            assert!(
                !self.rejects("ü".repeat(longest).into()),
                "{path}: {longest} characters"
            );
            assert!(
                self.rejects("ü".repeat(longest + 1).into()) && self.rejects("".into()),
                "{path}: only {longest}"
            );
        }
        if schema["type"] == "boolean" {
            assert!(!self.rejects(true.into()), "{path}");
        }
        assert!(
            self.rejects(json!({"no": "scalar"})) && self.rejects("?".repeat(3000).into()),
            "{path} accepts any value"
        );
    }
}

fn each_place(parser: Parser, schema: &'static Value, visitor: &dyn Fn(&Place<'_>)) {
    Place {
        parser,
        path: String::new(),
        wrap: &|value| value,
        schema,
    }
    .visit(visitor);
}

/// Visits each member of a body that is neither an object nor a list; the pairs of metadata have bounds, which `check_pairs` compares.
pub(crate) fn each_leaf(parser: Parser, schema: &'static Value, visitor: &dyn Fn(&Place<'_>)) {
    each_place(parser, schema, &|place| {
        let is_whole = place.schema["properties"].is_object()
            || place.schema.get("items").is_some()
            || place.is_pairs();
        if !is_whole {
            visitor(place);
        }
    });
}

#[test]
fn schemas_and_parsers_of_bodies_agree() {
    for (name, parser) in PARSERS {
        let schema = &Openapi::get().document()["components"]["schemas"][*name];
        each_place(*parser, schema, &|place| place.check());
    }
}

#[test]
fn every_body_has_a_parser_in_the_list() {
    let bodies = Openapi::get().document()["components"]["requestBodies"]
        .as_object()
        .expect("bodies");
    let compared = PARSERS
        .iter()
        .map(|(name, _)| *name)
        .chain(["Nothing", "Replay"]);
    assert_eq!(
        bodies.keys().map(String::as_str).collect::<BTreeSet<_>>(),
        compared.collect()
    );
}

#[test]
fn the_document_lists_the_currencies_that_are_taken() {
    let letters = || 'A'..='Z';
    let codes = letters()
        .flat_map(|a| letters().flat_map(move |b| letters().map(move |c| format!("{a}{b}{c}"))));
    let taken: Vec<String> = codes
        .filter(|code| Currency::parse(&json!(code)).is_ok())
        .collect();
    let listed = &Openapi::get().document()["components"]["schemas"]["CurrentCurrency"]["enum"];
    assert_eq!(listed, &json!(taken));
}

/// An edit and the members that `null` clears.
type Edit = (&'static str, &'static [&'static str], fn(&Value) -> String);

#[test]
fn null_differs_from_absence_only_where_it_clears() {
    let edits: [Edit; 6] = [
        ("CustomerEdit", CustomerEdit::CLEARABLE, |body| {
            format!("{:?}", CustomerEdit::parse(body))
        }),
        ("OfferEdit", OfferEdit::CLEARABLE, |body| {
            format!("{:?}", OfferEdit::parse(body))
        }),
        ("CartEdit", CartEdit::CLEARABLE, |body| {
            format!("{:?}", CartEdit::parse(body))
        }),
        ("CompanyEdit", &[], |body| {
            format!("{:?}", CompanyEdit::parse(body))
        }),
        ("ConnectionEdit", ConnectionEdit::CLEARABLE, |body| {
            format!(
                "{:?}",
                ConnectionEdit::parse(body, &LocalTargets::default())
            )
        }),
        ("ImportItem", ImportItem::CLEARABLE, |body| {
            let mut item = json!({
                "externalSystemId": "A-1", "offerId": "off_0190b8f5c6f77c3ab0a1c2d3e4f50617",
                "invoiceCustomerId": "cus_0190b8f5c6f77c3ab0a1c2d3e4f50617", "quantity": 1,
                "startDate": "2026-01-01T00:00:00Z", "paymentMethod": "ZERO",
            });
            for (name, value) in body.as_object().into_iter().flatten() {
                item[name] = value.clone();
            }
            format!("{:?}", ImportItem::parse(&item))
        }),
    ];
    for (name, clearable, parsed) in edits {
        let schema = &Openapi::get().document()["components"]["schemas"][name];
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        for (member, property) in schema["properties"].as_object().expect("members") {
            if required.contains(&json!(member)) {
                continue;
            }
            let differs = parsed(&json!({member.as_str(): null})) != parsed(&json!({}));
            assert_eq!(
                differs,
                clearable.contains(&member.as_str()),
                "{name}.{member}"
            );
            let has = |kinds: &Value, null: Value| {
                kinds.as_array().is_some_and(|kinds| kinds.contains(&null))
            };
            let documented = has(&property["oneOf"], json!({"type": "null"}))
                || has(&property["type"], json!("null"));
            assert_eq!(differs, documented, "{name}.{member} in openapi.yaml");
        }
    }
}
