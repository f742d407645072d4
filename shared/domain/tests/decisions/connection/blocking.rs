//! Blocks of both sides, and the mails about them.

use jiff::SignedDuration;
use proptest::prelude::*;
use tandem_domain::connection::{BLOCK_MAILS_PER_HOUR, Side, State, Transition};

use crate::fixtures::{Pair, now};

/// Whatever both sides do after the acceptance, each has the block that it last asked for.
#[test]
fn a_connection_is_active_while_neither_side_blocks() {
    use Transition::{Block, Unblock};
    let step = (any::<bool>(), any::<bool>());
    proptest!(|(steps in proptest::collection::vec(step, 0..12))| {
        let mut connection = Pair::within_one_company().connection;
        let mut blocks = [false; 2];
        for (by_source, is_block) in steps {
            let (by, own) = if by_source { (Side::Source, 0) } else { (Side::Target, 1) };
            let transition = if is_block { Block } else { Unblock };
            let applied = connection.clone().apply(transition, by, now());
            prop_assert_eq!(applied.is_ok(), blocks[own] != is_block);
            if let Ok(change) = applied {
                connection = change.connection;
                blocks[own] = is_block;
            }
            let blocking: Vec<Side> = match connection.state {
                State::Blocked(blocks) => blocks.iter().map(|block| block.by).collect(),
                _ => Vec::new(),
            };
            prop_assert_eq!(blocking.contains(&Side::Source), blocks[0]);
            prop_assert_eq!(blocking.contains(&Side::Target), blocks[1]);
            prop_assert_eq!(connection.state == State::Active, blocks == [false; 2]);
        }
    });
}

#[test]
fn repeated_blocking_sends_six_mails_an_hour() {
    let mut connection = Pair::between_two_companies().connection;
    let mut mails = Vec::new();
    for minute in 0..90 {
        let transition = if minute % 2 == 0 {
            Transition::Block
        } else {
            Transition::Unblock
        };
        let change = connection
            .apply(
                transition,
                Side::Source,
                now() + SignedDuration::from_mins(minute),
            )
            .expect("allowed");
        if change.mail.is_some() {
            mails.push(minute);
        }
        connection = change.connection;
    }
    assert_eq!(mails, [0, 1, 2, 3, 4, 5, 60, 61, 62, 63, 64, 65]);
    assert_eq!(u32::try_from(mails.len()), Ok(2 * BLOCK_MAILS_PER_HOUR));
}
