"""``status``: shows queues, dead letters and due rows in two tables, and the findings."""

from __future__ import annotations

from datetime import datetime

from infra.local.demo.text import table
from infra.operate import due, moments, queues
from infra.operate.due import Due
from infra.operate.options import FAILURE_QUEUES
from infra.operate.queues import Depth
from infra.operate.stack import Stack


def run(stack: Stack) -> int:
    """Print the tables; returns 1 if a person must act, 0 if all is well."""
    now = moments.now()
    depths, rows = queues.depths(stack, now), due.rows(stack, now)
    print("\n".join([*_queue_table(depths), "", *_due_table(rows, now), ""]))
    advice = findings(depths, rows, now)
    print("\n".join(advice) or "All is well: no dead letters, and no overdue rows.", flush=True)
    return 1 if advice else 0


def findings(depths: list[Depth], rows: list[Due], now: datetime) -> list[str]:
    """The findings that a person must act on."""
    found = []
    for depth in depths:
        if depth.queue.dead and depth.all:
            letters = "1 dead letter" if depth.all == 1 else f"{depth.all} dead letters"
            found.append(f"{depth.queue.kind}: {letters}. {_next_step(depth.queue.kind)}")
    for kind in rows:
        if kind.oldest and kind.late(now):
            found.append(f"{kind.kind}: the oldest row is {_age(kind, now)} overdue; workers fail or do not keep up.")
    return found


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
    return moments.span(now - moments.read(row.oldest)) if row.oldest else "-"
