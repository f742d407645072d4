//! Problems: RFC 9457 `application/problem+json` with a stable code. [`Code`] is the whole table; docs/errors.md explains it,
//! and a test holds the two together.

use jiff::SignedDuration;
use lambda_http::Body;
use lambda_http::http::{Response, StatusCode, header};
use serde_json::json;
use tandem_domain::input::{FieldError, FieldErrors};
use tandem_store::{CommitError, StoreError, TooManyConflicts};

macro_rules! codes {
    ($($variant:ident = $code:literal, $status:literal, $title:literal;)*) => {
        /// Every problem that the API answers.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "the titles beside the names say it")]
        pub enum Code { $($variant,)* }

        impl Code {
            /// All of them, in the order of docs/errors.md.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable code.
            pub fn as_str(self) -> &'static str { match self { $(Self::$variant => $code,)* } }

            /// The HTTP status.
            pub fn status(self) -> u16 { match self { $(Self::$variant => $status,)* } }

            /// What it means in general; the detail says what it means here.
            pub fn title(self) -> &'static str { match self { $(Self::$variant => $title,)* } }
        }
    };
}

codes! {
    InvalidJson = "invalid_json", 400, "The body is no JSON";
    InvalidQuery = "invalid_query", 400, "Query parameters are wrong";
    InvalidCursor = "invalid_cursor", 400, "The cursor does not belong to this list";
    IdempotencyKeyRequired = "idempotency_key_required", 400, "The route needs an Idempotency-Key";
    IdempotencyKeyInvalid = "idempotency_key_invalid", 400, "The Idempotency-Key has the wrong form";
    Unauthenticated = "unauthenticated", 401, "No caller is known";
    Forbidden = "forbidden", 403, "The route is not for this caller";
    ScopeMissing = "scope_missing", 403, "The API key lacks a scope";
    ConnectionOtherSide = "connection_other_side", 403, "Only the other side may do this to the connection";
    ConnectionReadOnly = "connection_read_only", 403, "Only the source client edits a connection";
    SubscriptionReadOnly = "subscription_read_only", 403, "Only the client that sold the subscription changes it";
    PayoutNotDueToCaller = "payout_not_due_to_caller", 403, "Only the client to whom the amount is due marks it paid";
    RouteNotFound = "route_not_found", 404, "There is no such route";
    CompanyNotFound = "company_not_found", 404, "There is no such contracting company";
    ClientNotFound = "client_not_found", 404, "There is no such client";
    ApiKeyNotFound = "api_key_not_found", 404, "There is no such API key";
    ConnectionNotFound = "connection_not_found", 404, "There is no such connection";
    OfferNotFound = "offer_not_found", 404, "There is no such offer";
    CartNotFound = "cart_not_found", 404, "There is no such cart";
    CustomerNotFound = "customer_not_found", 404, "There is no such customer";
    OrderNotFound = "order_not_found", 404, "There is no such order";
    SubscriptionNotFound = "subscription_not_found", 404, "There is no such subscription";
    VoucherNotFound = "voucher_not_found", 404, "There is no such voucher";
    CallbackNotFound = "callback_not_found", 404, "There is no such callback";
    ReplayNotFound = "replay_not_found", 404, "There is no such replay";
    PromiseNotFound = "promise_not_found", 404, "There is no such import";
    EventEndpointNotFound = "event_endpoint_not_found", 404, "The client has no event endpoint";
    PayoutNotFound = "payout_not_found", 404, "There is no such payout row";
    ConnectionExists = "connection_exists", 409, "The two clients have a live connection";
    ConnectionStatus = "connection_status", 409, "The connection's status does not allow this";
    ConnectionBlockedByOther = "connection_blocked_by_other", 409, "The other side blocked the connection";
    ModuleOff = "module_off", 409, "The module crossClientConnections is off";
    OfferArchived = "offer_archived", 409, "The offer is archived";
    OfferSharingFixed = "offer_sharing_fixed", 409, "An offer is cross-client from its first day or never";
    CartArchived = "cart_archived", 409, "The cart is archived";
    CartNotSellable = "cart_not_sellable", 409, "The cart cannot be sold now";
    CustomerEmailTaken = "customer_email_taken", 409, "Another customer has this e-mail address";
    CustomerExternalIdTaken = "customer_external_id_taken", 409, "Another customer has this externalSystemId";
    SubscriptionsRunning = "subscriptions_running", 409, "The customer has subscriptions that run";
    PositionNotPaid = "position_not_paid", 409, "The position's money went back before";
    SubscriptionEnded = "subscription_ended", 409, "The subscription has ended";
    SubscriptionDoesNotRenew = "subscription_does_not_renew", 409, "The subscription does not renew";
    SubscriptionOtherPeriod = "subscription_other_period", 409, "Another period is the next to be paid";
    ExternallyManaged = "externally_managed", 409, "Another system manages this; it changes by import only";
    ImportNotDone = "import_not_done", 409, "The import is not done";
    ImportNothingFailed = "import_nothing_failed", 409, "No item of the import failed";
    VoucherRedeemed = "voucher_redeemed", 409, "The voucher was redeemed for another customer";
    BodyTooLarge = "body_too_large", 413, "The body is too large";
    UnsupportedMediaType = "unsupported_media_type", 415, "The body is not sent as application/json";
    InvalidFields = "invalid_fields", 422, "Fields of the body are wrong";
    IdempotencyKeyReused = "idempotency_key_reused", 422, "The Idempotency-Key was used with another body";
    TooManyGuesses = "too_many_guesses", 429, "Too many wrong voucher codes";
    TooManyInvitations = "too_many_invitations", 429, "Too many invitations";
    Internal = "internal", 500, "Something went wrong on our side";
    Unavailable = "unavailable", 503, "Try again with the same Idempotency-Key";
}

/// A refusal, for people and programs. Never holds an internal cause.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// What kind.
    pub code: Code,
    /// What it means here and what to do.
    pub detail: String,
    /// The wrong fields, all of them.
    pub errors: Vec<FieldError>,
    /// Seconds after which it may be tried again, if waiting helps.
    pub retry_after: Option<i64>,
}

impl Problem {
    /// A problem without field errors.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: (code == Code::Unavailable).then_some(1),
        }
    }

    /// What a missing thing answers, whether it does not exist or belongs to someone else.
    pub fn missing(code: Code) -> Self {
        Self::new(code, "it does not exist, or it is not yours to see")
    }

    /// An answer that cannot be given again, since the customer whom it shows was erased.
    pub fn erased() -> Self {
        Self::new(
            Code::CustomerNotFound,
            "the customer was erased after the first answer",
        )
    }

    /// There was too much of something; `limit` says how much there may be.
    pub fn wait(code: Code, limit: String, wait: SignedDuration) -> Self {
        let seconds = wait.as_secs() + i64::from(wait.subsec_nanos() > 0);
        Self {
            retry_after: Some(seconds),
            ..Self::new(code, format!("{limit}; try again after {seconds} s"))
        }
    }

    /// Wrong query parameters.
    pub fn query(errors: FieldErrors) -> Self {
        Self {
            errors: errors.0,
            ..Self::new(Code::InvalidQuery, "see errors for each wrong parameter")
        }
    }

    /// Another request was always faster.
    pub fn busy() -> Self {
        Self::new(
            Code::Unavailable,
            "too many changes at once; nothing was written",
        )
    }

    /// The HTTP response.
    pub fn into_response(self, request_id: &str) -> Response<Body> {
        let mut body = json!({
            "type": format!("urn:tandem:problem:{}", self.code.as_str()),
            "title": self.code.title(),
            "status": self.code.status(),
            "code": self.code.as_str(),
            "detail": self.detail,
            "requestId": request_id,
        });
        if !self.errors.is_empty() {
            body["errors"] = json!(self.errors);
        }
        let mut response = Response::builder()
            .status(
                StatusCode::from_u16(self.code.status())
                    .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            )
            .header(header::CONTENT_TYPE, "application/problem+json")
            .header(header::CACHE_CONTROL, "no-store");
        if let Some(seconds) = self.retry_after {
            response = response.header(header::RETRY_AFTER, seconds);
        }
        response
            .body(Body::Text(body.to_string()))
            .unwrap_or_else(|_| Response::new(Body::Empty))
    }
}

impl From<FieldErrors> for Problem {
    fn from(errors: FieldErrors) -> Self {
        Self {
            errors: errors.0,
            ..Self::new(Code::InvalidFields, "see errors for each wrong field")
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the table did not answer properly");
        match error {
            StoreError::Unavailable(_) => {
                Self::new(Code::Unavailable, "the request may be repeated")
            }
            StoreError::Corrupt { .. } => Self::new(Code::Internal, "the failure was logged"),
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
