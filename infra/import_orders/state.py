"""The sum of a journal, from which the import resumes. Records are applied when read and when written."""

from __future__ import annotations

from collections import Counter, deque

from infra.import_orders.calls import Start
from infra.import_orders.journal import Accepted, Begun, Done, Record, Rejected, Sending
from infra.import_orders.source import Place

RESULTS = ("created", "updated", "unchanged", "superseded")
"""The results of an imported row."""
FAULTS = ("failed", "refused", "unreadable", "putAside")


class State:
    """The progress of the import of a file."""

    def __init__(self, first: Place) -> None:
        self.begun: Begun | None = None
        self.next = Start(first)
        self.last = 0
        """The number of the last call."""
        self.unanswered: Sending | None = None
        self.to_correct: tuple[Sending, Rejected] | None = None
        """A rejected call, whose other rows must be sent."""
        self.waiting: deque[tuple[Sending, Accepted]] = deque()
        """Accepted calls without a result, oldest first."""
        self.last_promise: str | None = None
        self.rows_read = 0
        self.rows_sent = 0
        self.results: Counter[str] = Counter()
        self.superseded = 0
        """Rows that were not applied in full."""

    @property
    def rows_done(self) -> int:
        """Rows with a result."""
        return self.results.total()

    @property
    def faults(self) -> int:
        """Rows that were not imported."""
        return sum(self.results[name] for name in FAULTS)

    def is_finished(self, size: int) -> bool:
        """Whether a file of that size is done."""
        return self.has_sent_all(size) and not self.waiting

    def has_sent_all(self, size: int) -> bool:
        """Whether every row was sent."""
        pending = self.unanswered or self.to_correct or self.next.carried
        return not pending and self.next.place.offset >= size

    def apply(self, record: Record) -> None:
        """Apply one record."""
        if isinstance(record, Begun):
            self.begun = record
        elif isinstance(record, Sending):
            self._sending(record)
        elif isinstance(record, Accepted) and self.unanswered:
            self.waiting.append((self.unanswered, record))
            self.last_promise = record.promise
            self.rows_sent += self.unanswered.rows
            self.unanswered = None
        elif isinstance(record, Rejected) and self.unanswered:
            self._rejected(self.unanswered, record)
        elif isinstance(record, Done):
            self._done(record)

    def _sending(self, call: Sending) -> None:
        self.last = call.number
        self.next = Start(Place(call.then_offset, call.then_line), tuple(call.then_carried))
        self.results["unreadable"] += len(call.aside)
        if not call.without:  # otherwise they were counted for the rejected call
            self.rows_read += call.rows + len(call.aside) + len(call.then_carried) - len(call.carried)
        self.to_correct = None
        self.unanswered = call if call.rows else None

    def _rejected(self, call: Sending, rejected: Rejected) -> None:
        self.results["refused"] += len(rejected.rows)
        self.unanswered = None
        self.to_correct = (call, rejected) if len(rejected.rows) < call.rows else None

    def _done(self, done: Done) -> None:
        if self.unanswered:  # a dry run, which accepts nothing
            self.rows_sent += self.unanswered.rows
            self.unanswered = None
        else:
            self.waiting.popleft()
        self.results.update(done.counts)
        self.superseded += len(done.superseded)
