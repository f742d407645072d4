"""Counts the unfinished outbox rows: those that are due, and those for later."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from infra.operate import moments
from infra.operate.stack import Stack

SHARDS = 64
"""Partitions of the index, as in shared/store/src/index_values.rs."""
MAX_OF_A_SHARD = 2_000
"""Rows counted in one partition; the count is cut off there."""

LATE = timedelta(minutes=5)
"""The sweep runs each minute and hands each due row to a queue: if a row waits longer, the sweep does not keep up."""


@dataclass
class Due:
    """The unfinished rows of a kind."""

    kind: str
    rows: int = 0
    """How many are due."""
    later: int = 0
    """How many are in a queue or with a worker, or wait for their next attempt."""
    oldest: datetime | None = None
    """When the oldest became due."""
    cut: bool = False
    """Whether the count was cut off."""

    def count(self, sweep_at: datetime, now: datetime) -> None:
        """Count a row."""
        if sweep_at > now:
            self.later += 1
            return
        self.rows += 1
        self.oldest = min(self.oldest or sweep_at, sweep_at)

    def late(self, now: datetime) -> bool:
        """Whether a person should check."""
        return self.oldest is not None and now - self.oldest > LATE


def rows(stack: Stack, now: datetime) -> list[Due]:
    """Count the unfinished rows by kind."""
    found = {kind: Due(kind) for kind in ("callbacks", "mails", "imports", "others")}
    with ThreadPoolExecutor(max_workers=8) as pool:
        shards = pool.map(lambda number: _of_shard(stack, f"due#{number:02}"), range(SHARDS))
        for items, cut in shards:
            for item in items:
                found[_kind(item["sk"]["S"])].count(moments.of_milliseconds(item["sweepAt"]["N"]), now)
            for due in found.values() if cut else ():
                due.cut = True
    return [due for due in found.values() if due.rows or due.later or due.kind != "others"]


def _of_shard(stack: Stack, shard: str) -> tuple[list[dict[str, Any]], bool]:
    items: list[dict[str, Any]] = []
    after: dict[str, Any] = {}
    while len(items) < MAX_OF_A_SHARD:
        answer = stack.dynamodb.query(
            TableName=stack.table,
            IndexName="due",
            KeyConditionExpression="dueShard = :shard",
            ExpressionAttributeValues={":shard": {"S": shard}},
            **after,
        )
        items += answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return items, False
        after = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
    return items, True


def _kind(sk: str) -> str:
    if sk.startswith("chunk#"):
        return "imports"
    return {"callback": "callbacks", "replay": "callbacks", "mail": "mails"}.get(sk, "others")
