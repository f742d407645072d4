"""The busiest clients."""

from __future__ import annotations

import dataclasses
import unittest
import unittest.mock
from typing import Any

from infra.local.say import Problem
from infra.operate import usage
from infra.operate.options import parse
from infra.operate.tests.case import CLIENT, Sqs, output_of, stack

OTHER = "cli_0190b8f5c6f77c3ab0a1c2d3e4f50618"


class Usage(unittest.TestCase):
    """A report of the rule."""

    def output(self, report: dict[str, Any]) -> str:
        cloudwatch = unittest.mock.Mock(get_insight_rule_report=unittest.mock.Mock(return_value=report))
        of = dataclasses.replace(stack(Sqs()), cloudwatch=cloudwatch)
        text = output_of(lambda: usage.run(of, parse(["usage", "--stack-name", "tandem", "--minutes", "10"])))
        asked = cloudwatch.get_insight_rule_report.call_args.kwargs
        self.assertEqual((asked["RuleName"], asked["Period"]), ("tandem-requests-by-client", 600))
        return text

    def test_the_busiest_clients_are_listed_with_their_shares(self) -> None:
        contributors = [
            {"Keys": [CLIENT], "ApproximateAggregateValue": 900.0},
            {"Keys": [OTHER], "ApproximateAggregateValue": 100.0},
        ]
        text = self.output({"AggregateValue": 1000.0, "ApproximateUniqueCount": 2, "Contributors": contributors})
        self.assertRegex(
            text, rf"{CLIENT} +900  90.0 %\n{OTHER} +100  10.0 %\n1000 requests of 2 clients in 10 minutes"
        )

    def test_no_request_is_no_error(self) -> None:
        self.assertEqual(self.output({"Contributors": []}), "0 requests of 0 clients in 10 minutes\n")

    def test_the_emulator_has_no_report(self) -> None:
        with self.assertRaisesRegex(Problem, "no Contributor Insights"):
            usage.run(stack(Sqs()), parse(["usage", "--local"]))
