//! Contracting companies, clients and API keys as the operator sees them.

use serde_json::{Value, json};
use tandem_domain::Timestamp;
use tandem_domain::tenancy::{ApiKey, Client, ContractingCompany};

pub fn company(company: &ContractingCompany) -> Value {
    json!({
        "id": company.id,
        "name": company.name,
        "modules": company.modules,
        "timeZone": company.time_zone,
        "createdAt": company.created_at,
    })
}

pub fn client(client: &Client) -> Value {
    json!({
        "id": client.id,
        "contractingCompanyId": client.company_id,
        "name": client.name,
        "email": client.email,
        "language": client.language,
        "createdAt": client.created_at,
    })
}

/// An API key, without its secret.
pub fn api_key(key: &ApiKey, now: Timestamp) -> Value {
    json!({
        "keyId": key.key_id,
        "clientId": key.client_id,
        "name": key.name,
        "scopes": key.scopes,
        "status": key.status(now),
        "createdAt": key.created_at,
        "expiresAt": key.expires_at,
        "revokedAt": key.revoked_at,
        "lastUsedOn": key.last_used_on,
    })
}
