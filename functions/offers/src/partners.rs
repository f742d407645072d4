//! The rows by which the targets of an offer learn of its changes: two of each target at most, so that those of forty targets fit one
//! transaction with the offer and its shares. So a change of terms does not touch the connection's row. The event of a target with
//! an event endpoint is a third row.

use std::collections::{BTreeMap, BTreeSet};

use tandem_api::client_events::EventEndpoints;
use tandem_api::{App, ClientCaller};
use tandem_domain::callback::Announcement;
use tandem_domain::connection::{Action, Side, TermsEntry};
use tandem_domain::ids::{ClientId, ConnectionId, MailId, TermsEntryId};
use tandem_domain::mail::{AboutCarts, Mail, MailKind, Occasion, SharedOfferRef, TermsProposal};
use tandem_domain::offer::Offer;
use tandem_domain::tenancy::Client;
use tandem_domain::terms::{Effect, TermsChange};
use tandem_store::rows::TermsRow;
use tandem_store::{StoreError, Transaction, keys};

/// The targets with a live connection, and the source itself.
#[derive(Default)]
pub(crate) struct Partners {
    source: Option<Client>,
    targets: BTreeMap<ClientId, (Client, ConnectionId)>,
    endpoints: EventEndpoints,
}

impl Partners {
    pub(crate) async fn load(
        app: &App,
        source: ClientCaller,
        targets: impl IntoIterator<Item = ClientId>,
    ) -> Result<Self, StoreError> {
        let targets: BTreeSet<_> = targets.into_iter().collect();
        if targets.is_empty() {
            return Ok(Self::default());
        }
        let mut batch = app.store.batch();
        EventEndpoints::add_keys(&mut batch, &targets);
        batch.add(&keys::client(source.id));
        for target in &targets {
            batch.add(&keys::client(*target));
            batch.add(&keys::pair(source.id, *target));
        }
        let rows = batch.load().await?;
        let endpoints = EventEndpoints::from_rows(&rows, &targets)?;
        let mut found = BTreeMap::new();
        for target in targets {
            let client = rows.get(&keys::client(target))?;
            let pair = rows.get(&keys::pair(source.id, target))?;
            if let (Some(client), Some(pair)) = (client, pair) {
                found.insert(target, (client, pair.connection_id));
            }
        }
        Ok(Self {
            source: rows.get(&keys::client(source.id))?,
            targets: found,
            endpoints,
        })
    }

    /// Adds a history line for each changed target, and a mail if it must accept the change.
    pub(crate) fn add_changes(
        &self,
        app: &App,
        offer: &Offer,
        changes: &[TermsChange],
        transaction: &mut Transaction,
    ) -> Result<(), StoreError> {
        for change in changes {
            let Some((target, connection_id)) = self.targets.get(&change.target) else {
                continue;
            };
            let action = match change.effect {
                Effect::Favoured => Action::TermsFavoured,
                Effect::Proposed { .. } => Action::TermsProposed,
            };
            transaction.create(&TermsRow {
                connection_id: *connection_id,
                entry: TermsEntry {
                    id: TermsEntryId::generate(&mut app.ids()),
                    offer_id: offer.id,
                    at: app.now(),
                    by: Side::Source,
                    action,
                    changes: change.in_words(),
                },
            })?;
            if let Effect::Proposed {
                sell_old_terms_until,
            } = change.effect
                && let Some(offer) = self.named(offer, *connection_id)
            {
                let kind = MailKind::TermsProposed {
                    offer,
                    proposal: TermsProposal {
                        accepted: change.accepted,
                        proposed: change.present,
                        sell_old_terms_until,
                    },
                    occasion: Occasion::Proposed,
                    carts: AboutCarts::default(),
                };
                add_mail(app, target, kind, transaction)?;
            }
            let event = change.event(offer, *connection_id);
            self.announce(app, event, transaction)?;
        }
        Ok(())
    }

    fn announce(
        &self,
        app: &App,
        event: Option<Announcement>,
        transaction: &mut Transaction,
    ) -> Result<(), StoreError> {
        self.endpoints
            .announce(app, &mut app.ids(), transaction, None, event)
    }

    /// Adds a mail to each target, and its event.
    pub(crate) fn add_archive_rows(
        &self,
        app: &App,
        offer: &Offer,
        transaction: &mut Transaction,
    ) -> Result<(), StoreError> {
        for (target, connection_id) in self.targets.values() {
            if let Some(offer) = self.named(offer, *connection_id) {
                let kind = MailKind::OfferArchived {
                    offer,
                    carts: AboutCarts::default(),
                };
                add_mail(app, target, kind, transaction)?;
            }
            let event = offer.archived_event(target.id, *connection_id);
            self.announce(app, Some(event), transaction)?;
        }
        Ok(())
    }

    fn named(&self, offer: &Offer, connection_id: ConnectionId) -> Option<SharedOfferRef> {
        let source = self.source.as_ref()?;
        Some(SharedOfferRef {
            source_id: source.id,
            source_name: source.name.clone(),
            connection_id,
            offer_id: offer.id,
            offer_name: offer.name.clone(),
        })
    }
}

fn add_mail(
    app: &App,
    to: &Client,
    kind: MailKind,
    transaction: &mut Transaction,
) -> Result<(), StoreError> {
    let id = MailId::generate(&mut app.ids());
    transaction.create(&Mail::new(id, to, kind, app.now()))
}
