//! Logs: one JSON line per event. They hold ids, but no bodies, addresses, names, codes or keys.

use std::fmt;

use tracing::{Event, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets, filter_fn};
use tracing_subscriber::fmt::format::{Format, Json, JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::spans::{self, SpanLayer};

/// The target of events that are written once for each piece of work: their lines do not repeat the span of the call.
pub const SHORT: &str = "short";

/// Starts logging to standard output, filtered by `RUST_LOG` (default `info`): levels by target, such as `info,aws_config=debug`.
/// With a collector, also starts recording spans; see [`spans`].
pub fn start() {
    // Tests may start logging twice, so an error is ignored.
    let _ = match spans::start() {
        None => subscriber(std::io::stdout).try_init(),
        Some(recorder) => with_spans(std::io::stdout, recorder).try_init(),
    };
}

/// The subscriber of [`start`], with another writer.
pub fn subscriber<W>(writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt()
        .event_format(Lines::new())
        .fmt_fields(JsonFields::new())
        .with_max_level(LevelFilter::TRACE)
        .with_writer(writer)
        .finish();
    lines.with(filter())
}

/// [`subscriber`] beside a recorder of spans. Each has its own filter: the log does not see the spans that are recorded.
pub fn with_spans<W>(writer: W, recorder: SpanLayer) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer()
        .event_format(Lines::new())
        .fmt_fields(JsonFields::new())
        .with_writer(writer);
    tracing_subscriber::registry()
        .with(lines.with_filter(filter()))
        .with(recorder.with_filter(filter_fn(spans::is_recorded)))
}

fn filter() -> Targets {
    let filter = std::env::var("RUST_LOG").ok();
    let filter = filter.and_then(|filter| filter.parse::<Targets>().ok());
    filter.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO))
}

/// Lambda adds the time. The runtime's span around each call is the only one, so the list of spans would repeat it.
fn line(with_span: bool) -> Format<Json, ()> {
    tracing_subscriber::fmt::format()
        .json()
        .flatten_event(true)
        .with_current_span(with_span)
        .with_span_list(false)
        .without_time()
        .with_target(false)
}

struct Lines {
    usual: Format<Json, ()>,
    short: Format<Json, ()>,
}

impl Lines {
    fn new() -> Self {
        Self {
            usual: line(true),
            short: line(false),
        }
    }
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let format = if event.metadata().target() == SHORT {
            &self.short
        } else {
            &self.usual
        };
        format.format_event(context, writer, event)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::subscriber;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_has_the_span_of_its_call_once_a_short_one_has_none() {
        let lines = Lines::default();
        let writer = lines.clone();
        tracing::subscriber::with_default(subscriber(move || writer.clone()), || {
            tracing::error_span!("call", requestId = "r-1").in_scope(|| {
                tracing::error!(order = "ord_1", "stored");
                tracing::error!(target: super::SHORT, order = "ord_1", "stored");
            });
        });
        let line = String::from_utf8(lines.0.lock().expect("no panic").clone()).expect("text");
        assert_eq!(
            line,
            "{\"level\":\"ERROR\",\"message\":\"stored\",\"order\":\"ord_1\",\"span\":{\"requestId\":\"r-1\",\"name\":\"call\"}}\n\
             {\"level\":\"ERROR\",\"message\":\"stored\",\"order\":\"ord_1\"}\n"
        );
    }
}
