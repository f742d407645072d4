//! Connections that are kept between the attempts of one invocation.
//!
//! A connection is kept for one endpoint at one URL only, so nothing that a receiver sends reaches another client's attempt. It is
//! kept only if its last exchange was strictly HTTP/1.1 and left no octet behind, and it is used again only if the receiver has
//! sent nothing since.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use tandem_domain::callback::Endpoint;
use tandem_domain::callback_url::CallbackUrl;
use tokio::io::{AsyncRead as _, ReadBuf};
use tokio::sync::Notify;
use tokio::task::{coop, yield_now};
use tokio::time::{Instant, timeout_at};

use crate::connector::Stream;

/// How long an attempt waits for a connection that another attempt uses, before it opens one: about the time of a handshake.
const PATIENCE: Duration = Duration::from_millis(20);

pub(crate) type Kept = Box<dyn Stream>;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    endpoint: Endpoint,
    url: String,
}

#[derive(Default)]
struct Slot {
    idle: Vec<Kept>,
    in_use: usize,
    /// Whether the receiver has ended a connection after an answer.
    closes: bool,
    returned: Arc<Notify>,
}

#[derive(Default)]
pub(crate) struct Pool(Mutex<HashMap<Place, Slot>>);

impl Place {
    pub(crate) fn new(endpoint: Endpoint, url: &CallbackUrl) -> Self {
        let url = url.as_url().to_string();
        Self { endpoint, url }
    }
}

impl Pool {
    /// A kept connection; `None` if the caller must open one. The caller returns either.
    pub(crate) async fn take(&self, place: &Place) -> Option<Kept> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let returned = {
                let mut slots = self.slots();
                let slot = slots.entry(place.clone()).or_default();
                match slot.idle.pop() {
                    Some(kept) => {
                        slot.in_use += 1;
                        Err(kept)
                    }
                    None if slot.in_use == 0 || slot.closes || Instant::now() >= deadline => {
                        slot.in_use += 1;
                        return None;
                    }
                    None => Ok(Arc::clone(&slot.returned)),
                }
            };
            match returned {
                Ok(returned) => {
                    let _ = timeout_at(deadline, returned.notified()).await;
                }
                Err(mut kept) => {
                    if is_quiet(&mut kept).await {
                        kept.renew();
                        return Some(kept);
                    }
                    self.give_back(place, None);
                }
            }
        }
    }

    /// Ends the use of a connection, which is kept if it is given.
    pub(crate) fn give_back(&self, place: &Place, kept: Option<Kept>) {
        let mut slots = self.slots();
        let slot = slots.entry(place.clone()).or_default();
        slot.in_use = slot.in_use.saturating_sub(1);
        if let Some(kept) = kept {
            slot.idle.push(kept);
            slot.returned.notify_one();
        } else {
            slot.closes = true;
            slot.returned.notify_waiters();
        }
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<Place, Slot>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the receiver has sent nothing since its last answer, and has not closed the connection.
async fn is_quiet(stream: &mut Kept) -> bool {
    // Lets the runtime look at its sockets.
    yield_now().await;
    let mut octet = [0; 1];
    let read = poll_fn(|context| {
        let mut buffer = ReadBuf::new(&mut octet);
        Pin::new(&mut *stream).poll_read(context, &mut buffer)
    });
    coop::unconstrained(read).now_or_never().is_none()
}
