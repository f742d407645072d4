//! From what the domain announces and moves to the rows of the transaction.

use tandem_domain::Mint;
use tandem_domain::after_sale::Moved;
use tandem_domain::callback::{Announcement, Callback};
use tandem_domain::subscription::Subscription;
use tandem_store::{StoreError, Transaction, keys};

use crate::app::App;

/// The callback of an announcement, its body sealed under the callback's id.
pub fn seal(app: &App, mint: &mut dyn Mint, announcement: Announcement) -> Callback {
    tandem_runtime::announce::seal(&app.sealer, mint, announcement, app.now())
}

/// The source's row that goes with a seller's row, if the subscription is cross-client.
///
/// # Errors
/// The table is not available.
pub async fn source_row(app: &App, seller: &Subscription) -> Result<Option<Subscription>, StoreError> {
    match &seller.cross_client {
        Some(link) => app.store.get(&keys::subscription(link.source_client_id, seller.id)).await,
        None => Ok(None),
    }
}

/// Puts all rows of a move into a transaction.
///
/// # Errors
/// A row cannot be stored.
pub fn write_moved(app: &App, mint: &mut dyn Mint, transaction: &mut Transaction, moved: Moved) -> Result<(), StoreError> {
    transaction.replace(&moved.rows.seller)?;
    if let Some(source) = &moved.rows.source {
        transaction.replace(source)?;
    }
    if let Some(payout) = &moved.payout {
        transaction.create(payout)?;
    }
    if let Some(announcement) = moved.announcement {
        transaction.create(&seal(app, mint, announcement))?;
    }
    Ok(())
}
