//! Who calls. Only the authorizer says so; nothing in a body or path can.

use std::collections::HashMap;

use serde_json::Value;
use tandem_domain::ids::{ClientId, CompanyId};

use crate::problem::{Code, Problem};

/// A client that calls, with its contracting company.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientCaller {
    /// The client.
    pub id: ClientId,
    /// Its contracting company.
    pub company_id: CompanyId,
}

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// Runs the installation.
    Operator,
    /// A merchant.
    Client(ClientCaller),
}

impl Caller {
    /// Reads what the authorizer handed on.
    ///
    /// # Errors
    /// The key lacks the route's scope; or nothing usable was handed on: the route is not behind the authorizer.
    pub fn from_context(context: &HashMap<String, Value>) -> Result<Self, Problem> {
        let text = |name: &str| context.get(name).and_then(Value::as_str);
        if let Some(scope) = text("missingScope") {
            return Err(Problem::new(
                Code::ScopeMissing,
                format!("the API key lacks the scope {scope}"),
            ));
        }
        let client = || {
            Some(ClientCaller {
                id: text("clientId")?.parse().ok()?,
                company_id: text("companyId")?.parse().ok()?,
            })
        };
        match text("role") {
            Some("operator") => Some(Self::Operator),
            Some("client") => client().map(Self::Client),
            _ => None,
        }
        .ok_or_else(|| {
            Problem::new(
                Code::Unauthenticated,
                "no caller was found for this request",
            )
        })
    }

    /// The client that calls.
    ///
    /// # Errors
    /// It is the operator.
    pub fn client(&self) -> Result<ClientCaller, Problem> {
        match self {
            Self::Client(client) => Ok(*client),
            Self::Operator => Err(Problem::new(
                Code::Forbidden,
                "this route is for clients; use a client's API key",
            )),
        }
    }

    /// Goes on only for the operator.
    ///
    /// # Errors
    /// It is a client.
    pub fn operator(&self) -> Result<(), Problem> {
        match self {
            Self::Operator => Ok(()),
            Self::Client(_) => Err(Problem::new(
                Code::Forbidden,
                "this route is for the operator",
            )),
        }
    }

    /// The name under which answers to repeat are kept.
    pub fn name(&self) -> String {
        match self {
            Self::Operator => "operator".to_owned(),
            Self::Client(client) => client.id.to_string(),
        }
    }
}
