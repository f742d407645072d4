//! The filter of a list by the time at which its rows were created.

use tandem_domain::Timestamp;
use tandem_domain::ids::first_uuid_of;
use tandem_domain::input::FieldErrors;
use tandem_domain::instant::{end, instant};
use tandem_store::List;

use crate::request::Query;

/// `createdFrom` and `createdBefore`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Created {
    from: Option<Timestamp>,
    before: Option<Timestamp>,
}

impl Created {
    /// Reads both times; errors are added to the query.
    pub fn read(query: &mut Query<'_>) -> Self {
        let created = Self {
            from: query.optional("createdFrom", instant),
            before: query.optional("createdBefore", end).flatten(),
        };
        if let (Some(from), Some(before)) = (created.from, created.before)
            && from >= before
        {
            let detail = "must be later than createdFrom";
            query.note(FieldErrors::at("createdBefore", "not_after_from", detail));
        }
        created
    }

    /// The part of a list whose rows were created then. Its sort keys are UUIDv7, which sort by time.
    pub fn within<E>(&self, list: List<E>) -> List<E> {
        let bound = |time: Timestamp| first_uuid_of(time).as_simple().to_string();
        list.between(self.from.map(bound), self.before.map(bound))
    }

    pub fn contains(&self, time: Timestamp) -> bool {
        self.from.is_none_or(|from| time >= from) && self.before.is_none_or(|before| time < before)
    }
}
