"""Reads the messages of a dead-letter queue, and puts them back or deletes them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from infra.operate.stack import Queue, Stack

HOLD = 600
"""Seconds for which a received dead letter is hidden; it reappears by itself after that."""

REASONS = {
    "oversized": "the message is too long to be Tandem's",
    "undecodable": "the message cannot be decoded",
    "unknown_version": "the message is from another release",
    "unknown_kind": "no worker of this queue handles this kind of message",
    "foreign_tenant": "the message names a tenant and a row of another tenant",
    "unreadable_row": "its row, or a row that it needs, is corrupt",
    "too_many_tries": "workers died repeatedly while handling it",
}
"""The values of the message attribute `Reason`, which workers write."""

_BATCH = 10


@dataclass(frozen=True)
class DeadLetter:
    """A message that no worker can ever handle, or that failed five times."""

    message_id: str
    receipt: str
    body: str
    group: str | None
    sent_at: datetime
    reason: str | None
    """The reason that the worker gave; None if SQS moved the message there after the fifth receive."""
    pk: str
    sk: str

    @property
    def readable(self) -> bool:
        """Whether the message names a row."""
        return bool(self.pk)

    @property
    def name(self) -> str:
        """The row that the message names."""
        return f"{self.pk} {self.sk}" if self.readable else f"message {self.message_id}, which is not Tandem's"

    @property
    def why(self) -> str:
        """The reason, in words."""
        if self.reason is None:
            return "failed five times"
        return REASONS.get(self.reason, self.reason)

    def names(self, id: str) -> bool:
        """Whether the message concerns this callback, mail, import or client, or this partition key."""
        return id == self.pk or id in self.pk.split("#")


@contextmanager
def held(stack: Stack, queue: Queue, most: int | None = None) -> Iterator[Iterator[DeadLetter]]:
    """Receive dead letters one by one, up to `most`; those not deleted become visible again at the end."""
    receipts: list[str] = []

    def receive() -> Iterator[DeadLetter]:
        while most is None or len(receipts) < most:
            answer = stack.sqs.receive_message(
                QueueUrl=queue.url,
                MaxNumberOfMessages=_BATCH,
                VisibilityTimeout=HOLD,
                WaitTimeSeconds=1,  # polls all servers of the queue, not a sample
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["Reason"],
            )
            received = [_dead_letter(message) for message in answer.get("Messages", [])]
            receipts.extend(dead_letter.receipt for dead_letter in received)
            if not received:
                return
            yield from received

    try:
        yield receive()
    finally:
        _put_back(stack, queue, receipts)


def all_in(stack: Stack, queue: Queue, most: int) -> list[DeadLetter]:
    """List the dead letters of a queue, `most` or a few more; they stay there."""
    with held(stack, queue, most) as received:
        return list(received)


def delete(stack: Stack, queue: Queue, dead_letter: DeadLetter) -> None:
    """Delete a dead letter."""
    stack.sqs.delete_message(QueueUrl=queue.url, ReceiptHandle=dead_letter.receipt)


def _put_back(stack: Stack, queue: Queue, receipts: list[str]) -> None:
    """Make dead letters visible again; SQS rejects the deleted ones one by one, which is harmless."""
    for start in range(0, len(receipts), _BATCH):
        entries = [
            {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
            for number, receipt in enumerate(receipts[start : start + _BATCH])
        ]
        stack.sqs.change_message_visibility_batch(QueueUrl=queue.url, Entries=entries)


def _dead_letter(message: dict[str, Any]) -> DeadLetter:
    attributes = message.get("Attributes", {})
    pk, sk, tenant = _row(message["Body"])
    sent = int(attributes.get("SentTimestamp", "0")) / 1000
    return DeadLetter(
        message_id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        body=message["Body"],
        group=attributes.get("MessageGroupId") or tenant,
        sent_at=datetime.fromtimestamp(sent, timezone.utc),
        reason=message.get("MessageAttributes", {}).get("Reason", {}).get("StringValue"),
        pk=pk,
        sk=sk,
    )


def _row(body: str) -> tuple[str, str, str | None]:
    try:
        content = json.loads(body)
        return str(content["pk"]), str(content["sk"]), str(content["tenant"])
    except (ValueError, KeyError, TypeError):
        return "", "", None
