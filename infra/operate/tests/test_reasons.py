"""Each state of a callback, a mail and an import has its sentence."""

from __future__ import annotations

import unittest
from datetime import timedelta
from typing import Any

from infra.operate import moments, reasons
from infra.operate.reasons import ChunkSeen, Seen

NOW = moments.read("2026-07-01T12:00:00Z")


def at(**distance: float) -> str:
    """A time of the table, so far from now."""
    return (NOW + timedelta(**distance)).strftime("%Y-%m-%dT%H:%M:%S.25Z")


DONE: dict[str, Any] = {"sk": "chunk#000", "status": "done"}
STUCK: dict[str, Any] = {
    "sk": "chunk#001",
    "status": "stuck",
    "stuckAt": at(minutes=-30),
    "reason": "unreadable",
    "tries": 1,
}


def callback(status: str, dead: str | None = None, endpoint: dict[str, Any] | None = None, **more: Any) -> str:
    """The explanation of a callback."""
    row = {"event": "crossClientOrder.created", "createdAt": at(hours=-2), "attempts": 2, "status": status, "step": 2}
    attempts = [
        {"number": 1, "at": at(minutes=-9), "error": "timed out"},
        {"number": 2, "at": at(minutes=-4), "statusCode": 503, "durationMs": 212},
    ]
    return "\n".join(reasons.callback(row | more, endpoint, attempts, Seen(NOW, dead)))


def promise(*chunks: dict[str, Any], fault: str | None = None, dead: str | None = None, **more: Any) -> str:
    """The explanation of an import of 30 items."""
    row = {"items": 30, "chunks": 2, "counts": {"created": 25, "failed": 0}, "acceptedAt": at(hours=-1)}
    seen = Seen(NOW, dead)
    return "\n".join(reasons.promise(row | more, [ChunkSeen(chunk, fault, seen) for chunk in chunks], seen))


class Callbacks(unittest.TestCase):
    """Explanations of callbacks."""

    def test_a_delivered_callback_has_its_time(self) -> None:
        text = callback("delivered", deliveredAt=at(hours=-1))
        self.assertIn("It was delivered 2026-07-01 11:00:00 UTC (1 h ago); no action is needed.", text)

    def test_a_waiting_callback_shows_next_and_all_attempts(self) -> None:
        text = callback("waiting", dueAt=at(minutes=5))
        self.assertIn("Its next attempt is due 2026-07-01 12:05:00 UTC (in 5 min)", text)
        self.assertIn("Attempt 1, 2026-07-01 11:51:00 UTC (9 min ago): timed out.", text)
        self.assertIn("Attempt 2, 2026-07-01 11:56:00 UTC (4 min ago): status 503, 212 ms.", text)
        self.assertNotIn("No worker", text)

    def test_a_late_callback_shows_the_reason(self) -> None:
        late = at(minutes=-10)
        self.assertIn("the sweep or the workers do not run", callback("waiting", dueAt=late))
        text = callback("waiting", dead="failed five times", dueAt=late)
        self.assertIn("because its workers fail", text)
        self.assertIn("A dead letter names it (failed five times).", text)

    def test_a_callback_in_flight_shows_the_end_of_its_lease(self) -> None:
        self.assertIn("its lease ends 2026-07-01 12:00:50 UTC", callback("inFlight", leaseUntil=at(seconds=50)))
        self.assertIn("did not finish", callback("inFlight", leaseUntil=at(seconds=-50)))

    def test_a_held_callback_shows_why_its_endpoint_is_disabled(self) -> None:
        disabled = {"disabledAt": at(days=-1), "reason": "it answered 410"}
        text = callback("held", endpoint=disabled, heldAt=at(days=-1))
        self.assertIn("Its endpoint has been disabled since 2026-06-30 12:00:00 UTC (1 d ago): it answered 410.", text)
        self.assertIn("enable the endpoint and replay it", text)
        self.assertIn("is enabled again", callback("held", heldAt=at(days=-1)))

    def test_a_failing_endpoint_is_shown_with_its_pause(self) -> None:
        failing = {"failingSince": at(hours=-1), "circuit": {"is": "open", "until": at(minutes=2)}}
        text = callback("postponed", endpoint=failing, dueAt=at(minutes=3))
        self.assertIn("Its next attempt is due 2026-07-01 12:03:00 UTC (in 3 min)", text)
        self.assertIn("Its endpoint has been failing since 2026-07-01 11:00:00 UTC (1 h ago).", text)
        self.assertIn("wait until 2026-07-01 12:02:00 UTC (in 2 min); then one is sent.", text)

    def test_a_slow_endpoint_is_not_failing(self) -> None:
        hanging = {"failingSince": at(minutes=-1), "failures": 0, "circuit": {"is": "open", "until": at(minutes=2)}}
        text = callback("postponed", endpoint=hanging, dueAt=at(minutes=3))
        self.assertIn("Its endpoint has been slow since 2026-07-01 11:59:00 UTC (1 min ago).", text)
        self.assertIn("then one is sent.", text)

    def test_an_exhausted_callback_must_be_replayed(self) -> None:
        self.assertIn("must replay it", callback("exhausted", exhaustedAt=at(days=-1)))


class Mails(unittest.TestCase):
    """Explanations of mails."""

    def explain(self, status: str, **more: Any) -> str:
        row = {"kind": {"about": "invitation"}, "createdAt": at(hours=-2), "tries": 3, "status": status}
        return "\n".join(reasons.mail(row | more, Seen(NOW, None)))

    def test_each_state_is_explained(self) -> None:
        self.assertIn("The mail service accepted it", self.explain("sent", at=at(hours=-1)))
        self.assertIn("no longer held 2026-07-01 11:00:00 UTC", self.explain("cancelled", at=at(hours=-1)))
        self.assertIn("failed for good 2026-07-01 11:00:00 UTC", self.explain("failed", at=at(hours=-1)))
        self.assertIn(
            "next try is due 2026-07-01 12:01:00 UTC (in 1 min).", self.explain("waiting", dueAt=at(minutes=1))
        )
        self.assertIn("A worker holds it", self.explain("inFlight", leaseUntil=at(minutes=1)))


class Imports(unittest.TestCase):
    """Explanations of imports."""

    def test_a_dead_lettered_chunk_names_its_items_and_the_fix(self) -> None:
        text = promise(DONE, STUCK, dead="its row is corrupt", fault="The row items#001 is missing.")
        self.assertIn("Chunks: 1 done, 1 dead-lettered.", text)
        self.assertIn("chunk#001 (items 25 to 29) became a dead letter 2026-07-01 11:30:00 UTC (30 min ago)", text)
        self.assertIn("The row items#001 is missing.", text)
        self.assertIn("Fix the cause, then redrive it.", text)

    def test_a_chunk_without_its_message_must_be_imported_again(self) -> None:
        self.assertIn("the client must import these items again", promise(DONE, STUCK))

    def test_a_postponed_chunk_names_the_throttled_table(self) -> None:
        chunk = {"sk": "chunk#001", "status": "waiting", "dueAt": at(minutes=5), "tries": 0}
        text = promise(DONE, chunk | {"postponed": 3})
        self.assertIn("chunk#001 (items 25 to 29) was postponed 3 times, because DynamoDB throttles the table", text)
        self.assertIn("postponed once,", promise(DONE, chunk | {"postponed": 1}))

    def test_a_late_chunk_is_explained_and_others_are_counted(self) -> None:
        late = {"sk": "chunk#001", "status": "waiting", "dueAt": at(minutes=-20), "tries": 0}
        self.assertIn("chunk#001 (items 25 to 29) is due since", promise(DONE, late))
        fresh = late | {"dueAt": at(seconds=-1)}
        self.assertNotIn("chunk#001", promise(DONE, fresh))

    def test_a_completed_import_needs_nothing(self) -> None:
        self.assertIn("no action is needed", promise(finishedAt=at(minutes=-1)))


class Moments(unittest.TestCase):
    """The format of times."""

    def test_spans_have_two_units_at_most(self) -> None:
        for seconds, text in ((0, "0 s"), (59, "59 s"), (60, "1 min"), (3_660, "1 h 1 min"), (90_061, "1 d 1 h")):
            self.assertEqual(moments.span(timedelta(seconds=seconds)), text)

    def test_times_are_parsed_with_any_fraction(self) -> None:
        for text in ("2026-07-01T12:00:00Z", "2026-07-01T12:00:00.2Z", "2026-07-01T12:00:00.123456789Z"):
            self.assertEqual(moments.read(text), NOW)
