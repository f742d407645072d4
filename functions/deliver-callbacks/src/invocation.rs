//! The parts that the callbacks of one batch share: one read of all their rows, and the connections to their receivers.

use std::time::Instant;

use aws_lambda_events::event::sqs::SqsEvent;
use tandem_domain::callback::{Callback, Concerned, Endpoint, EventType};
use tandem_domain::ids::{CallbackId, ClientId};
use tandem_queue::{Kind, Message};
use tandem_store::{Prefetched, Store, keys};
use tandem_webhooks::Connections;

use crate::Worker;
use crate::endpoint_cache::EndpointCache;

pub(crate) struct Invocation<'a> {
    pub(crate) worker: &'a Worker,
    /// Read once, before the first decision about each callback. After a conflict, rows are read again.
    pub(crate) rows: Prefetched,
    /// The time before the rows were read.
    pub(crate) read_at: Instant,
    pub(crate) connections: Connections,
}

impl<'a> Invocation<'a> {
    pub(crate) async fn begin(worker: &'a Worker, event: &SqsEvent) -> Self {
        let read_at = Instant::now();
        Self {
            worker,
            rows: prefetch(&worker.store, &worker.endpoints, event).await,
            read_at,
            connections: worker.sender.connections(),
        }
    }

    /// Whether the endpoint may be the one that this process has just read. A person waits for a test, and may have changed the
    /// endpoint before a later attempt.
    pub(crate) fn may_use_cache(callback: &Callback) -> bool {
        callback.attempts == 0 && callback.event != EventType::ConnectionTest
    }
}

async fn prefetch(store: &Store, endpoints: &EndpointCache, event: &SqsEvent) -> Prefetched {
    let mut batch = store.batch();
    for record in &event.records {
        let body = record.body.as_deref().unwrap_or_default();
        let Some(message) = Message::decode(body).ok().filter(is_callback) else {
            continue;
        };
        let Ok((client_id, callback_id)) = message.ids::<CallbackId>() else {
            continue;
        };
        batch.add(&keys::callback(client_id, callback_id));
        if let Some(endpoint) = endpoint_of(&message, client_id)
            && endpoints.get(endpoint).is_none()
        {
            match endpoint {
                Endpoint::Connection(id) => batch.add(&keys::connection(id)),
                Endpoint::Client(id) => batch.add(&keys::event_endpoint(id)),
            }
            batch.add(&keys::endpoint_health(endpoint));
        }
        if let Some(Concerned {
            company_id,
            customer_id,
        }) = concerned_of(&message)
        {
            batch.add(&keys::customer(company_id, customer_id));
        }
    }
    batch.prefetch().await
}

fn is_callback(message: &Message) -> bool {
    message.kind == Kind::Callback
}

fn endpoint_of(message: &Message, client_id: ClientId) -> Option<Endpoint> {
    match &message.beside.as_ref()?.connection {
        Some(id) => id.parse().ok().map(Endpoint::Connection),
        None => Some(Endpoint::Client(client_id)),
    }
}

fn concerned_of(message: &Message) -> Option<Concerned> {
    message.beside.as_ref()?.concerned.as_ref()?.parse().ok()
}
