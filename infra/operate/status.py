"""``status``: shows queues, dead letters, due rows, undelivered callbacks and endpoints in tables, and the findings."""

from __future__ import annotations

from datetime import datetime

from infra.local.demo.text import table
from infra.operate import deliveries, due, moments, queues
from infra.operate.deliveries import Deliveries
from infra.operate.due import Due
from infra.operate.options import FAILURE_QUEUES
from infra.operate.queues import Depth
from infra.operate.stack import Stack


def run(stack: Stack) -> int:
    """Print the tables; returns 1 if a person must act, 0 if all is well."""
    now = moments.now()
    depths, rows, delivery = queues.depths(stack, now), due.rows(stack, now), deliveries.measure(stack, now)
    print("\n".join([*_queue_table(depths), "", *_due_table(rows, now), "", *_delivery_tables(delivery, now), ""]))
    advice = findings(depths, rows, delivery, now)
    print("\n".join(advice) or "All is well: no dead letters, no overdue rows, no undelivered callbacks.", flush=True)
    return 1 if advice else 0


def findings(depths: list[Depth], rows: list[Due], delivery: Deliveries, now: datetime) -> list[str]:
    """The findings that a person must act on."""
    found = []
    for depth in depths:
        if depth.queue.dead and depth.all:
            letters = "1 dead letter" if depth.all == 1 else f"{depth.all} dead letters"
            found.append(f"{depth.queue.kind}: {letters}. {_next_step(depth.queue.kind)}")
    for kind in rows:
        if kind.oldest and kind.late(now):
            late = f"the oldest row is {_age(kind, now)} overdue"
            found.append(f"{kind.kind}: {late}; the sweep fails or does not keep up.")
    if delivery.undelivered:
        callbacks, clients = sum(of.all for of in delivery.undelivered), len(delivery.undelivered)
        found.append(
            f"callbacks: {callbacks}{_plus(delivery)} undelivered, of {clients} client{'s'[: clients > 1]}. Their "
            "receivers fail, or no worker runs; `why` of a connection lists them."
        )
    return found


def _plus(delivery: Deliveries) -> str:
    return "+" if any(of.cut for of in delivery.undelivered) else ""


def _delivery_tables(delivery: Deliveries, now: datetime) -> list[str]:
    """The clients with undelivered callbacks, the endpoints that are not healthy, and the rate of first attempts."""
    lines = []
    if delivery.undelivered:
        heads = ("undelivered callbacks", "waiting", "held", "exhausted", "oldest")
        cells = [
            (
                f"{of.client}{'+' if of.cut else ''}",
                str(of.waiting),
                str(of.held),
                str(of.exhausted),
                moments.span(now - moments.read(of.oldest)),
            )
            for of in delivery.undelivered
        ]
        lines += [*table(heads, cells, heads[1:]), ""]
    if delivery.endpoints:
        rows = [(of.id, of.client, of.state, moments.span(now - moments.read(of.since))) for of in delivery.endpoints]
        lines += [*table(("endpoint", "client", "state", "since"), rows, ("since",)), ""]
    return [*lines, _first_attempts(delivery)]


def _first_attempts(delivery: Deliveries) -> str:
    if not delivery.attempted:
        return "First attempts of callbacks, last day: none."
    share = 100 * delivery.at_once / delivery.attempted
    return f"First attempts of callbacks, last day: {share:.1f} % of {delivery.attempted} succeeded."


def _next_step(kind: str) -> str:
    if kind in FAILURE_QUEUES:
        return f"A trigger could not call its function. Then: python3 -m infra.operate redrive {kind}"
    return f"List them: python3 -m infra.operate redrive {kind} --dry-run"


def _queue_table(depths: list[Depth]) -> list[str]:
    heads = ("queue", "waiting", "in flight", "delayed", "oldest")
    lines = [
        (
            depth.queue.label,
            str(depth.waiting),
            str(depth.in_flight),
            str(depth.delayed),
            moments.span(depth.oldest) if depth.oldest is not None else "-",
        )
        for depth in depths
    ]
    return table(heads, lines, heads[1:])


def _due_table(rows: list[Due], now: datetime) -> list[str]:
    heads = ("rows", "due", "oldest due for", "later")
    lines = [(row.kind, str(row.rows), _age(row, now), f"{row.later}{'+' if row.cut else ''}") for row in rows]
    return table(heads, lines, heads[1:])


def _age(row: Due, now: datetime) -> str:
    return moments.span(now - row.oldest) if row.oldest else "-"
