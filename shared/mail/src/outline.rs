//! The outline of each mail, for all languages: its message in the catalogue, its arguments, and the order of its parts.

mod offers;

use fluent_bundle::FluentArgs;
use tandem_domain::Timestamp;
use tandem_domain::ids::{CallbackId, ConnectionId};
use tandem_domain::mail::MailKind;
use tandem_domain::text::Name;

use crate::texts::{TextError, Texts, clean};

/// A part of a mail's body.
#[derive(Debug)]
pub(crate) enum Part<Text> {
    Paragraph(Text),
    /// A request to the API, for the reader to copy.
    Call(String),
}

pub(crate) struct Outline {
    /// The id of the message; its attribute `subject` is the subject.
    pub(crate) message: &'static str,
    pub(crate) args: FluentArgs<'static>,
    /// A paragraph is an attribute of the message.
    pub(crate) parts: Vec<Part<&'static str>>,
}

impl Outline {
    fn new(message: &'static str) -> Self {
        Self {
            message,
            args: FluentArgs::new(),
            parts: Vec::new(),
        }
    }

    fn arg(mut self, name: &'static str, value: impl ToString) -> Self {
        self.args.set(name, clean(&value.to_string()));
        self
    }

    fn paragraph(mut self, attribute: &'static str) -> Self {
        self.parts.push(Part::Paragraph(attribute));
        self
    }

    fn call(mut self, call: impl Into<String>) -> Self {
        self.parts.push(Part::Call(call.into()));
        self
    }

    /// # Errors
    /// The catalogue has no format for times.
    pub(crate) fn new_for(kind: &MailKind, texts: &Texts) -> Result<Self, TextError> {
        Ok(match kind {
            MailKind::Invitation {
                source_name,
                connection_id: id,
            } => from_partner("invitation", source_name, *id)
                .paragraph("offer")
                .paragraph("accept")
                .call(format!("POST /v1/connections/{id}/accept"))
                .paragraph("decline")
                .call(format!("POST /v1/connections/{id}/decline")),
            MailKind::InvitationAccepted {
                target_name,
                connection_id: id,
            } => from_partner("invitation-accepted", target_name, *id)
                .paragraph("outcome")
                .paragraph("client")
                .call(format!("GET /v1/connections/{id}"))
                .paragraph("offer")
                .call("POST /v1/offers"),
            MailKind::InvitationDeclined {
                target_name,
                connection_id,
            } => from_partner("invitation-declined", target_name, *connection_id)
                .paragraph("outcome")
                .paragraph("invite")
                .call("POST /v1/connections"),
            MailKind::InvitationWithdrawn {
                source_name,
                connection_id,
            } => from_partner("invitation-withdrawn", source_name, *connection_id)
                .paragraph("outcome")
                .paragraph("contact"),
            MailKind::ConnectionBlocked {
                by_name,
                connection_id: id,
            } => from_partner("connection-blocked", by_name, *id)
                .paragraph("outcome")
                .paragraph("view")
                .call(format!("GET /v1/connections/{id}")),
            MailKind::ConnectionUnblocked {
                by_name,
                connection_id: id,
                still_blocked: false,
            } => from_partner("connection-unblocked", by_name, *id)
                .paragraph("outcome")
                .paragraph("view")
                .call(format!("GET /v1/connections/{id}")),
            MailKind::ConnectionUnblocked {
                by_name,
                connection_id: id,
                still_blocked: true,
            } => from_partner("block-taken-back", by_name, *id)
                .paragraph("outcome")
                .paragraph("unblock")
                .call(format!("POST /v1/connections/{id}/unblock")),
            MailKind::OffersAccess {
                source_name,
                connection_id,
                is_on,
                carts,
            } => offers::access(source_name, *connection_id, *is_on, carts),
            MailKind::OfferArchived { offer, carts } => offers::archived(offer, carts),
            MailKind::TermsProposed {
                offer,
                proposal,
                occasion,
                carts,
            } => offers::proposed(offer, proposal, *occasion, carts, texts)?,
            MailKind::TermsAccepted {
                target_name,
                connection_id,
                offer_id,
                offer_name,
                terms,
            } => from_partner("terms-accepted", target_name, *connection_id)
                .arg("offer", offer_name)
                .terms(["price", "share"], *terms, texts)?
                .arg("version", terms.version)
                .paragraph("outcome")
                .paragraph("view")
                .call(format!("GET /v1/offers/{offer_id}")),
            MailKind::CallbackExhausted {
                callback_id,
                connection_id,
                attempts,
            } => exhausted(Endpoint::of(*connection_id), *callback_id, *attempts),
            MailKind::EndpointDisabled {
                callback_id,
                connection_id,
            } => gone(Endpoint::of(*connection_id), *callback_id),
            MailKind::EndpointFailing {
                callback_id,
                connection_id,
                failing_since,
            } => {
                let since = format_time(*failing_since, texts)?;
                failing(Endpoint::of(*connection_id), *callback_id, since)
            }
            MailKind::EndpointGivenUp {
                callback_id,
                connection_id,
                failing_since,
            } => {
                let since = format_time(*failing_since, texts)?;
                given_up(Endpoint::of(*connection_id), *callback_id, since)
            }
        })
    }
}

fn from_partner(message: &'static str, partner: &Name, connection: ConnectionId) -> Outline {
    Outline::new(message)
        .arg("partner", partner)
        .arg("connection", connection)
}

/// The endpoint that a mail is about.
#[derive(Clone, Copy)]
enum Endpoint {
    /// The callback address of a connection.
    Address(ConnectionId),
    /// The client's own event endpoint.
    Own,
}

impl Endpoint {
    fn of(connection: Option<ConnectionId>) -> Self {
        connection.map_or(Self::Own, Self::Address)
    }

    fn outline(self, address: &'static str, own: &'static str) -> Outline {
        match self {
            Self::Address(connection) => Outline::new(address).arg("connection", connection),
            Self::Own => Outline::new(own),
        }
    }

    /// The call that changes the endpoint's URL.
    fn change_call(self) -> String {
        match self {
            Self::Address(connection) => format!("PATCH /v1/connections/{connection}"),
            Self::Own => "PUT /v1/event-endpoint".to_owned(),
        }
    }
}

fn exhausted(endpoint: Endpoint, callback: CallbackId, attempts: u32) -> Outline {
    let mut outline = endpoint
        .outline("address-exhausted", "endpoint-exhausted")
        .arg("callback", callback);
    // A number, so that the catalogue can choose the plural.
    outline.args.set("attempts", attempts);
    outline
        .paragraph("outcome")
        .paragraph("log")
        .call(format!("GET /v1/callbacks/{callback}"))
        .paragraph("replay")
        .call(format!("POST /v1/callbacks/{callback}/replay"))
}

fn gone(endpoint: Endpoint, callback: CallbackId) -> Outline {
    endpoint
        .outline("address-gone", "endpoint-gone")
        .arg("callback", callback)
        .paragraph("outcome")
        .paragraph("change")
        .call(endpoint.change_call())
        .paragraph("replay")
        .call("POST /v1/callbacks/replays")
}

fn failing(endpoint: Endpoint, callback: CallbackId, since: String) -> Outline {
    endpoint
        .outline("address-failing", "endpoint-failing")
        .arg("since", since)
        .paragraph("outcome")
        .paragraph("log")
        .call(format!("GET /v1/callbacks/{callback}"))
        .paragraph("change")
        .call(endpoint.change_call())
}

fn given_up(endpoint: Endpoint, callback: CallbackId, since: String) -> Outline {
    endpoint
        .outline("address-given-up", "endpoint-given-up")
        .arg("since", since)
        .paragraph("outcome")
        .paragraph("log")
        .call(format!("GET /v1/callbacks/{callback}"))
        .paragraph("change")
        .call(endpoint.change_call())
        .paragraph("replay")
        .call("POST /v1/callbacks/replays")
}

/// A time in UTC, to the minute, in the format of the language.
fn format_time(time: Timestamp, texts: &Texts) -> Result<String, TextError> {
    let text = time.to_string();
    let (date, clock) = text.split_once('T').unwrap_or((&text, ""));
    let mut date = date.splitn(3, '-').map(str::to_owned);
    let mut args = FluentArgs::new();
    for name in ["year", "month", "day"] {
        args.set(name, date.next().unwrap_or_default());
    }
    args.set("time", clock.get(..5).unwrap_or_default().to_owned());
    texts.format("layout", "time", &args)
}
