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
        "disabledAt": client.disabled_at,
        "createdAt": client.created_at,
    })
}

/// The calling client, with the key that it calls with.
pub fn me(client: &Client, company: &ContractingCompany, key: &ApiKey) -> Value {
    json!({
        "id": client.id,
        "name": client.name,
        "email": client.email,
        "language": client.language,
        "contractingCompany": {"id": company.id, "name": company.name},
        "modules": company.modules,
        "timeZone": company.time_zone,
        "apiKey": {
            "keyId": key.key_id,
            "name": key.name,
            "scopes": key.scopes,
            "expiresAt": key.expires_at,
        },
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
        "createdBy": key.created_by,
        "expiresAt": key.expires_at,
        "revokedAt": key.revoked_at,
        "lastUsedOn": key.last_used_on,
    })
}
