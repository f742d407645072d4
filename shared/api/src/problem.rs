//! Problems: RFC 9457 `application/problem+json` with a stable code. [`Code`] is the table of all problems; docs/errors.md
//! explains it, and a test compares the two.

use jiff::SignedDuration;
use lambda_http::Body;
use lambda_http::http::{Response, StatusCode, header};
use serde_json::{Value, json};
use tandem_domain::input::{FieldError, FieldErrors, shown};
use tandem_domain::json::InvalidJson;
use tandem_store::{CommitError, StoreError, TooManyConflicts};

/// Errors of one answer: one for each item of an import.
const MAX_ERRORS: usize = 1_000;
/// Octets of all errors of one answer.
const MAX_OCTETS: usize = 256 * 1024;
/// Characters of a field's path in an answer.
const MAX_FIELD: usize = 300;
/// Characters of a detail in an answer.
const MAX_DETAIL: usize = 1_000;

macro_rules! codes {
    ($($variant:ident = $code:literal, $status:literal, $title:literal;)*) => {
        /// Every problem of the API.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($variant,)* }

        impl Code {
            /// In the order of docs/errors.md.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            pub fn as_str(self) -> &'static str { match self { $(Self::$variant => $code,)* } }

            pub fn status(self) -> u16 { match self { $(Self::$variant => $status,)* } }

            /// The general meaning; [`Problem::detail`] describes the case at hand.
            pub fn title(self) -> &'static str { match self { $(Self::$variant => $title,)* } }
        }
    };
}

codes! {
    InvalidJson = "invalid_json", 400, "The body is not valid JSON";
    InvalidQuery = "invalid_query", 400, "Query parameters are invalid";
    InvalidCursor = "invalid_cursor", 400, "The cursor does not belong to this list";
    IdempotencyKeyRequired = "idempotency_key_required", 400, "The route requires an Idempotency-Key";
    IdempotencyKeyInvalid = "idempotency_key_invalid", 400, "The Idempotency-Key is malformed";
    Unauthenticated = "unauthenticated", 401, "Authentication failed";
    Forbidden = "forbidden", 403, "The route is not available to this caller";
    ScopeMissing = "scope_missing", 403, "The API key lacks a scope";
    ConnectionOtherSide = "connection_other_side", 403, "Only the other side can make this change";
    ConnectionReadOnly = "connection_read_only", 403, "Only the source client can edit a connection";
    SubscriptionReadOnly = "subscription_read_only", 403, "Only the client that sold the subscription can change it";
    PayoutNotDueToCaller = "payout_not_due_to_caller", 403, "Only the client that receives the amount can mark it paid";
    RouteNotFound = "route_not_found", 404, "Route not found";
    CompanyNotFound = "company_not_found", 404, "Contracting company not found";
    ClientNotFound = "client_not_found", 404, "Client not found";
    ApiKeyNotFound = "api_key_not_found", 404, "API key not found";
    ConnectionNotFound = "connection_not_found", 404, "Connection not found";
    OfferNotFound = "offer_not_found", 404, "Offer not found";
    CartNotFound = "cart_not_found", 404, "Cart not found";
    CustomerNotFound = "customer_not_found", 404, "Customer not found";
    OrderNotFound = "order_not_found", 404, "Order not found";
    SubscriptionNotFound = "subscription_not_found", 404, "Subscription not found";
    PeriodNotFound = "period_not_found", 404, "Paid period not found";
    VoucherNotFound = "voucher_not_found", 404, "Voucher not found";
    CallbackNotFound = "callback_not_found", 404, "Callback not found";
    ReplayNotFound = "replay_not_found", 404, "Replay not found";
    PromiseNotFound = "promise_not_found", 404, "Import not found";
    EventEndpointNotFound = "event_endpoint_not_found", 404, "The client has no event endpoint";
    PayoutNotFound = "payout_not_found", 404, "Payout row not found";
    ConnectionExists = "connection_exists", 409, "The two clients already have a live connection";
    ConnectionStatus = "connection_status", 409, "The connection's status does not allow this";
    ConnectionBlockedByOther = "connection_blocked_by_other", 409, "Only the other side blocks the connection";
    ModuleOff = "module_off", 409, "The module crossClientConnections is off";
    LastKey = "last_key", 409, "No other key would manage the client's keys";
    OfferArchived = "offer_archived", 409, "The offer is archived";
    OfferSharingFixed = "offer_sharing_fixed", 409, "An offer is cross-client from its creation or never";
    CartArchived = "cart_archived", 409, "The cart is archived";
    CartNotSellable = "cart_not_sellable", 409, "The cart cannot be sold now";
    TermsOtherVersion = "terms_other_version", 409, "The offer has terms of another version";
    TotalDiffers = "total_differs", 409, "The total is not the expected one";
    AlreadySubscribed = "already_subscribed", 409, "The customer already has an offer that is sold once";
    OrderExternalIdTaken = "order_external_id_taken", 409, "Another order has this externalSystemId";
    CustomerEmailTaken = "customer_email_taken", 409, "Another customer has this e-mail address";
    CustomerExternalIdTaken = "customer_external_id_taken", 409, "Another customer has this externalSystemId";
    SubscriptionsRunning = "subscriptions_running", 409, "The customer has running subscriptions";
    PositionNotPaid = "position_not_paid", 409, "The position was already refunded or charged back";
    SubscriptionEnded = "subscription_ended", 409, "The subscription has ended";
    SubscriptionDoesNotRenew = "subscription_does_not_renew", 409, "The subscription does not renew";
    SubscriptionOtherPeriod = "subscription_other_period", 409, "Another period is next to be paid";
    SubscriptionPastDue = "subscription_past_due", 409, "The payment must name its period";
    SubscriptionNotCancelled = "subscription_not_cancelled", 409, "The subscription is not cancelled";
    NothingLeft = "nothing_left", 409, "Nothing is left of the payment";
    TooManyUnpaid = "too_many_unpaid", 409, "Too many periods of the subscription are unpaid";
    ExternallyManaged = "externally_managed", 409, "Another system manages this; only an import can change it";
    ImportNotDone = "import_not_done", 409, "The import is not finished";
    ImportNothingFailed = "import_nothing_failed", 409, "No item of the import failed";
    VoucherRedeemed = "voucher_redeemed", 409, "The voucher was redeemed for another customer";
    BodyTooLarge = "body_too_large", 413, "The body is too large";
    UnsupportedMediaType = "unsupported_media_type", 415, "The body must be sent as application/json";
    InvalidFields = "invalid_fields", 422, "Fields of the body are invalid";
    IdempotencyKeyReused = "idempotency_key_reused", 422, "The Idempotency-Key was used with another body";
    TooManyGuesses = "too_many_guesses", 429, "Too many wrong voucher codes";
    TooManyInvitations = "too_many_invitations", 429, "Too many invitations";
    TooManyCallbacks = "too_many_callbacks", 429, "Too many test events or replays";
    Internal = "internal", 500, "An internal error occurred";
    Unavailable = "unavailable", 503, "Retry with the same Idempotency-Key";
}

/// A rejected request, for people and programs. Never holds an internal cause.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    pub code: Code,
    /// The case at hand and a remedy.
    pub detail: String,
    /// All invalid fields. The response holds the first of them, see `MAX_ERRORS`.
    pub errors: Vec<FieldError>,
    /// Invalid fields that `errors` does not list.
    pub more_errors: usize,
    /// Seconds to wait before a retry, if waiting helps.
    pub retry_after: Option<i64>,
    /// The amounts of a purchase whose total is not the expected one.
    pub totals: Option<Value>,
}

impl Problem {
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            more_errors: 0,
            retry_after: (code == Code::Unavailable).then_some(1),
            totals: None,
        }
    }

    /// The same 404 for a resource that does not exist and for one that belongs to another client.
    pub fn missing(code: Code) -> Self {
        Self::new(code, "it does not exist, or you have no access to it")
    }

    /// The stored answer shows a customer who has been erased.
    pub fn erased() -> Self {
        Self::new(
            Code::CustomerNotFound,
            "the customer was erased after the first answer",
        )
    }

    /// A rate limit was reached; `limit` describes it.
    pub fn wait(code: Code, limit: String, wait: SignedDuration) -> Self {
        let seconds = wait.as_secs() + i64::from(wait.subsec_nanos() > 0);
        Self {
            retry_after: Some(seconds),
            ..Self::new(code, format!("{limit}; retry after {seconds} s"))
        }
    }

    pub fn query(errors: FieldErrors) -> Self {
        Self {
            errors: errors.0,
            ..Self::new(Code::InvalidQuery, "see errors for each invalid parameter")
        }
    }

    /// Every attempt conflicted with another request.
    pub fn busy() -> Self {
        Self::new(
            Code::Unavailable,
            "too many requests change the same rows; nothing was written",
        )
    }

    pub fn into_response(self, request_id: &str) -> Response<Body> {
        let mut body = json!({
            "type": format!("urn:tandem:problem:{}", self.code.as_str()),
            "title": self.code.title(),
            "status": self.code.status(),
            "code": self.code.as_str(),
            "detail": shown(&self.detail, MAX_DETAIL),
            "requestId": request_id,
        });
        if !self.errors.is_empty() {
            body["errors"] = bounded(self.errors, self.more_errors);
        }
        if let Some(totals) = self.totals {
            body["totals"] = totals;
        }
        let mut response = Response::builder()
            .status(
                StatusCode::from_u16(self.code.status())
                    .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            )
            .header(header::CONTENT_TYPE, "application/problem+json")
            .header(header::CACHE_CONTROL, "no-store");
        if self.code == Code::Unauthenticated {
            response = response.header(header::WWW_AUTHENTICATE, "Bearer");
        }
        if let Some(seconds) = self.retry_after {
            response = response.header(header::RETRY_AFTER, seconds);
        }
        response
            .body(Body::Text(body.to_string()))
            .unwrap_or_else(|_| Response::new(Body::Empty))
    }
}

/// The errors that fit into an answer, with a last one that counts those that do not.
fn bounded(errors: Vec<FieldError>, more: usize) -> Value {
    let total = errors.len() + more;
    let mut octets = 0;
    let mut listed: Vec<FieldError> = errors
        .into_iter()
        .take(MAX_ERRORS)
        .map(|error| FieldError {
            field: shown(&error.field, MAX_FIELD),
            detail: shown(&error.detail, MAX_DETAIL),
            ..error
        })
        .take_while(|error| {
            octets += json!(error).to_string().len();
            octets <= MAX_OCTETS
        })
        .collect();
    let more = total - listed.len();
    if more > 0 {
        let detail = format!("{more} more errors are not listed; correct these first");
        listed.extend(FieldErrors::at("", "more_errors", detail).0);
    }
    json!(listed)
}

impl From<InvalidJson> for Problem {
    fn from(error: InvalidJson) -> Self {
        match error {
            InvalidJson::Syntax { field, error } if field.is_empty() => {
                Self::new(Code::InvalidJson, error.to_string())
            }
            InvalidJson::Syntax { field, error } => Self {
                errors: FieldErrors::at(&field, "unreadable", error.to_string()).0,
                ..Self::new(Code::InvalidJson, format!("{error}, in {field}"))
            },
            InvalidJson::Repeated { errors, more } => Self {
                more_errors: more,
                ..FieldErrors(errors).into()
            },
        }
    }
}

impl From<FieldErrors> for Problem {
    fn from(errors: FieldErrors) -> Self {
        Self {
            errors: errors.0,
            ..Self::new(Code::InvalidFields, "see errors for each invalid field")
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store failed");
        match error {
            StoreError::Unavailable(_) | StoreError::Throttled(_) => Self::new(
                Code::Unavailable,
                "repeat the request with the same Idempotency-Key",
            ),
            StoreError::Rejected(_) | StoreError::Corrupt { .. } => {
                Self::new(Code::Internal, "the failure was logged")
            }
        }
    }
}

impl From<TooManyConflicts> for Problem {
    fn from(_: TooManyConflicts) -> Self {
        Self::busy()
    }
}

impl From<CommitError> for Problem {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Conflict(_) => Self::busy(),
            CommitError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(problem: Problem) -> (usize, Value) {
        match problem.into_response("r1").into_body() {
            Body::Text(text) => (
                text.len(),
                serde_json::from_str(&text).expect("an answer is JSON"),
            ),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_answer_lists_a_thousand_errors_and_counts_the_rest() {
        let error = |number: usize| FieldError {
            field: format!("items[{number}]"),
            code: "required",
            detail: "this field is required".to_owned(),
        };
        for (total, listed, more) in [
            (1_000, 1_000, None),
            (33_848, 1_000, Some("32848 more errors")),
        ] {
            let (_, body) = answered(FieldErrors((0..total).map(error).collect()).into());
            let errors = body["errors"].as_array().expect("errors");
            let last = errors.last().expect("an error");
            match more {
                None => assert_eq!((errors.len(), &last["code"]), (listed, &json!("required"))),
                Some(count) => {
                    assert_eq!(
                        (errors.len(), &last["code"]),
                        (listed + 1, &json!("more_errors"))
                    );
                    assert!(
                        last["detail"]
                            .as_str()
                            .is_some_and(|text| text.starts_with(count)),
                        "{last}"
                    );
                }
            }
        }
    }

    #[test]
    fn no_answer_with_errors_is_large() {
        for letter in ["a", "\u{1}", "\u{fc}", "\u{1f469}"] {
            let long = letter.repeat(20_000);
            let error = |_| FieldError {
                field: long.clone(),
                code: "unknown_field",
                detail: long.clone(),
            };
            let (octets, body) = answered(Problem {
                detail: long.clone(),
                ..FieldErrors((0..2_000).map(error).collect()).into()
            });
            assert!(octets < 300_000, "{octets}");
            let errors = body["errors"].as_array().expect("errors");
            let detail = errors.last().expect("an error")["detail"].clone();
            assert_eq!(
                detail,
                format!(
                    "{} more errors are not listed; correct these first",
                    2_001 - errors.len()
                )
            );
        }
    }
}
