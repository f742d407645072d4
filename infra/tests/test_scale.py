"""The order in which a growing load meets the limits."""

from __future__ import annotations

import dataclasses
import re
import unittest
from pathlib import Path

from infra import scale

_ROOT = Path(__file__).parents[2]
UNITS = scale.Units(
    purchases=100,
    imported=200,
    sale_write=30,
    sale_read=10,
    callback_write=20,
    callback_read=5,
    import_write=14,
    import_read=3,
    callbacks_an_invocation=10,
    stage_rate=1_000,
    callback_workers=100,
    import_workers=20,
    purchase_workers=100,
)


class Calculating(unittest.TestCase):
    """From units to limits."""

    def test_the_load_is_the_sum_of_its_parts(self) -> None:
        self.assertEqual(UNITS.write, 100 * 50 + 200 * 14)
        self.assertEqual(UNITS.read, 100 * 15 + 200 * 3)
        self.assertEqual(UNITS.requests, 200.2)
        self.assertAlmostEqual(UNITS.concurrency, 2 * 100 * 0.08 + 10 * 0.5 + 200 / 500)

    def test_limits_come_in_the_order_in_which_they_are_met(self) -> None:
        factors = [limit.factor for limit in scale.limits(UNITS)]
        self.assertEqual(factors, sorted(factors))
        first = scale.limits(UNITS)[0]
        self.assertEqual((first.name, first.used), ("fresh table, writes", 7_800))

    def test_a_raised_setting_is_met_later(self) -> None:
        def factor(units: scale.Units) -> float:
            return next(limit.factor for limit in scale.limits(units) if limit.name == "import workers")

        self.assertEqual(factor(dataclasses.replace(UNITS, import_workers=40)), 2 * factor(UNITS))

    def test_a_load_is_shown_at_each_factor(self) -> None:
        self.assertRegex(scale.lines(UNITS)[1], r"purchases a second.* +100 +1,000 +10,000 +100,000$")


class Reading(unittest.TestCase):
    """Units come from the documents and the template."""

    def test_the_units_of_this_checkout_are_read(self) -> None:
        units = scale.current()
        for name, value in dataclasses.asdict(units).items():
            self.assertGreater(value, 0, name)

    def test_a_missing_line_is_named(self) -> None:
        with self.assertRaisesRegex(ValueError, "docs/performance.md has no line like"):
            scale.read("", "")

    def test_docs_explain_each_limit(self) -> None:
        text = (_ROOT / "docs/scale.md").read_text()
        table = text.split("## The limits")[1].split("Not in the table")[0]
        rows = set(re.findall(r"^\| ([^|]+) \| (?:setting|quota|fixed) \|", table, re.MULTILINE))
        self.assertEqual(rows, {limit.name for limit in scale.limits(UNITS)})
