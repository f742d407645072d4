"""A stack with an in-memory SQS for the tests."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from infra.operate.stack import Queue, Stack

CLIENT = "cli_0190b8f5c6f77c3ab0a1c2d3e4f50617"
PROMISE = "prm_0190b8f5c6f77c3ab0a1c2d3e4f50618"
OTHER = "prm_0190b8f5c6f77c3ab0a1c2d3e4f50619"
URL = "https://sqs.example/1/"


@dataclass
class Message:
    """A message of the fake SQS."""

    id: str
    body: str
    attributes: dict[str, str]
    reason: str | None = None
    hidden: bool = False


@dataclass
class Sqs:
    """A fake SQS: a received message is hidden until its visibility is changed."""

    queues: dict[str, list[Message]] = field(default_factory=dict)
    tasks: list[dict[str, Any]] | None = None
    """The answers about a redrive task, one per call; None for an SQS without such a task."""
    started: dict[str, Any] | None = None
    numbers: Any = field(default_factory=itertools.count)

    def put(self, url: str, body: str, sent: int = 0, reason: str | None = None, **attributes: Any) -> None:
        """Put a message into a queue."""
        message = Message(f"m{next(self.numbers)}", body, {"SentTimestamp": str(sent)} | attributes, reason)
        self.queues.setdefault(url, []).append(message)

    def receive_message(self, QueueUrl: str, MaxNumberOfMessages: int, **_: Any) -> dict[str, Any]:
        """Hide and return the first visible messages."""
        seen = [message for message in self.queues.get(QueueUrl, []) if not message.hidden][:MaxNumberOfMessages]
        for message in seen:
            message.hidden = True
        return {"Messages": [_received(message) for message in seen]}

    def change_message_visibility_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> None:
        """Show messages again."""
        shown = {entry["ReceiptHandle"] for entry in Entries}
        for message in self.queues.get(QueueUrl, []):
            message.hidden = message.hidden and message.id not in shown

    def delete_message(self, QueueUrl: str, ReceiptHandle: str) -> None:
        """Delete a message."""
        self.queues[QueueUrl] = [message for message in self.queues[QueueUrl] if message.id != ReceiptHandle]

    def send_message(self, QueueUrl: str, MessageBody: str, **group: Any) -> None:
        """Accept a message, sent now."""
        self.put(QueueUrl, MessageBody, **group)

    def get_queue_attributes(self, QueueUrl: str, **_: Any) -> dict[str, Any]:
        """Count the messages and name the queue."""
        messages = self.queues.get(QueueUrl, [])
        hidden = sum(message.hidden for message in messages)
        counts = {"": len(messages) - hidden, "NotVisible": hidden, "Delayed": 0}
        attributes = {f"ApproximateNumberOfMessages{part}": str(count) for part, count in counts.items()}
        return {"Attributes": attributes | {"QueueArn": f"arn:{QueueUrl}"}}

    def start_message_move_task(self, **task: Any) -> None:
        """Start a task, if this SQS has tasks."""
        if self.tasks is None:
            raise ClientError({"Error": {"Code": "InvalidAction", "Message": ""}}, "StartMessageMoveTask")
        self.started = task

    def list_message_move_tasks(self, **_: Any) -> dict[str, Any]:
        """The next answer about the task."""
        assert self.tasks is not None
        return {"Results": [self.tasks.pop(0)]}


def _received(message: Message) -> dict[str, Any]:
    received = {"Body": message.body, "Attributes": message.attributes}
    if message.reason is not None:
        received["MessageAttributes"] = {"Reason": {"DataType": "String", "StringValue": message.reason}}
    return {"MessageId": message.id, "ReceiptHandle": message.id} | received


class CloudWatch:
    """A fake CloudWatch without data."""

    def get_metric_statistics(self, **_: Any) -> dict[str, Any]:
        """No data."""
        return {"Datapoints": []}


def stack(sqs: Sqs, dynamodb: Any = None) -> Stack:
    """A stack with the work and dead-letter queues of the template."""
    work = [Queue(kind, URL + kind, dead=False) for kind in ("callbacks", "mails", "imports")]
    dead = [Queue(kind, f"{URL}{kind}-dead", dead=True) for kind in ("callbacks", "mails", "imports", "triggers")]
    return Stack("table", (*work, *dead), sqs, dynamodb, CloudWatch())


def body(promise: str = PROMISE, chunk: int = 1) -> str:
    """The body of a message about a chunk, as shared/queue/src/message.rs writes it."""
    row = {"pk": f"{CLIENT}#{promise}", "sk": f"chunk#{chunk:03}", "tenant": CLIENT}
    return json.dumps({"v": 1, "kind": "import"} | row)


def output_of(call: Callable[[], object]) -> str:
    """The standard output of a call."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        call()
    return out.getvalue()
