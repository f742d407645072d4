use jiff::SignedDuration;
use tandem_domain::ids::{ClientId, MailId};
use tandem_domain::mail::Mail;

use crate::entity::{Entity, Indexes, Key};

/// Time for which a mail's row is kept after the commit that created it, or after the time of a later warning.
const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// A mail to a client.
pub fn mail(to: ClientId, id: MailId) -> Key<Mail> {
    Key::new(format!("{to}#{id}"), "mail")
}

impl Entity for Mail {
    const KEEPS_REQUEST: bool = true;

    fn key(&self) -> Key<Self> {
        mail(self.client_id, self.id)
    }
    fn indexes(&self) -> Indexes {
        let last = self
            .due_at()
            .map_or(self.created_at, |due_at| due_at.max(self.created_at));
        Indexes::default()
            .due(self.sweep_at())
            .expires(last.checked_add(KEPT).ok())
    }
    fn version(&self) -> u64 {
        self.version
    }
}
