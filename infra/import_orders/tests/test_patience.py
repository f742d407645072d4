"""Retries and pauses, with a clock that only sleep advances."""

from __future__ import annotations

import unittest

from infra.import_orders.client import Client, Pace
from infra.import_orders.say import Refused, Stopped
from infra.import_orders.tests.tandem import KEY, Tandem, Trouble


class Patience(unittest.TestCase):
    """The client against a failing Tandem."""

    def setUp(self) -> None:
        """Begin at the end of 2020."""
        self.slept: list[float] = []
        self.bounds: list[float] = []
        self.said: list[str] = []
        self.tandem = Tandem()
        self.tandem.__enter__()
        self.addCleanup(self.tandem.__exit__)

    def post(self, *troubles: Trouble, give_up_after: float = 600) -> None:
        """Send an empty import, which is rejected in the end."""

        def uniform(least: float, most: float) -> float:
            self.bounds.append(most)
            return (least + most) / 2

        pace = Pace(
            sleep=self.slept.append,
            monotonic=lambda: sum(self.slept),
            now=lambda: 1609459200.0 - 30,
            uniform=uniform,
            give_up_after=give_up_after,
        )
        self.tandem.troubles.extend(troubles)
        client = Client(self.tandem.url, KEY, pace, self.said.append)
        self.assertEqual(client.post("/v1/imports/orders", b'{"items":[]}', "key").status, 422)

    def test_retry_after_is_honoured_in_seconds_and_as_a_date(self) -> None:
        date = "Fri, 01 Jan 2021 00:00:00 GMT"
        self.post(Trouble(429, {"Retry-After": "7"}), Trouble(503, {"Retry-After": date}))
        self.assertEqual(self.slept, [7.0, 30.0])

    def test_a_retry_after_of_zero_still_pauses(self) -> None:
        self.post(Trouble(429, {"Retry-After": "0"}), Trouble(503, {"Retry-After": "Thu, 31 Dec 2020 00:00:00 GMT"}))
        self.assertEqual(self.slept, [0.25, 0.5])

    def test_without_retry_after_the_bound_doubles_to_a_minute(self) -> None:
        codes = (429, 500, 502, 503, 504, 0, 503, 503, 503)
        self.post(*(Trouble(code) for code in codes))
        self.assertEqual(self.bounds, [0.5, 1, 2, 4, 8, 16, 32, 60, 60])
        self.assertEqual(self.slept, [bound / 2 for bound in self.bounds])

    def test_an_invalid_retry_after_is_ignored(self) -> None:
        self.post(Trouble(503, {"Retry-After": "soon"}))
        self.assertEqual(self.bounds, [0.5])

    def test_retries_end(self) -> None:
        with self.assertRaises(Stopped):
            self.post(*(Trouble(503) for _ in range(30)), give_up_after=100)
        self.assertLessEqual(sum(self.slept), 100)
        self.assertGreater(sum(self.slept), 60)

    def test_an_unauthorized_call_is_not_retried(self) -> None:
        for status in (401, 403):
            with self.assertRaises(Refused):
                self.post(Trouble(status))
        self.assertEqual(self.slept, [])
