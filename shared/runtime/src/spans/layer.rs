//! Records spans: ours, and those of the SDK's calls.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tandem_sealing::random;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::{REQUEST, TARGET, context_of};

/// Spans kept until the next export; later ones are lost.
const MOST: usize = 2_000;

/// Whether a span is recorded. Events are not: logs have them.
pub(crate) fn is_recorded(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && (metadata.target() == TARGET || metadata.target().starts_with("aws_sdk_"))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Server = 2,
    /// A call to a service.
    Client = 3,
    Consumer = 5,
}

#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) trace: [u8; 16],
    pub(super) id: [u8; 8],
    pub(super) parent: Option<[u8; 8]>,
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) attributes: Vec<(&'static str, String)>,
    pub(super) started: Timestamp,
    pub(super) ended: Timestamp,
}

#[derive(Debug, Default)]
pub(super) struct Ended(Mutex<Vec<Recorded>>);

impl Ended {
    pub(super) fn take(&self) -> Vec<Recorded> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, span: Recorded) {
        let mut ended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ended.len() < MOST {
            ended.push(span);
        }
    }
}

/// The layer that records spans.
#[derive(Debug)]
pub struct SpanLayer(Arc<Ended>);

impl SpanLayer {
    pub(super) fn new(ended: Arc<Ended>) -> Self {
        Self(ended)
    }
}

impl<S> Layer<S> for SpanLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut members = Members::default();
        attributes.record(&mut members);
        let own = random_id();
        let above = span.parent().and_then(|parent| {
            let extensions = parent.extensions();
            let parent: &Recorded = extensions.get()?;
            Some((parent.trace, parent.id))
        });
        let is_ours = span.metadata().target() == TARGET;
        let is_request = is_ours && span.name() == REQUEST;
        let request = members.take("request").filter(|_| is_ours);
        let (trace, id, parent) = match (request.as_deref().map(context_of), above) {
            (Some((trace, root)), _) if is_request => (trace, root, None),
            (Some((trace, root)), _) => (trace, own, Some(root)),
            (None, Some((trace, parent))) => (trace, own, Some(parent)),
            (None, None) => (random::bits128().to_be_bytes(), own, None),
        };
        members
            .0
            .extend(request.map(|request| ("request", request)));
        let name = members.take("name").filter(|_| is_ours);
        let now = Timestamp::now();
        span.extensions_mut().insert(Recorded {
            trace,
            id,
            parent,
            name: name.unwrap_or_else(|| span.name().to_owned()),
            kind: match (is_ours, is_request) {
                (true, true) => Kind::Server,
                (true, false) => Kind::Consumer,
                (false, _) => Kind::Client,
            },
            attributes: members.0,
            started: now,
            ended: now,
        });
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else {
            return;
        };
        let recorded = span.extensions_mut().remove::<Recorded>();
        if let Some(recorded) = recorded {
            let ended = Timestamp::now();
            self.0.add(Recorded { ended, ..recorded });
        }
    }
}

fn random_id() -> [u8; 8] {
    let [a, b, c, d, e, f, g, h, ..] = random::bits128().to_be_bytes();
    [a, b, c, d, e, f, g, h]
}

#[derive(Default)]
struct Members(Vec<(&'static str, String)>);

impl Members {
    fn take(&mut self, name: &str) -> Option<String> {
        let place = self.0.iter().position(|(known, _)| *known == name)?;
        Some(self.0.swap_remove(place).1)
    }
}

impl Visit for Members {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push((field.name(), value.to_owned()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push((field.name(), format!("{value:?}")));
    }
}
