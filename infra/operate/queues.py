"""Measures the depth and the age of the queues."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from infra.operate import dead_letters
from infra.operate.stack import Queue, Stack

_LOOKED_AT = 100
"""Dead letters received to find the oldest, where CloudWatch has no data."""


@dataclass(frozen=True)
class Depth:
    """The approximate depth of a queue."""

    queue: Queue
    waiting: int
    in_flight: int
    delayed: int
    oldest: timedelta | None
    """The age of the oldest message; None if it is unknown or the queue is empty."""

    @property
    def all(self) -> int:
        """All messages."""
        return self.waiting + self.in_flight + self.delayed


def depths(stack: Stack, now: datetime) -> list[Depth]:
    """Measure all queues of a stack."""
    return [_depth(stack, queue, now) for queue in stack.queues]


def count(stack: Stack, queue: Queue) -> int:
    """The messages of a queue, hidden ones included."""
    return sum(_counts(stack, queue))


def _counts(stack: Stack, queue: Queue) -> tuple[int, int, int]:
    names = [f"ApproximateNumberOfMessages{part}" for part in ("", "NotVisible", "Delayed")]
    answer = stack.sqs.get_queue_attributes(QueueUrl=queue.url, AttributeNames=names)["Attributes"]
    waiting, in_flight, delayed = (int(answer.get(name, 0)) for name in names)
    return waiting, in_flight, delayed


def _depth(stack: Stack, queue: Queue, now: datetime) -> Depth:
    waiting, in_flight, delayed = _counts(stack, queue)
    oldest = _oldest(stack, queue, now) if waiting + in_flight else None
    return Depth(queue, waiting, in_flight, delayed, oldest)


def _oldest(stack: Stack, queue: Queue, now: datetime) -> timedelta | None:
    """Take the age from CloudWatch, which is minutes late and has none for a queue that was idle for hours.

    For a dead-letter queue, the messages then give the time when they were first sent.
    """
    answer = stack.cloudwatch.get_metric_statistics(
        Namespace="AWS/SQS",
        MetricName="ApproximateAgeOfOldestMessage",
        Dimensions=[{"Name": "QueueName", "Value": queue.url.rpartition("/")[2]}],
        StartTime=now - timedelta(minutes=10),
        EndTime=now,
        Period=60,
        Statistics=["Maximum"],
    )
    points = sorted(answer.get("Datapoints", []), key=lambda point: point["Timestamp"])
    if points:
        return timedelta(seconds=float(points[-1]["Maximum"]))
    if not queue.dead:
        return None
    sent = [dead_letter.sent_at for dead_letter in dead_letters.all_in(stack, queue, _LOOKED_AT)]
    return now - min(sent) if sent else None
