//! The oldest unfinished work that a sweep sees.

use tandem_domain::Timestamp;
use tandem_domain::ids::PromiseId;
use tandem_runtime::metrics::Metric;
use tandem_store::outbox::Swept;

/// The earliest times of some rows.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Oldest {
    /// When a row's time to be swept had come.
    sweep_at: Option<Timestamp>,
    /// When a callback was due.
    callback: Option<Timestamp>,
    /// When an import was accepted that has an unfinished chunk.
    import: Option<Timestamp>,
}

impl Oldest {
    /// A row as the sweep reads it. The id in a chunk's key has the time of its import.
    pub(crate) fn read(row: &Swept) -> Self {
        let accepted = || {
            let id = row.due.pk.split('#').nth(1)?;
            Some(id.parse::<PromiseId>().ok()?.time())
        };
        let is_chunk = row.due.sk.starts_with("chunk#");
        Self {
            sweep_at: Some(row.sweep_at),
            callback: None,
            import: is_chunk.then(accepted).flatten(),
        }
    }

    /// A row whose work was due at this time.
    pub(crate) fn due(row: &Swept, due_at: Option<Timestamp>) -> Self {
        Self {
            callback: due_at.filter(|_| row.due.sk == "callback"),
            ..Self::default()
        }
    }

    pub(crate) fn and(self, other: Self) -> Self {
        let earlier =
            |one: Option<Timestamp>, other: Option<Timestamp>| one.into_iter().chain(other).min();
        Self {
            sweep_at: earlier(self.sweep_at, other.sweep_at),
            callback: earlier(self.callback, other.callback),
            import: earlier(self.import, other.import),
        }
    }

    /// The ages in seconds.
    pub(crate) fn ages(self, now: Timestamp) -> Vec<(Metric, i64)> {
        [
            (Metric::SweepDelaySeconds, self.sweep_at),
            (Metric::OldestDueCallbackSeconds, self.callback),
            (Metric::OldestImportSeconds, self.import),
        ]
        .into_iter()
        .filter_map(|(metric, since)| Some((metric, now.duration_since(since?).as_secs())))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use tandem_store::outbox::Due;

    use super::*;

    const CLIENT: &str = "cli_0190b8f5c6f77c3ab0a1c2d3e4f50617";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("a time")
    }

    fn row(id: &str, sk: &str, swept: i64) -> Swept {
        Swept {
            due: Due {
                pk: format!("{CLIENT}#{id}"),
                sk: sk.to_owned(),
            },
            sweep_at: at(swept),
        }
    }

    #[test]
    fn the_oldest_of_each_kind_of_row_counts() {
        let import = |accepted: i64, swept: i64| {
            let id = PromiseId::first_of(at(accepted)).to_string();
            Oldest::read(&row(&id, "chunk#007", swept))
        };
        let callback = row("cbk_0190b8f5c6f77c3ab0a1c2d3e4f50618", "callback", 940);
        let mail = row("mal_0190b8f5c6f77c3ab0a1c2d3e4f50618", "mail", 950);
        let seen = [
            import(100, 960),
            import(300, 930),
            Oldest::read(&callback),
            Oldest::due(&callback, Some(at(850))),
            Oldest::due(&callback, Some(at(200))),
            Oldest::due(&mail, Some(at(1))),
            Oldest::read(&mail),
        ];
        let oldest = seen.into_iter().fold(Oldest::default(), Oldest::and);
        assert_eq!(
            oldest.ages(at(1_000)),
            [
                (Metric::SweepDelaySeconds, 70),
                (Metric::OldestDueCallbackSeconds, 800),
                (Metric::OldestImportSeconds, 900),
            ]
        );
    }

    #[test]
    fn nothing_is_reported_without_rows() {
        assert!(Oldest::default().ages(at(1)).is_empty());
        let broken = Oldest::read(&row("import", "chunk#000", 1));
        assert_eq!(broken.ages(at(2)), [(Metric::SweepDelaySeconds, 1)]);
    }
}
