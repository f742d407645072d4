"""``redrive``: moves dead letters back to the queue that they came from.

A redriven dead letter is a new message, which restarts a chunk. It has no effect if its row is done. SQS has a task for
the move, which runs by itself once started. The emulator has no such task, and the task moves all messages: there, and
with ``--only``, they are sent and then deleted one by one. A crash between the two leaves a message twice, which is
harmless: workers are safe to run twice.
"""

from __future__ import annotations

import time
from datetime import timedelta

from botocore.exceptions import ClientError

from infra.local.demo.text import table
from infra.local.say import Problem, say
from infra.operate import dead_letters, moments, queues
from infra.operate.dead_letters import DeadLetter
from infra.operate.options import Options
from infra.operate.stack import Stack

_UNKNOWN = ("InvalidAction", "UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation")
_POLL_SECONDS = 2.0
_MOST_LISTED = 1_000
_SLACK = timedelta(seconds=5)
"""How far the clocks of this machine and of SQS may differ."""


def run(stack: Stack, options: Options) -> int:
    """Move or list the dead letters; returns 0."""
    if options.dry_run:
        return _list(stack, options)
    if options.only is None:
        task = _start_task(stack, options)
        if task:
            return _watch(stack, options, task)
        say("this SQS has no redrive task; moving the dead letters one by one")
    return _move(stack, options)


def _list(stack: Stack, options: Options) -> int:
    queue, now = stack.queue(options.queue, dead=True), moments.now()
    found = [
        dead_letter
        for dead_letter in dead_letters.all_in(stack, queue, _MOST_LISTED)
        if _selected(dead_letter, options)
    ]
    lines = [(dead_letter.name, moments.span(now - dead_letter.sent_at), dead_letter.why) for dead_letter in found]
    if lines:
        print("\n".join(table(("row", "age", "reason"), lines, ("age",))))
    print(f"{_count(len(found))} would go back to the queue {options.queue}; nothing was moved", flush=True)
    return 0


def _start_task(stack: Stack, options: Options) -> str | None:
    """Start SQS's own redrive; None if this SQS has no such task."""
    source = queues.arn(stack, stack.queue(options.queue, dead=True))
    # Explicit, because SQS does not know the source of the messages that workers moved there themselves.
    destination = queues.arn(stack, stack.queue(options.queue, dead=False))
    rate = {"MaxNumberOfMessagesPerSecond": options.per_second} if options.per_second else {}
    try:
        stack.sqs.start_message_move_task(SourceArn=source, DestinationArn=destination, **rate)
    except ClientError as error:
        if error.response["Error"]["Code"] in _UNKNOWN:
            return None
        raise
    return source


def _watch(stack: Stack, options: Options, source: str) -> int:
    """Report the progress of the task until it ends."""
    say("the redrive has started; it continues even if this command is stopped")
    shown = -1
    while True:
        task = stack.sqs.list_message_move_tasks(SourceArn=source, MaxResults=1)["Results"][0]
        moved, all = task.get("ApproximateNumberOfMessagesMoved", 0), task.get("ApproximateNumberOfMessagesToMove")
        if task["Status"] == "COMPLETED":
            print(f"{_count(moved)} went back to the queue {options.queue}", flush=True)
            return 0
        if task["Status"] != "RUNNING":
            reason = task.get("FailureReason", "no reason given")
            raise Problem(f"the redrive ended as {task['Status']} after about {_count(moved)}: {reason}")
        if moved != shown:
            say(f"moved about {moved} of {all if all is not None else 'an unknown number'}")
            shown = moved
        time.sleep(_POLL_SECONDS)


def _move(stack: Stack, options: Options) -> int:
    """Send and delete the dead letters one by one."""
    dead, target = stack.queue(options.queue, dead=True), stack.queue(options.queue, dead=False)
    begun, moved = moments.now() + _SLACK, 0
    with dead_letters.held(stack, dead) as held:
        for dead_letter in held:
            # A message sent since the start has failed again already: moving it again would loop.
            if not _selected(dead_letter, options) or dead_letter.sent_at > begun:
                continue
            # The group is the tenant; SQS shares the queue fairly between groups.
            group = {"MessageGroupId": dead_letter.group} if dead_letter.group else {}
            stack.sqs.send_message(QueueUrl=target.url, MessageBody=dead_letter.body, **group)
            dead_letters.delete(stack, dead, dead_letter)
            moved += 1
            say(f"moved {dead_letter.name}")
            if options.per_second:
                time.sleep(1 / options.per_second)
    print(f"{_count(moved)} went back to the queue {options.queue}", flush=True)
    return 0


def _selected(dead_letter: DeadLetter, options: Options) -> bool:
    return options.only is None or dead_letter.names(options.only)


def _count(number: int) -> str:
    return "1 dead letter" if number == 1 else f"{number} dead letters"
