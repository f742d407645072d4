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
    """What is said of a callback."""
    row = {"event": "crossClientOrder.created", "createdAt": at(hours=-2), "attempts": 2, "status": status, "step": 2}
    last = {"number": 2, "at": at(minutes=-4), "statusCode": 503}
    return "\n".join(reasons.callback(row | more, endpoint, last, Seen(NOW, dead)))


def promise(*chunks: dict[str, Any], fault: str | None = None, dead: str | None = None, **more: Any) -> str:
    """What is said of an import of 30 items."""
    row = {"items": 30, "chunks": 2, "counts": {"created": 25, "failed": 0}, "acceptedAt": at(hours=-1)}
    seen = Seen(NOW, dead)
    return "\n".join(reasons.promise(row | more, [ChunkSeen(chunk, fault, seen) for chunk in chunks], seen))


class Callbacks(unittest.TestCase):
    """What is said of callbacks."""

    def test_a_delivered_one_says_when(self) -> None:
        told = callback("delivered", deliveredAt=at(hours=-1))
        self.assertIn("It was delivered 2026-07-01 11:00:00 UTC (1 h ago); nothing is to be done.", told)
        self.assertNotIn("503", told)

    def test_a_waiting_one_says_when_its_next_attempt_is_and_how_the_last_one_ended(self) -> None:
        told = callback("waiting", dueAt=at(minutes=5))
        self.assertIn("Its next attempt is due 2026-07-01 12:05:00 UTC (in 5 min)", told)
        self.assertIn("Attempt 2, 2026-07-01 11:56:00 UTC (4 min ago): status 503.", told)
        self.assertNotIn("Nobody", told)

    def test_one_that_nobody_takes_up_says_why(self) -> None:
        late = at(minutes=-10)
        self.assertIn("the sweep or the workers stand still", callback("waiting", dueAt=late))
        told = callback("waiting", dead="failed five times", dueAt=late)
        self.assertIn("because its workers fail on it", told)
        self.assertIn("A dead letter names it (failed five times).", told)

    def test_one_in_flight_says_when_its_lease_ends(self) -> None:
        self.assertIn("its lease ends 2026-07-01 12:00:50 UTC", callback("inFlight", leaseUntil=at(seconds=50)))
        self.assertIn("did not come back", callback("inFlight", leaseUntil=at(seconds=-50)))

    def test_a_held_one_says_since_when_its_endpoint_is_disabled(self) -> None:
        disabled = {"disabledAt": at(days=-1), "reason": "it answered 410"}
        told = callback("held", endpoint=disabled, heldAt=at(days=-1))
        self.assertIn("Its endpoint is disabled since 2026-06-30 12:00:00 UTC (1 d ago): it answered 410.", told)
        self.assertIn("enables the endpoint and replays it", told)
        self.assertIn("is not disabled now", callback("held", heldAt=at(days=-1)))

    def test_an_endpoint_that_fails_is_told_with_its_pause(self) -> None:
        failing = {"failingSince": at(hours=-1), "circuit": {"is": "open", "until": at(minutes=2)}}
        told = callback("postponed", endpoint=failing, dueAt=at(minutes=3))
        self.assertIn("It is postponed. A worker looks at it 2026-07-01 12:03:00 UTC (in 3 min).", told)
        self.assertIn("Its endpoint fails since 2026-07-01 11:00:00 UTC (1 h ago).", told)
        self.assertIn("wait until 2026-07-01 12:02:00 UTC (in 2 min); then one is tried.", told)

    def test_an_endpoint_that_only_hangs_has_not_failed(self) -> None:
        hanging = {"failingSince": at(minutes=-1), "failures": 0, "circuit": {"is": "open", "until": at(minutes=2)}}
        told = callback("postponed", endpoint=hanging, dueAt=at(minutes=3))
        self.assertIn("Its endpoint takes long to answer since 2026-07-01 11:59:00 UTC (1 min ago).", told)
        self.assertIn("then one is tried.", told)

    def test_an_exhausted_one_waits_for_a_replay(self) -> None:
        self.assertIn("waits for the client to replay it", callback("exhausted", exhaustedAt=at(days=-1)))


class Mails(unittest.TestCase):
    """What is said of mails."""

    def said(self, status: str, **more: Any) -> str:
        row = {"kind": {"about": "invitation"}, "createdAt": at(hours=-2), "tries": 3, "status": status}
        return "\n".join(reasons.mail(row | more, Seen(NOW, None)))

    def test_each_state_is_told(self) -> None:
        self.assertIn("The mail service took it", self.said("sent", at=at(hours=-1)))
        self.assertIn("given up 2026-07-01 11:00:00 UTC", self.said("failed", at=at(hours=-1)))
        self.assertIn("next try is due 2026-07-01 12:01:00 UTC (in 1 min).", self.said("waiting", dueAt=at(minutes=1)))
        self.assertIn("A worker has it", self.said("inFlight", leaseUntil=at(minutes=1)))


class Imports(unittest.TestCase):
    """What is said of imports."""

    def test_a_chunk_put_aside_names_its_items_and_what_to_do(self) -> None:
        told = promise(DONE, STUCK, dead="its row cannot be read", fault="The row items#001 is gone.")
        self.assertIn("Chunks: 1 done, 1 put aside.", told)
        self.assertIn("chunk#001 (items 25 to 29) was put aside 2026-07-01 11:30:00 UTC (30 min ago)", told)
        self.assertIn("The row items#001 is gone.", told)
        self.assertIn("Mend the cause, then redrive it.", told)

    def test_a_chunk_whose_message_is_gone_is_the_clients_to_send_again(self) -> None:
        self.assertIn("the client sends these items again", promise(DONE, STUCK))

    def test_a_chunk_that_waits_for_long_is_told_and_one_that_does_not_is_only_counted(self) -> None:
        late = {"sk": "chunk#001", "status": "waiting", "dueAt": at(minutes=-20), "tries": 0}
        self.assertIn("chunk#001 (items 25 to 29) is due since", promise(DONE, late))
        fresh = late | {"dueAt": at(seconds=-1)}
        self.assertNotIn("chunk#001", promise(DONE, fresh))

    def test_a_completed_import_needs_nothing(self) -> None:
        self.assertIn("nothing is to be done", promise(finishedAt=at(minutes=-1)))


class Moments(unittest.TestCase):
    """How times are told."""

    def test_spans_have_two_units_at_most(self) -> None:
        for seconds, text in ((0, "0 s"), (59, "59 s"), (60, "1 min"), (3_660, "1 h 1 min"), (90_061, "1 d 1 h")):
            self.assertEqual(moments.span(timedelta(seconds=seconds)), text)

    def test_times_of_the_table_are_read_whatever_their_fraction(self) -> None:
        for text in ("2026-07-01T12:00:00Z", "2026-07-01T12:00:00.2Z", "2026-07-01T12:00:00.123456789Z"):
            self.assertEqual(moments.read(text), NOW)
