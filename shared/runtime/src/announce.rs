//! From what the domain announces to the callback's row.

use tandem_domain::callback::{Announcement, Callback};
use tandem_domain::ids::CallbackId;
use tandem_domain::{Mint, Timestamp};
use tandem_sealing::{Purpose, Sealer};

/// The callback of an announcement, its body sealed under the callback's id.
pub fn seal(sealer: &Sealer, mint: &mut dyn Mint, announcement: Announcement, now: Timestamp) -> Callback {
    let id = CallbackId::mint(mint);
    let sealed = sealer.seal(Purpose::CallbackBody, &id.to_string(), &announcement.body(now));
    announcement.into_callback(id, sealed, now)
}
