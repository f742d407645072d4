//! The types of events.

use crate::words::words;

words! {
    #[derive(PartialOrd, Ord)]
    pub enum EventType {
        /// A cross-client offer was sold.
        OrderCreated = "crossClientOrder.created",
        /// Another period was paid.
        SubscriptionRenewed = "crossClientSubscription.renewed",
        /// The subscription ends at a date.
        SubscriptionCancelled = "crossClientSubscription.cancelled",
        /// A cancellation was taken back before its date.
        SubscriptionCancellationUndone = "crossClientSubscription.cancellationUndone",
        /// The subscription ended: its money went back, by refund or charge-back.
        SubscriptionRefunded = "crossClientSubscription.refunded",
        /// Money of a period went back; the subscription did not end by it.
        SubscriptionPaymentReversed = "crossClientSubscription.paymentReversed",
        /// A period of which money went back was paid again.
        SubscriptionPaidAgain = "crossClientSubscription.paidAgain",
        /// The source requested a test.
        ConnectionTest = "connection.test",
        ImportCompleted = "import.completed",
        ConnectionInvited = "connection.invited",
        ConnectionAccepted = "connection.accepted",
        ConnectionDeclined = "connection.declined",
        ConnectionWithdrawn = "connection.withdrawn",
        /// One side blocks; the other may block as well.
        ConnectionBlocked = "connection.blocked",
        /// One side took back its block; the other may still block.
        ConnectionUnblocked = "connection.unblocked",
        /// The source switched the access to its offers on or off.
        ConnectionAccessChanged = "connection.accessChanged",
        /// A source proposes other terms of an offer to the client.
        TermsProposed = "terms.proposed",
        /// A target accepted terms of an offer of the client.
        TermsAccepted = "terms.accepted",
        /// A source archived an offer that the client sells.
        OfferArchived = "offer.archived",
        /// The client sold a cart, or another client of its contracting company sold its offers.
        OwnOrderCreated = "order.created",
        /// Positions of an order were refunded or charged back.
        OwnOrderReversed = "order.reversed",
        /// Another period was paid.
        OwnSubscriptionRenewed = "subscription.renewed",
        /// The subscription ends at a date.
        OwnSubscriptionCancelled = "subscription.cancelled",
        /// A cancellation was taken back before its date.
        OwnSubscriptionCancellationUndone = "subscription.cancellationUndone",
        /// The subscription ended: its money went back.
        OwnSubscriptionRefunded = "subscription.refunded",
        /// Money of a period went back; the subscription did not end by it.
        OwnSubscriptionPaymentReversed = "subscription.paymentReversed",
        /// A period of which money went back was paid again.
        OwnSubscriptionPaidAgain = "subscription.paidAgain",
    }
}

impl EventType {
    /// Whether the event goes to the event endpoint of its client, not to the address of a connection.
    pub fn is_own(self) -> bool {
        match self {
            Self::OrderCreated
            | Self::SubscriptionRenewed
            | Self::SubscriptionCancelled
            | Self::SubscriptionCancellationUndone
            | Self::SubscriptionRefunded
            | Self::SubscriptionPaymentReversed
            | Self::SubscriptionPaidAgain
            | Self::ConnectionTest => false,
            Self::ImportCompleted
            | Self::ConnectionInvited
            | Self::ConnectionAccepted
            | Self::ConnectionDeclined
            | Self::ConnectionWithdrawn
            | Self::ConnectionBlocked
            | Self::ConnectionUnblocked
            | Self::ConnectionAccessChanged
            | Self::TermsProposed
            | Self::TermsAccepted
            | Self::OfferArchived
            | Self::OwnOrderCreated
            | Self::OwnOrderReversed
            | Self::OwnSubscriptionRenewed
            | Self::OwnSubscriptionCancelled
            | Self::OwnSubscriptionCancellationUndone
            | Self::OwnSubscriptionRefunded
            | Self::OwnSubscriptionPaymentReversed
            | Self::OwnSubscriptionPaidAgain => true,
        }
    }
}
