//! Rows that belong to two tenants; only these two can read them.

use tandem_domain::connection::{Connection, Side};
use tandem_domain::ids::{ClientId, ConnectionId, PayoutId};
use tandem_domain::payout::Payout;

use crate::{Store, StoreError, keys};

impl Store {
    /// A connection and the caller's side of it; `None` for other clients, as if it did not exist.
    pub async fn connection_of(
        &self,
        caller: ClientId,
        id: ConnectionId,
    ) -> Result<Option<(Connection, Side)>, StoreError> {
        let connection = self.get(&keys::connection(id)).await?;
        Ok(connection
            .and_then(|connection| connection.side_of(caller).map(|side| (connection, side))))
    }

    /// A payout row of which the caller is a party; `None` for other clients, as if it did not exist.
    pub async fn payout_of(
        &self,
        caller: ClientId,
        id: PayoutId,
    ) -> Result<Option<Payout>, StoreError> {
        let payout = self.get(&keys::payout(id)).await?;
        Ok(payout.filter(|row| row.source_client_id == caller || row.target_client_id == caller))
    }
}
