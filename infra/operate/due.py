"""The outbox rows that are due: work that a worker should have begun."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from infra.operate import moments
from infra.operate.stack import Stack

SHARDS = 64
"""Partitions of the index, as in shared/store/src/outbox.rs."""
MOST_OF_A_SHARD = 2_000
"""Rows that are counted in one partition; more only say that it is many."""

LATE = timedelta(minutes=5)
"""The sweep comes each minute: what is due for longer than this is stuck, or the workers do not keep up."""


@dataclass
class Due:
    """The due rows of a kind."""

    kind: str
    rows: int = 0
    oldest: str | None = None
    """When the oldest became due."""
    cut: bool = False
    """Whether there are more than were counted."""

    def late(self, now: datetime) -> bool:
        """Whether people should look."""
        return self.oldest is not None and now - moments.read(self.oldest) > LATE


def rows(stack: Stack, now: datetime) -> list[Due]:
    """Counts what is due, by kind."""
    found = {kind: Due(kind) for kind in ("callbacks", "mails", "imports", "others")}
    until = now.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    with ThreadPoolExecutor(max_workers=8) as pool:
        shards = pool.map(lambda number: _of_shard(stack, f"due#{number:02}", until), range(SHARDS))
        for items, cut in shards:
            for item in items:
                due = found[_kind(item["sk"]["S"])]
                due.rows += 1
                due.oldest = min(due.oldest or item["dueAt"]["S"], item["dueAt"]["S"])
            for due in found.values() if cut else ():
                due.cut = True
    return [due for due in found.values() if due.rows or due.kind != "others"]


def _of_shard(stack: Stack, shard: str, until: str) -> tuple[list[dict[str, Any]], bool]:
    items: list[dict[str, Any]] = []
    after: dict[str, Any] = {}
    while len(items) < MOST_OF_A_SHARD:
        answer = stack.dynamodb.query(
            TableName=stack.table,
            IndexName="due",
            KeyConditionExpression="dueShard = :shard AND dueAt <= :until",
            ExpressionAttributeValues={":shard": {"S": shard}, ":until": {"S": until}},
            **after,
        )
        items += answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return items, False
        after = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
    return items, True


def _kind(sk: str) -> str:
    return {"callback": "callbacks", "mail": "mails"}.get(sk, "imports" if sk.startswith("chunk#") else "others")
