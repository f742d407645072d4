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
"""Messages in one call, and at most 1 MiB; Tandem's messages have some hundred bytes."""


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
    target: str = ""
    """The ARN that the scheduler could not call; empty for other messages."""

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
def held(stack: Stack, queue: Queue, most: int) -> Iterator[list[DeadLetter]]:
    """Receive the dead letters of a queue, at most `most`, each once; those not deleted are visible again at the end.

    All are received before the caller handles the first, so a letter that returns to the queue is not received again.
    """
    receipts: list[str] = []
    letters: dict[str, DeadLetter] = {}
    try:
        while len(letters) < most:
            answer = stack.sqs.receive_message(
                QueueUrl=queue.url,
                MaxNumberOfMessages=min(_BATCH, most - len(letters)),
                VisibilityTimeout=HOLD,
                WaitTimeSeconds=1,  # polls all servers of the queue, not a sample
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["Reason", "TARGET_ARN"],
            )
            received = [_dead_letter(message) for message in answer.get("Messages", [])]
            receipts.extend(letter.receipt for letter in received)
            known = len(letters)
            letters.update((letter.message_id, letter) for letter in received)
            if len(letters) == known:  # the queue is empty, or the first letters are visible again
                break
        yield list(letters.values())
    finally:
        _put_back(stack, queue, receipts)


def all_in(stack: Stack, queue: Queue, most: int) -> list[DeadLetter]:
    """List the dead letters of a queue, at most `most`; they stay there."""
    with held(stack, queue, most) as letters:
        return letters


def delete(stack: Stack, queue: Queue, letters: list[DeadLetter]) -> None:
    """Delete dead letters. A letter that is not deleted stays there and may be redriven again."""
    for start in range(0, len(letters), _BATCH):
        entries = [
            {"Id": str(number), "ReceiptHandle": letter.receipt}
            for number, letter in enumerate(letters[start : start + _BATCH])
        ]
        stack.sqs.delete_message_batch(QueueUrl=queue.url, Entries=entries)


def send(stack: Stack, queue: Queue, letters: list[DeadLetter]) -> list[DeadLetter]:
    """Send up to ten dead letters to a queue, and return the letters that SQS accepted."""
    entries = [{"Id": str(number)} | _again(letter) for number, letter in enumerate(letters)]
    answer = stack.sqs.send_message_batch(QueueUrl=queue.url, Entries=entries)
    return [letters[int(sent["Id"])] for sent in answer.get("Successful", [])]


def _again(letter: DeadLetter) -> dict[str, Any]:
    """The new message of a dead letter.

    The group is the tenant; SQS shares the queue fairly between groups. A reason stays: the row of such a letter may
    not be due, so its worker does not delete the message while DynamoDB throttles the table.
    """
    group = {"MessageGroupId": letter.group} if letter.group else {}
    reason = {"Reason": {"DataType": "String", "StringValue": letter.reason}} if letter.reason else {}
    return {"MessageBody": letter.body} | group | ({"MessageAttributes": reason} if reason else {})


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
        reason=_attribute(message, "Reason"),
        pk=pk,
        sk=sk,
        target=_attribute(message, "TARGET_ARN") or "",
    )


def _attribute(message: dict[str, Any], name: str) -> str | None:
    value = message.get("MessageAttributes", {}).get(name, {}).get("StringValue")
    return None if value is None else str(value)


def _row(body: str) -> tuple[str, str, str | None]:
    try:
        content = json.loads(body)
        return str(content["pk"]), str(content["sk"]), str(content["tenant"])
    except (ValueError, KeyError, TypeError):
        return "", "", None
