"""Messages in a dead-letter queue, looked at and put back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from infra.operate.stack import Queue, Stack

HOLD = 600
"""Seconds for which a letter is held; it comes back by itself if nobody puts it back."""

REASONS = {
    "oversized": "the message is too long to be one of Tandem",
    "undecodable": "the message cannot be read",
    "unknown_version": "the message is of another release",
    "unknown_kind": "the message is for no worker of this queue",
    "foreign_tenant": "the message names a tenant and a row of another one",
    "unreadable_row": "its row, or one that it needs, cannot be read",
    "too_many_tries": "workers died over it again and again",
}
"""What workers write into the message attribute `Reason`."""

_BATCH = 10


@dataclass(frozen=True)
class Letter:
    """A message that a worker can never handle, or that workers failed on five times."""

    message_id: str
    receipt: str
    body: str
    group: str | None
    sent_at: datetime
    reason: str | None
    """The worker's word for why it can never be handled; None if SQS put it there after the fifth receive."""
    pk: str
    sk: str

    @property
    def readable(self) -> bool:
        """Whether it names a row."""
        return bool(self.pk)

    @property
    def name(self) -> str:
        """The row that it names."""
        return f"{self.pk} {self.sk}" if self.readable else f"message {self.message_id}, which is none of Tandem's"

    @property
    def why(self) -> str:
        """Why it is there, in words."""
        if self.reason is None:
            return "failed five times"
        return REASONS.get(self.reason, self.reason)

    def names(self, id: str) -> bool:
        """Whether it is about a callback, mail, import or client, or about exactly the row of a partition key."""
        return id == self.pk or id in self.pk.split("#")


@contextmanager
def held(stack: Stack, queue: Queue, most: int | None = None) -> Iterator[Iterator[Letter]]:
    """Letters one by one, `most` at most; those that were not deleted are put back at the end."""
    receipts: list[str] = []

    def receive() -> Iterator[Letter]:
        while most is None or len(receipts) < most:
            answer = stack.sqs.receive_message(
                QueueUrl=queue.url,
                MaxNumberOfMessages=_BATCH,
                VisibilityTimeout=HOLD,
                WaitTimeSeconds=1,  # asks all servers of the queue, not some
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["Reason"],
            )
            letters = [_letter(message) for message in answer.get("Messages", [])]
            receipts.extend(letter.receipt for letter in letters)
            if not letters:
                return
            yield from letters

    try:
        yield receive()
    finally:
        _put_back(stack, queue, receipts)


def all_in(stack: Stack, queue: Queue, most: int) -> list[Letter]:
    """The letters of a queue, `most` or a few more, which stay in it."""
    with held(stack, queue, most) as letters:
        return list(letters)


def delete(stack: Stack, queue: Queue, letter: Letter) -> None:
    """Take a letter out for good."""
    stack.sqs.delete_message(QueueUrl=queue.url, ReceiptHandle=letter.receipt)


def _put_back(stack: Stack, queue: Queue, receipts: list[str]) -> None:
    """Make letters visible again; those that were deleted meanwhile are refused one by one, which is fine."""
    for start in range(0, len(receipts), _BATCH):
        entries = [
            {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
            for number, receipt in enumerate(receipts[start : start + _BATCH])
        ]
        stack.sqs.change_message_visibility_batch(QueueUrl=queue.url, Entries=entries)


def _letter(message: dict[str, Any]) -> Letter:
    attributes = message.get("Attributes", {})
    pk, sk, tenant = _row(message["Body"])
    sent = int(attributes.get("SentTimestamp", "0")) / 1000
    return Letter(
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
