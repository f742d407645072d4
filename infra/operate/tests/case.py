"""A stack with an in-memory SQS for the tests."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from infra.operate import moments
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
    target: str | None = None
    hidden: bool = False


@dataclass
class Sqs:
    """A fake SQS: a received message is hidden until its visibility is changed."""

    queues: dict[str, list[Message]] = field(default_factory=dict)
    bounces: dict[str, str] = field(default_factory=dict)
    """Queues whose worker returns each message to this dead-letter queue at once."""
    rejects: str | None = None
    """The body of a message that SQS does not accept."""
    numbers: Any = field(default_factory=itertools.count)

    def put(
        self,
        url: str,
        body: str,
        sent: int = 0,
        reason: str | None = None,
        target: str | None = None,
        **attributes: Any,
    ) -> None:
        """Put a message into a queue."""
        message = Message(f"m{next(self.numbers)}", body, {"SentTimestamp": str(sent)} | attributes, reason, target)
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

    def delete_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> None:
        """Delete messages."""
        gone = {entry["ReceiptHandle"] for entry in Entries}
        self.queues[QueueUrl] = [message for message in self.queues[QueueUrl] if message.id not in gone]

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        """Accept messages, sent now."""
        accepted = [entry for entry in Entries if entry["MessageBody"] != self.rejects]
        for entry in accepted:
            group = {name: value for name, value in entry.items() if name == "MessageGroupId"}
            sent = int(moments.now().timestamp() * 1000)
            reason = entry.get("MessageAttributes", {}).get("Reason", {}).get("StringValue")
            self.put(self.bounces.get(QueueUrl, QueueUrl), entry["MessageBody"], sent=sent, reason=reason, **group)
        return {"Successful": [{"Id": entry["Id"]} for entry in accepted]}

    def get_queue_attributes(self, QueueUrl: str, **_: Any) -> dict[str, Any]:
        """Count the messages and name the queue."""
        messages = self.queues.get(QueueUrl, [])
        hidden = sum(message.hidden for message in messages)
        counts = {"": len(messages) - hidden, "NotVisible": hidden, "Delayed": 0}
        attributes = {f"ApproximateNumberOfMessages{part}": str(count) for part, count in counts.items()}
        return {"Attributes": attributes}


def _received(message: Message) -> dict[str, Any]:
    own = {"Reason": message.reason, "TARGET_ARN": message.target}
    attributes = {name: {"DataType": "String", "StringValue": text} for name, text in own.items() if text}
    received = {"Body": message.body, "Attributes": message.attributes, "MessageAttributes": attributes}
    return {"MessageId": message.id, "ReceiptHandle": message.id} | received


@dataclass
class Functions:
    """A fake Lambda with one function, which fails on some events."""

    failing: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    def invoke(self, FunctionName: str, InvocationType: str, Payload: bytes) -> dict[str, Any]:
        """Record the event."""
        assert (FunctionName, InvocationType) == ("note-mail-events", "RequestResponse")
        event = json.loads(Payload)
        if event in self.failing:
            return {"StatusCode": 200, "FunctionError": "Unhandled"}
        self.events.append(event)
        return {"StatusCode": 200}


class CloudWatch:
    """A fake CloudWatch without data."""

    def get_metric_statistics(self, **_: Any) -> dict[str, Any]:
        """No data."""
        return {"Datapoints": []}


def stack(sqs: Sqs, dynamodb: Any = None, functions: Any = None) -> Stack:
    """A stack with the work and dead-letter queues of the template."""
    work = [Queue(kind, URL + kind, dead=False) for kind in ("callbacks", "mails", "imports")]
    kinds = ("callbacks", "mails", "imports", "triggers", "mail-events")
    dead = [Queue(kind, f"{URL}{kind}-dead", dead=True) for kind in kinds]
    return Stack("table", (*work, *dead), sqs, dynamodb, CloudWatch(), functions, "note-mail-events")


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
