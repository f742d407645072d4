"""Undelivered callbacks, endpoints that are not healthy, and first attempts."""

from __future__ import annotations

import unittest
import unittest.mock
from datetime import timedelta
from typing import Any

from infra.operate import deliveries, keys, moments, status
from infra.operate.tests import sale
from infra.operate.tests.case import Sqs, output_of, stack
from infra.operate.tests.sale import CONNECTION, SELLER, SOURCE
from infra.operate.tests.table import Table, golden

NOW = sale.AT + timedelta(hours=1)


def at(**ago: float) -> str:
    """A time of the table, so long ago."""
    return (NOW - timedelta(**ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Case(unittest.TestCase):
    """A table with two contracting companies."""

    def setUp(self) -> None:
        """No callbacks."""
        self.table = Table()
        sale.tenants(self.table)
        self.number = 0

    def put(self, name: str, times: int = 1, **changed: Any) -> None:
        """Store some callbacks of one form."""
        for _ in range(times):
            self.number += 1
            sale.callback(self.table, name, sale.id_of("cbk", self.number), **{"createdAt": at(hours=1)} | changed)

    def measure(self) -> deliveries.Deliveries:
        """Measure now."""
        return deliveries.measure(stack(Sqs(), self.table), NOW)

    def status(self) -> tuple[int, str]:
        """The exit status and the output of `status`."""
        code = []
        with unittest.mock.patch.object(moments, "now", return_value=NOW):
            output = output_of(lambda: code.append(status.run(stack(Sqs(), self.table))))
        return code[0], output


class Undelivered(Case):
    """Callbacks that should have arrived."""

    def test_undelivered_callbacks_are_not_well(self) -> None:
        self.put("callback_delivered", attempts=1, times=3)
        self.assertEqual(self.status()[0], 0)
        self.put("callback_postponed", times=149, createdAt=at(hours=3))
        self.put("callback_held")
        self.put("callback_exhausted")
        code, output = self.status()
        self.assertEqual(code, 1)
        self.assertRegex(output, rf"{SOURCE} +149 +1 +1 +3 h\n")
        self.assertIn("callbacks: 151 undelivered, of 1 client.", output)
        self.assertNotIn("All is well", output)

    def test_a_callback_is_undelivered_once_it_failed_or_waits(self) -> None:
        for name, attempts, age, expected in (
            ("waiting", 0, 1, False),
            ("waiting", 0, 6, True),
            ("waiting", 1, 1, True),
            ("in_flight", 1, 1, False),
            ("in_flight", 1, 6, True),
            ("in_flight", 2, 1, True),
            ("postponed", 0, 1, True),
            ("held", 0, 1, True),
            ("exhausted", 10, 1, True),
            ("delivered", 3, 9, False),
        ):
            row = golden(f"callback_{name}", attempts=attempts, createdAt=at(minutes=age))
            self.assertEqual(deliveries.is_undelivered(row, NOW), expected, (name, attempts, age))

    def test_a_week_and_the_newest_callbacks_are_looked_at(self) -> None:
        old = keys.first_id("cbk", NOW - timedelta(days=8))
        sale.callback(self.table, "callback_held", old)
        self.assertEqual(self.measure().undelivered, [])
        self.put("callback_held", times=5)
        with unittest.mock.patch.object(deliveries, "MAX_OF_A_CLIENT", 3):
            (found,) = self.measure().undelivered
            self.assertEqual((found.held, found.cut), (3, True))
            self.assertIn("callbacks: 3+ undelivered", self.status()[1])


class FirstAttempts(Case):
    """The share of callbacks that arrive at the first attempt."""

    def test_only_callbacks_whose_first_attempt_ended_count(self) -> None:
        self.assertIn("First attempts of callbacks, last day: none.", self.status()[1])
        self.put("callback_delivered", attempts=1, times=2)
        self.put("callback_delivered", attempts=2)
        self.put("callback_waiting", attempts=1)
        self.put("callback_waiting", attempts=0)
        self.put("callback_in_flight", attempts=1)
        self.put("callback_delivered", attempts=1, createdAt=at(hours=25))
        measured = self.measure()
        self.assertEqual((measured.at_once, measured.attempted), (2, 4))
        self.assertIn("last day: 50.0 % of 4 succeeded.", self.status()[1])


class Endpoints(Case):
    """Endpoints that fail, are paused or are disabled."""

    def test_each_state_of_an_endpoint_is_shown(self) -> None:
        other = CONNECTION[:-1] + "5"
        for id in (CONNECTION, other):
            self.table.put(id, "connection", {"id": id}, gsi1pk=keys.SOURCE_OF.format(SOURCE), gsisk=id)
        until = {"is": "open", "until": (NOW + timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")}
        row = golden("endpoint_open", failingSince=at(hours=2), circuit=until)
        self.table.put(CONNECTION, "endpoint", row)
        self.table.put(other, "endpoint", golden("endpoint_closed", failingSince=at(minutes=1)))
        self.table.put(SELLER, "endpoint", golden("endpoint_gone", disabledAt=at(days=1)))
        states = {(of.id, of.client): of.state for of in self.measure().endpoints}
        expected = {(CONNECTION, SOURCE): "paused for 5 min", (other, SOURCE): "failing", (SELLER, SELLER): "disabled"}
        self.assertEqual(states, expected)
        self.assertRegex(self.status()[1], rf"{CONNECTION} +{SOURCE} +paused for 5 min +2 h\n")
        row["circuit"] = {"is": "probing", "until": at(seconds=1)}
        self.table.items[-3]["circuit"] = row["circuit"]
        self.assertIn("paused, a callback may probe it", self.status()[1])
