"""``usage``: the clients that send the most requests, from the access log's rule of Contributor Insights."""

from __future__ import annotations

from datetime import timedelta

from infra.local.demo.text import table
from infra.local.say import Problem
from infra.operate import moments
from infra.operate.options import Options
from infra.operate.stack import Stack

MOST = 10


def run(stack: Stack, options: Options) -> int:
    """Print the busiest clients of the last minutes."""
    if not options.stack_name:
        raise Problem("the emulator has no Contributor Insights; name a stack by --stack-name")
    now = moments.now()
    report = stack.cloudwatch.get_insight_rule_report(
        RuleName=f"{options.stack_name}-requests-by-client",
        StartTime=now - timedelta(minutes=options.minutes),
        EndTime=now,
        Period=60 * options.minutes,
        MaxContributorCount=MOST,
        OrderBy="Sum",
    )
    every = report.get("AggregateValue", 0.0)
    rows = [
        (
            one["Keys"][0],
            f"{one['ApproximateAggregateValue']:.0f}",
            f"{100 * one['ApproximateAggregateValue'] / every:.1f} %",
        )
        for one in report.get("Contributors", [])
    ]
    if rows:
        print("\n".join(table(("client", "requests", "share"), rows, ("requests", "share"))))
    clients = report.get("ApproximateUniqueCount", 0)
    print(f"{every:.0f} requests of {clients} clients in {options.minutes} minutes", flush=True)
    return 0
