"""How many messages wait in the queues, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from infra.operate import letters
from infra.operate.stack import Queue, Stack

_LOOKED_AT = 100
"""Letters that are looked at for the oldest one where CloudWatch does not know."""


@dataclass(frozen=True)
class Depth:
    """What is in a queue, about."""

    queue: Queue
    waiting: int
    in_flight: int
    delayed: int
    oldest: timedelta | None
    """How long the oldest message has waited; None if that is not known or there is none."""

    @property
    def all(self) -> int:
        """All messages."""
        return self.waiting + self.in_flight + self.delayed


def depths(stack: Stack, now: datetime) -> list[Depth]:
    """All queues of a stack."""
    return [_depth(stack, queue, now) for queue in stack.queues]


def arn(stack: Stack, queue: Queue) -> str:
    """A queue's ARN."""
    answer = stack.sqs.get_queue_attributes(QueueUrl=queue.url, AttributeNames=["QueueArn"])
    return str(answer["Attributes"]["QueueArn"])


def _depth(stack: Stack, queue: Queue, now: datetime) -> Depth:
    names = [f"ApproximateNumberOfMessages{part}" for part in ("", "NotVisible", "Delayed")]
    answer = stack.sqs.get_queue_attributes(QueueUrl=queue.url, AttributeNames=names)["Attributes"]
    waiting, in_flight, delayed = (int(answer.get(name, 0)) for name in names)
    oldest = _oldest(stack, queue, now) if waiting + in_flight else None
    return Depth(queue, waiting, in_flight, delayed, oldest)


def _oldest(stack: Stack, queue: Queue, now: datetime) -> timedelta | None:
    """CloudWatch knows it some minutes late, and not of a queue at which nothing has happened for hours.

    A dead-letter queue can be looked into then; its messages tell when they were sent first.
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
    sent = [letter.sent_at for letter in letters.all_in(stack, queue, _LOOKED_AT)]
    return now - min(sent) if sent else None
