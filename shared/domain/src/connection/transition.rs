//! Changes of a connection's status.

use jiff::Timestamp;

use super::{
    Action, BlockMails, Blocks, Change, Connection, ConnectionError, ConnectionStatus, Side, State,
};
use crate::ids::ConnectionId;
use crate::mail::MailKind;
use crate::text::Name;
use crate::words::words;

words! {
    /// An action of one side that changes the status.
    pub enum Transition {
        /// The target accepts the invitation.
        Accept = "accept",
        /// The target declines the invitation.
        Decline = "decline",
        /// The source withdraws the invitation.
        Withdraw = "withdraw",
        /// Either side stops all sales, also while the other side blocks.
        Block = "block",
        /// A side takes back its own block.
        Unblock = "unblock",
    }
}

impl Transition {
    /// `None` if either side may do it.
    fn reserved_for(self) -> Option<Side> {
        match self {
            Self::Accept | Self::Decline => Some(Side::Target),
            Self::Withdraw => Some(Side::Source),
            Self::Block | Self::Unblock => None,
        }
    }

    fn action(self) -> Action {
        match self {
            Self::Accept => Action::Accepted,
            Self::Decline => Action::Declined,
            Self::Withdraw => Action::Withdrawn,
            Self::Block => Action::Blocked,
            Self::Unblock => Action::Unblocked,
        }
    }

    /// The mail to the other side. `after`: the state to which the transition leads.
    fn mail(self, by_name: Name, connection_id: ConnectionId, after: State) -> MailKind {
        match self {
            Self::Accept => MailKind::InvitationAccepted {
                target_name: by_name,
                connection_id,
            },
            Self::Decline => MailKind::InvitationDeclined {
                target_name: by_name,
                connection_id,
            },
            Self::Withdraw => MailKind::InvitationWithdrawn {
                source_name: by_name,
                connection_id,
            },
            Self::Block => MailKind::ConnectionBlocked {
                by_name,
                connection_id,
            },
            Self::Unblock => MailKind::ConnectionUnblocked {
                by_name,
                connection_id,
                still_blocked: after.status() == ConnectionStatus::Blocked,
            },
        }
    }
}

impl Connection {
    /// Applies a transition. The caller of `Accept` also checks [`modules_are_on`](super::modules_are_on).
    ///
    /// # Errors
    /// The transition is reserved for the other side, or the status does not allow it.
    pub fn apply(
        self,
        transition: Transition,
        by: Side,
        now: Timestamp,
    ) -> Result<Change, ConnectionError> {
        if let Some(side) = transition.reserved_for().filter(|side| *side != by) {
            return Err(ConnectionError::OtherSide { transition, side });
        }
        let state = self.state.after(transition, by, now)?;
        let mail = transition.mail(self.party(by).name.clone(), self.id, state);
        let mut changed = Self { state, ..self };
        let mail = changed
            .may_mail(transition, now)
            .then_some((by.other(), mail));
        Ok(changed.changed(by, transition.action(), Vec::new(), now, mail))
    }

    /// Whether to mail the other side; counts the mail if so.
    fn may_mail(&mut self, transition: Transition, now: Timestamp) -> bool {
        // A side can block and unblock at will; every other transition happens once.
        !matches!(transition, Transition::Block | Transition::Unblock) || self.may_mail_again(now)
    }

    /// Whether to mail the other side about a change that can be repeated at will; counts the mail if so.
    pub(super) fn may_mail_again(&mut self, now: Timestamp) -> bool {
        let counted = BlockMails::count(self.block_mails, now);
        self.block_mails = counted.or(self.block_mails);
        counted.is_some()
    }
}

impl State {
    fn after(
        self,
        transition: Transition,
        by: Side,
        now: Timestamp,
    ) -> Result<Self, ConnectionError> {
        let status = self.as_str();
        match (transition, self) {
            (Transition::Accept, Self::Invited) => Ok(Self::Active),
            (Transition::Decline, Self::Invited) => Ok(Self::Declined),
            (Transition::Withdraw, Self::Invited) => Ok(Self::Withdrawn),
            (Transition::Block, Self::Active) => Ok(Self::Blocked(Blocks::by(by, now))),
            (Transition::Block, Self::Blocked(blocks)) => blocks
                .with(by, now)
                .map(Self::Blocked)
                .ok_or(ConnectionError::ImpossibleTransition { transition, status }),
            (Transition::Unblock, Self::Blocked(blocks)) if blocks.has(by) => {
                Ok(blocks.without(by).map_or(Self::Active, Self::Blocked))
            }
            (Transition::Unblock, Self::Blocked(_)) => {
                Err(ConnectionError::BlockedByOther { by: by.other() })
            }
            _ => Err(ConnectionError::ImpossibleTransition { transition, status }),
        }
    }
}
