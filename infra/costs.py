"""Prints the costs of a deployment, idle and of each flow. docs/costs.md shows the output.

    python3 -m infra.costs           # --write puts it into docs/costs.md

Counts of resources come from the templates, units of the table from docs/performance.md (`make bench-costs`), prices
from tests/bench/prices.json. The times of functions and the octets of log lines are the constants below.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.scale import DELIVERY_SECONDS, DUE_SHARDS, IMPORTED_A_SECOND, PURCHASE_SECONDS

_ROOT = Path(__file__).parent.parent
PAGE = _ROOT / "docs/costs.md"
MINUTES = 43_800
"""Of a month."""
PIECES = 1_000
MILLION, GIGABYTE = 1_000_000, 1_000_000_000

MEMORY = 0.5
"""Gigabytes of each function, as the template sets it."""
CALL_SECONDS = 0.05
"""A call of the API other than a purchase: one or two reads, and a transaction."""
RELAY_SECONDS = 0.05
SWEEP_SECONDS = 0.1
POLLS_A_MINUTE = 15
"""Of an idle queue: Lambda has five pollers, which wait 20 s each."""
QUEUE_CALLS = 3
"""Of a message: sent, received, deleted. An upper bound, since all three are done in batches."""
KEY_CALLS_AN_HOUR = 12
"""DynamoDB asks KMS for the table's key every five minutes, if there is a call."""
EMPTY_QUERY = 0.5
"""Read units of a query of an index that finds nothing."""
LINE = 400
"""Octets of the log line of a call, with the 26 that CloudWatch adds to each line."""
ACCESS_LINE = 400
METRIC_LINE = 280
DELIVERED_LINE = 170
CALLBACK_OCTETS = 2_500
"""Of a callback's request with its headers, and the TLS handshake's share."""

COST = {
    "AWS::KMS::Key",
    "AWS::SecretsManager::Secret",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::CloudWatch::InsightRule",
    "AWS::Logs::MetricFilter",
    "AWS::SQS::Queue",
    "AWS::Serverless::Function",
    "AWS::Serverless::HttpApi",
    "AWS::DynamoDB::Table",
    "AWS::Logs::LogGroup",
}
"""Types of resources that cost something, idle or by use."""
FREE = {
    "AWS::ApiGatewayV2::ApiMapping",
    "AWS::ApiGatewayV2::DomainName",
    "AWS::Budgets::Budget",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Role",
    "AWS::KMS::Alias",
    "AWS::Logs::QueryDefinition",
    "AWS::SES::ConfigurationSet",
    "AWS::SES::ConfigurationSetEventDestination",
    "AWS::SQS::QueuePolicy",
    "AWS::Scheduler::ScheduleGroup",
}


@dataclass(frozen=True)
class Counts:
    """What the templates and the code have."""

    keys: int
    secrets: int
    alarm_metrics: int
    dashboards: int
    rules: int
    metrics: int
    polled_queues: int
    schedules: int


@dataclass(frozen=True)
class Flow:
    """A piece of work, and all that it uses."""

    name: str
    reads: float
    writes: float
    calls: float = 0
    """Of the API."""
    invocations: float = 0
    seconds: float = 0
    """Of functions."""
    messages: float = 0
    log: float = 0
    """Octets."""
    events: float = 0
    """Lines that a rule of Contributor Insights counts."""
    out: float = 0
    """Octets that leave AWS."""


def idle(counts: Counts, prices: dict[str, Any]) -> list[tuple[str, float, float]]:
    """Name, count and dollars a month of each idle cost."""
    runs = counts.schedules * MINUTES
    polls = counts.polled_queues * POLLS_A_MINUTE * MINUTES
    queries = DUE_SHARDS * MINUTES
    key_calls = KEY_CALLS_AN_HOUR * MINUTES / 60
    return [
        ("encryption key", counts.keys, counts.keys * prices["keyMonth"]),
        ("secrets", counts.secrets, counts.secrets * prices["secretMonth"]),
        ("metrics of alarms", counts.alarm_metrics, counts.alarm_metrics * prices["alarmMetricMonth"]),
        ("dashboard", counts.dashboards, counts.dashboards * prices["dashboardMonth"]),
        ("rules of Contributor Insights", counts.rules, counts.rules * prices["insightRuleMonth"]),
        ("own metrics, those in use", counts.metrics, counts.metrics * prices["metricMonth"]),
        ("polls of idle queues", polls, polls / MILLION * prices["millionQueueCalls"]),
        ("ticks of the sweep's schedules", runs, runs / MILLION * prices["millionScheduledCalls"]),
        ("runs of the sweep", runs, _lambda(runs, runs * SWEEP_SECONDS, prices)),
        ("queries of the sweep", queries, queries * EMPTY_QUERY / MILLION * prices["millionReadUnits"]),
        ("calls to the key", key_calls, key_calls / MILLION * prices["millionKeyCalls"]),
    ]


def _lambda(invocations: float, seconds: float, prices: dict[str, Any]) -> float:
    memory = seconds * MEMORY / MILLION * prices["millionGigabyteSeconds"]
    return float(invocations / MILLION * prices["millionInvocations"] + memory)


PARTS = ("API", "Lambda", "table", "queues", "logs", "transfer")


def parts(flow: Flow, prices: dict[str, Any]) -> tuple[float, ...]:
    """Dollars of a thousand pieces, by part."""
    table = flow.reads * prices["millionReadUnits"] + flow.writes * prices["millionWriteUnits"]
    each = (
        flow.calls * prices["millionApiCalls"],
        _lambda(flow.invocations, flow.seconds, prices) * MILLION,
        table,
        flow.messages * QUEUE_CALLS * prices["millionQueueCalls"],
        flow.log / GIGABYTE * MILLION * prices["logGigabyte"] + flow.events * prices["millionInsightEvents"],
        flow.out / GIGABYTE * MILLION * prices["gigabyteOut"],
    )
    return tuple(part * PIECES / MILLION for part in each)


def flows(units: dict[str, tuple[float, float]], batch: float) -> list[Flow]:
    """All flows; `units` has the read and write units of each, `batch` is the number of callbacks of an invocation."""

    def called(name: str, flow: str, **more: float) -> Flow:
        usual = {"calls": 1, "invocations": 1, "seconds": CALL_SECONDS, "log": LINE + ACCESS_LINE, "events": 1}
        return Flow(name, *units[flow], **(usual | more))

    relayed = {"invocations": 2, "messages": 1}
    return [
        called(
            "purchase, two companies",
            "purchase: own and cross-client",
            **relayed,
            seconds=PURCHASE_SECONDS + RELAY_SECONDS,
            log=LINE + ACCESS_LINE + 2 * METRIC_LINE,
        ),
        Flow(
            "callback delivered",
            *units["callback, in a batch of ten"],
            invocations=1 / batch,
            seconds=DELIVERY_SECONDS / batch,
            log=DELIVERED_LINE,
            out=CALLBACK_OCTETS,
        ),
        called("voucher redeemed", "redemption of a voucher", log=LINE + ACCESS_LINE + METRIC_LINE),
        called("renewal", "renewal of a cross-client", **relayed, seconds=CALL_SECONDS + RELAY_SECONDS),
        called("refund", "refund of both positions", **relayed, seconds=CALL_SECONDS + RELAY_SECONDS),
        called("list of 20 subscriptions", "list of 20 subscriptions"),
        # A call has a thousand orders, a chunk 25.
        Flow(
            "imported order, new",
            *units["imported order, created"],
            calls=1 / 1_000,
            invocations=1 / 25,
            seconds=1 / IMPORTED_A_SECOND,
            messages=1 / 25,
            log=(LINE + METRIC_LINE) / 25,
        ),
        Flow(
            "imported order, unchanged",
            *units["imported order, unchanged"],
            calls=1 / 1_000,
            invocations=1 / 25,
            seconds=1 / IMPORTED_A_SECOND,
            messages=1 / 25,
            log=(LINE + METRIC_LINE) / 25,
        ),
    ]


FLOWS = (
    "purchase: own and cross-client",
    "callback, in a batch of ten",
    "redemption of a voucher",
    "renewal of a cross-client",
    "refund of both positions",
    "list of 20 subscriptions",
    "imported order, created",
    "imported order, unchanged",
)
"""The beginnings of their lines in docs/performance.md."""


def lines(
    counts: Counts, units: dict[str, tuple[float, float]], batch: float, stored: float, prices: dict[str, Any]
) -> Iterable[str]:
    """The output; `stored` is the octets that a purchase keeps."""
    yield f"{'idle, each month':<38}{'count':>12}{'$':>9}"
    costs = idle(counts, prices)
    for name, count, dollars in costs:
        yield f"{name:<38}{count:>12,.0f}{dollars:>9.2f}"
    yield f"{'all':<38}{'':>12}{sum(dollars for *_, dollars in costs):>9.2f}"
    yield ""
    yield f"{'a thousand of, $':<26}" + "".join(f"{part:>10}" for part in PARTS) + f"{'all':>10}"
    for flow in flows(units, batch):
        amounts = parts(flow, prices)
        yield f"{flow.name:<26}" + "".join(f"{amount:>10.4f}" for amount in (*amounts, sum(amounts)))
    yield f"{'mail':<26}{'':>60}{prices['millionMails'] * PIECES / MILLION:>10.4f}"
    yield ""
    yield "kept, $ each month"
    gigabyte = prices["gigabyteMonth"] + prices["backupGigabyteMonth"]
    yield f"{'a million purchases, with backups':<38}{stored * MILLION / GIGABYTE * gigabyte:>21.2f}"
    yield f"{'a gigabyte of logs':<38}{prices['logGigabyteMonth']:>21.2f}"


def counted(resources: list[dict[str, Any]], metrics: int) -> Counts:
    """Count the resources of both templates."""

    def of(kind: str) -> list[dict[str, Any]]:
        return [one.get("Properties", {}) for one in resources if one["Type"] == kind]

    events = [event for one in of("AWS::Serverless::Function") for event in one.get("Events", {}).values()]
    return Counts(
        keys=len(of("AWS::KMS::Key")),
        secrets=len(of("AWS::SecretsManager::Secret")),
        alarm_metrics=sum(watched(alarm) for alarm in of("AWS::CloudWatch::Alarm")),
        dashboards=len(of("AWS::CloudWatch::Dashboard")),
        rules=len(of("AWS::CloudWatch::InsightRule")),
        metrics=metrics + len(of("AWS::Logs::MetricFilter")),
        polled_queues=sum(event["Type"] == "SQS" for event in events),
        schedules=sum(event["Type"] == "ScheduleV2" for event in events),
    )


def watched(alarm: dict[str, Any]) -> int:
    """The metrics of an alarm, which are its price."""
    metrics = alarm.get("Metrics")
    if metrics is None:
        return 1
    stored = sum("MetricStat" in metric for metric in metrics)
    return stored + sum("INSIGHT_RULE_METRIC" in str(metric.get("Expression")) for metric in metrics)


def resources() -> list[dict[str, Any]]:
    """The resources of both templates."""
    from infra.local import layout, translate  # needs the environment

    templates = [translate.read(path) for path in (layout.TEMPLATE, layout.DATA)]
    return [resource for template in templates for resource in template["Resources"].values()]


def _figure(text: str, pattern: str, where: str) -> tuple[float, ...]:
    found = re.search(pattern, text)
    if not found:
        raise ValueError(f"{where} has no line like {pattern!r}; follow its change in infra/costs.py")
    return tuple(float(number) for number in found.groups())


def current() -> list[str]:
    """The output of this checkout. Raises a `ValueError` that names a line which is missing."""
    performance = (_ROOT / "docs/performance.md").read_text()
    code = (_ROOT / "shared/runtime/src/metrics.rs").read_text()
    # Once each: a function counts no zeros, so `ThrottledCalls` is in use at the throttled functions only.
    metrics = len(re.findall(r"^    \w+ of ", code, re.MULTILINE))
    if not metrics:
        raise ValueError("shared/runtime/src/metrics.rs has no metrics; follow its change in infra/costs.py")

    def units(flow: str) -> tuple[float, float]:
        pattern = rf"{re.escape(flow)}.*? [\d.]+ +([\d.]+) +([\d.]+) +[\d.]+\n"
        reads, writes = _figure(performance, pattern, "docs/performance.md")
        return reads, writes

    (batch,) = _figure(performance, r"messages of an invocation +([\d.]+)", "docs/performance.md")
    (stored,) = _figure(performance, r"\nall +(\d+)\n", "docs/performance.md")
    prices = json.loads((_ROOT / "tests/bench/prices.json").read_text())
    counts = counted(resources(), metrics)
    return list(lines(counts, {flow: units(flow) for flow in FLOWS}, batch, stored, prices))


def page(text: str, output: list[str]) -> str:
    """The page with this output in its first block."""
    head, rest = text.split("```text\n", 1)
    return f"{head}```text\n" + "\n".join(output) + "\n```" + rest.split("```", 1)[1]


def main(arguments: list[str]) -> int:
    """Print the costs, or write them into the page."""
    from infra.local import environment

    environment.ensure()
    if not environment.running_inside():
        environment.enter("infra.costs", arguments)
    output = current()
    if arguments == ["--write"]:
        PAGE.write_text(page(PAGE.read_text(), output))
    else:
        print("\n".join(output))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except ValueError as error:
        sys.exit(f"tandem: {error}")
