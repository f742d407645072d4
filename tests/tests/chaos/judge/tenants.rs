//! Checks each read: a reader may read its own rows and the rows that the design shares, each for a stated reason.

use serde_json::Value;
use tandem_testing::ReadKey;

use super::{Rows, text};
use crate::run::{Reader, Run};
use crate::step::Call;

pub(super) fn judge(run: &Run<'_>, rows: &Rows, wrong: &mut Vec<String>) {
    for (reader, key) in &run.reads {
        let allowed = match reader {
            Reader::Client { client, is_success } => {
                let caller = &run.world.clients[*client];
                let who = Who {
                    rows,
                    client: &caller.id,
                    company: &caller.company.id,
                };
                // A row keyed by its own id must be read to learn that it belongs to another tenant; the answer is then 404.
                let hidden =
                    !is_success && ["con_", "pay_"].iter().any(|kind| key.pk.starts_with(kind));
                hidden || who.may_read(key) || invites(run, *client, key)
            }
            Reader::Worker { tenant } => {
                let company = rows
                    .get(tenant.as_str(), "client")
                    .map_or("", |client| text(client, "companyId"));
                let who = Who {
                    rows,
                    client: tenant,
                    company,
                };
                who.may_work_with(key)
            }
        };
        if !allowed {
            wrong.push(format!("tenants: {reader:?} read {key:?}"));
        }
    }
}

/// The invited client and its company, for its name, mail address and event endpoint.
fn invites(run: &Run<'_>, client: usize, key: &ReadKey) -> bool {
    run.made.iter().any(|made| match made.call {
        Call::Invite { target } if made.request.client == client => {
            let target = &run.world.clients[target];
            let sk = key.sk.as_deref();
            (key.pk == target.id && matches!(sk, Some("client" | "eventEndpoint")))
                || (key.pk == target.company.id && sk == Some("company"))
        }
        _ => false,
    })
}

struct Who<'a> {
    rows: &'a Rows,
    client: &'a str,
    company: &'a str,
}

/// Whether the owner has this partition: `cli_…` or `cli_…#…`.
fn is_of(pk: &str, owner: &str) -> bool {
    pk == owner
        || pk
            .strip_prefix(owner)
            .is_some_and(|rest| rest.starts_with('#'))
}

impl Who<'_> {
    fn may_read(&self, key: &ReadKey) -> bool {
        let ReadKey { pk, sk } = key;
        let sk = sk.as_deref().unwrap_or_default();
        let (owner, id) = pk.split_once('#').unwrap_or((pk, ""));
        // Own rows and lists; the customers of the contracting company, which its clients share.
        is_of(pk, self.client)
            || is_of(pk, self.company)
            // Both sides read a connection with its history, endpoint and invitation.
            || (pk.starts_with("con_") && self.is_party(pk))
            // Both parties read a payout row.
            || (pk.starts_with("pay_") && self.is_paid(pk))
            // Both clients of a pair read whether they are connected.
            || (sk == "pair" && id == self.client)
            // A shared offer: its owner is the source of a connection to the caller.
            || (sk == "offer" && self.is_connected(owner, self.client))
            // The module of a partner's contracting company.
            || (sk == "company" && self.knows_company(pk))
            // A partner's mail address and language.
            || (sk == "client" && (self.is_connected(self.client, pk) || self.is_connected(pk, self.client)))
            // The event endpoint of a partner, for the events of the connection.
            || (sk == "eventEndpoint" && (self.is_connected(self.client, pk) || self.is_connected(pk, self.client)))
            // The seller changes the source's subscription row along with its own.
            || (sk == "subscription" && self.has_sold(owner, id))
            // The seller's customer of one of the caller's callbacks: see below.
            || (sk == "customer" && self.has_callback_about(id))
            // Before an erasure: the person's running subscriptions at other clients of the contracting company.
            || (id.starts_with("cus_") && (id.ends_with("#subscriptions") || id.ends_with("#imported")) && self.is_sibling(owner))
            || (sk == "subscription" && self.is_sibling(owner) && self.has_customer(pk))
            || (id.starts_with("imported#") && self.is_sibling(owner))
    }

    /// The reads of a worker, for the tenant of its message.
    fn may_work_with(&self, key: &ReadKey) -> bool {
        let ReadKey { pk, sk } = key;
        // Own rows: callback, mail, replay, chunk and their subjects. Imports: the customers of the contracting company.
        is_of(pk, self.client)
            || is_of(pk, self.company)
            // The callback settings and the endpoint's health.
            || (pk.starts_with("con_") && self.is_party(pk))
            // Before a warning about a shared offer's terms: whether it still holds.
            || (sk.as_deref() == Some("offer") && self.is_connected(pk.split_once('#').map_or("", |(owner, _)| owner), self.client))
            // The seller's customer of a callback: that person's key seals the personal part of the body.
            || (sk.as_deref() == Some("customer") && self.has_callback_about(pk.split_once('#').map_or("", |(_, id)| id)))
    }

    fn is_party(&self, connection: &str) -> bool {
        let connection = self.rows.get(connection, "connection");
        connection.is_some_and(|connection| {
            ["source", "target"]
                .iter()
                .any(|side| connection[*side]["clientId"] == self.client)
        })
    }

    fn is_paid(&self, payout: &str) -> bool {
        let payout = self.rows.get(payout, "payout");
        payout.is_some_and(|payout| {
            ["sourceClientId", "targetClientId"]
                .iter()
                .any(|side| payout[*side] == self.client)
        })
    }

    fn is_connected(&self, source: &str, target: &str) -> bool {
        let mut connections = self.rows.of("connection");
        connections
            .any(|row| row["source"]["clientId"] == source && row["target"]["clientId"] == target)
    }

    fn has_callback_about(&self, customer: &str) -> bool {
        let concerns = |callback: &Value| {
            let concerned = callback["concerned"].as_str().unwrap_or_default();
            callback["clientId"] == self.client && concerned.ends_with(&format!("#{customer}"))
        };
        self.rows.of("callback").any(concerns)
    }

    fn knows_company(&self, company: &str) -> bool {
        self.rows.of("connection").any(|row| {
            let sides = [&row["source"], &row["target"]];
            sides.iter().any(|side| side["clientId"] == self.client)
                && sides.iter().any(|side| side["companyId"] == company)
        })
    }

    fn has_sold(&self, source: &str, subscription: &str) -> bool {
        let row = self.rows.own(self.client, subscription, "subscription");
        row.is_some_and(|row| {
            row["role"] == "seller" && row["crossClient"]["sourceClientId"] == source
        })
    }

    fn has_customer(&self, subscription: &str) -> bool {
        let row = self.rows.get(subscription, "subscription");
        row.is_some_and(|row| row["customerId"].is_string())
    }

    fn is_sibling(&self, client: &str) -> bool {
        self.rows
            .get(client, "client")
            .is_some_and(|client| client["companyId"] == self.company)
    }
}
