//! The caller of a request. It comes from the authorizer only, never from a body or path.

use std::collections::HashMap;

use serde_json::Value;
use tandem_domain::ids::{ClientId, CompanyId};

use crate::problem::{Code, Problem};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientCaller {
    pub id: ClientId,
    pub company_id: CompanyId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    Operator,
    Client(ClientCaller),
}

impl Caller {
    /// Reads the authorizer's context.
    ///
    /// # Errors
    /// The header lacks the word `Bearer`, the key lacks the route's scope, or the context names no caller: the route is not behind
    /// the authorizer.
    pub fn from_context(context: &HashMap<String, Value>) -> Result<Self, Problem> {
        if context.contains_key("missingBearer") {
            return Err(Problem::new(
                Code::Unauthenticated,
                "send the header Authorization: Bearer <key>, with the word Bearer and a space before the API key",
            ));
        }
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
        .ok_or_else(|| Problem::new(Code::Unauthenticated, "the request was not authenticated"))
    }

    /// The calling client; the operator is rejected.
    pub fn client(&self) -> Result<ClientCaller, Problem> {
        match self {
            Self::Client(client) => Ok(*client),
            Self::Operator => Err(Problem::new(
                Code::Forbidden,
                "this route is for clients; use a client's API key",
            )),
        }
    }

    /// Rejects every caller but the operator.
    pub fn operator(&self) -> Result<(), Problem> {
        match self {
            Self::Operator => Ok(()),
            Self::Client(_) => Err(Problem::new(
                Code::Forbidden,
                "this route is for the operator",
            )),
        }
    }

    /// The name in idempotency records, cursors and logs.
    pub fn name(&self) -> String {
        match self {
            Self::Operator => "operator".to_owned(),
            Self::Client(client) => client.id.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_header_without_the_word_bearer_has_no_caller() {
        let context = |name: &str| {
            let client = "cli_0190b8f5c6f77c3ab0a1c2d3e4f50617";
            let company = "cco_0190b8f5c6f77c3ab0a1c2d3e4f50617";
            HashMap::from([
                ("role".to_owned(), json!("client")),
                ("clientId".to_owned(), json!(client)),
                ("companyId".to_owned(), json!(company)),
                (name.to_owned(), json!(true)),
            ])
        };
        assert!(Caller::from_context(&context("keyId")).is_ok());
        let problem = Caller::from_context(&context("missingBearer")).expect_err("no caller");
        assert_eq!(problem.code, Code::Unauthenticated);
        assert!(problem.detail.contains("Bearer <key>"));
        assert!(Caller::from_context(&HashMap::new()).is_err());
    }
}
