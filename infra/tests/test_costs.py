"""The costs of a deployment, and the page that shows them."""

from __future__ import annotations

import json
import re
import unittest
from pathlib import Path
from typing import Any

from infra import costs
from infra.costs import Counts, Flow

_ROOT = Path(__file__).parents[2]
PRICES = json.loads((_ROOT / "tests/bench/prices.json").read_text())
COUNTS = Counts(keys=1, secrets=2, alarm_metrics=50, dashboards=1, rules=1, metrics=13, polled_queues=3, schedules=8)


def alarm(*metrics: dict[str, Any]) -> dict[str, Any]:
    """An alarm with metric math, or a plain one."""
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Metrics": list(metrics)} if metrics else {}}


class Calculating(unittest.TestCase):
    """From counts and prices to dollars."""

    def test_idle_costs_are_counts_times_prices(self) -> None:
        found = {name: (count, dollars) for name, count, dollars in costs.idle(COUNTS, PRICES)}
        self.assertEqual(found["secrets"], (2, 0.8))
        self.assertEqual(found["metrics of alarms"], (50, 5.0))
        self.assertAlmostEqual(found["ticks of the sweep's schedules"][1], 8 * 43_800 / 1e6)

    def test_a_double_price_doubles_its_part_only(self) -> None:
        flow = Flow("sale", reads=8, writes=26, calls=1, invocations=2, seconds=0.1, messages=1, log=800, out=100)
        before, after = costs.parts(flow, PRICES), costs.parts(flow, PRICES | {"millionQueueCalls": 0.8})
        changed = [name for name, old, new in zip(costs.PARTS, before, after, strict=True) if old != new]
        self.assertEqual(changed, ["queues"])
        self.assertEqual(after[3], 2 * before[3])

    def test_the_table_costs_what_the_benchmark_prints(self) -> None:
        """`make bench-costs` prints 17.25 dollars for a million purchases of 8 and 26 units."""
        table = costs.parts(Flow("sale", reads=8, writes=26), PRICES)[costs.PARTS.index("table")]
        self.assertAlmostEqual(table * 1_000, 17.25)

    def test_an_alarm_costs_as_many_metrics_as_it_reads(self) -> None:
        stat: dict[str, Any] = {"MetricStat": {}}
        for metrics, expected in (((), 1), (({"Expression": "a + b"}, stat, stat), 2)):
            self.assertEqual(costs.watched(alarm(*metrics)["Properties"]), expected)
        rule = {"Expression": {"Fn::Sub": "INSIGHT_RULE_METRIC('${R}', 'MaxContributorValue')"}}
        self.assertEqual(costs.watched(alarm(rule)["Properties"]), 1)


class Reading(unittest.TestCase):
    """Counts come from the templates, units from the documents."""

    def test_every_type_of_resource_has_a_cost_or_is_free(self) -> None:
        kinds = {resource["Type"] for resource in costs.resources()}
        self.assertEqual(kinds - costs.COST - costs.FREE, set(), "add them to COST or FREE in infra/costs.py")
        self.assertEqual((costs.COST | costs.FREE) - kinds, set(), "no template has these")

    def test_the_page_shows_the_output(self) -> None:
        text = costs.PAGE.read_text()
        self.assertEqual(costs.page(text, costs.current()), text, "run `python3 -m infra.costs --write`")

    def test_each_flow_of_the_output_is_counted(self) -> None:
        names = {flow.name for flow in costs.flows(dict.fromkeys(costs.FLOWS, (1.0, 1.0)), 8)}
        self.assertEqual(len(names), len(costs.FLOWS))

    def test_the_page_explains_each_constant(self) -> None:
        constants = set(re.findall(r"^([A-Z_]+) = [\d._]+$", (_ROOT / "infra/costs.py").read_text(), re.MULTILINE))
        shown = set(re.findall(r"`([A-Z_]+)`", costs.PAGE.read_text()))
        self.assertEqual(constants - shown, {"MINUTES", "PIECES"})
