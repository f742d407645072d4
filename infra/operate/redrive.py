"""``redrive``: gives dead letters back to the queue they came from.

A letter that comes back is a new message, which is what begins a chunk anew that was put aside. A letter whose row was
done meanwhile does nothing. SQS has a task for it, which goes on by itself once it is started;
where there is none (the emulator), or where only some letters are meant, they are moved one by one: sent, then
deleted. What ends this program between the two leaves a letter twice, which changes nothing: workers are safe to run
twice.
"""

from __future__ import annotations

import time
from datetime import timedelta

from botocore.exceptions import ClientError

from infra.local.demo.text import table
from infra.local.say import Problem, say
from infra.operate import letters, moments, queues
from infra.operate.letters import Letter
from infra.operate.options import Options
from infra.operate.stack import Stack

_UNKNOWN = ("InvalidAction", "UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation")
_POLL_SECONDS = 2.0
_MOST_LISTED = 1_000
_SLACK = timedelta(seconds=5)
"""How far the clocks of this machine and of SQS may differ."""


def run(stack: Stack, options: Options) -> int:
    """Move them, or list them; gives 0."""
    if options.dry_run:
        return _list(stack, options)
    if options.only is None:
        task = _start_task(stack, options)
        if task:
            return _watch(stack, options, task)
        say("this SQS has no redrive task; moving the letters one by one")
    return _move(stack, options)


def _list(stack: Stack, options: Options) -> int:
    queue, now = stack.queue(options.queue, dead=True), moments.now()
    found = [letter for letter in letters.all_in(stack, queue, _MOST_LISTED) if _meant(letter, options)]
    lines = [(letter.name, moments.span(now - letter.sent_at), letter.why) for letter in found]
    if lines:
        print("\n".join(table(("names", "sent, ago", "why"), lines, ("sent, ago",))))
    print(f"{_count(len(found))} would go back to the queue {options.queue}; nothing was moved", flush=True)
    return 0


def _start_task(stack: Stack, options: Options) -> str | None:
    """Start SQS's own redrive; None if this SQS has none."""
    source = queues.arn(stack, stack.queue(options.queue, dead=True))
    # Named, because SQS knows no source of the letters that workers put there themselves.
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
    """Tell how far the task is, until it ends."""
    say("the redrive is started; it goes on by itself, also if this command is stopped")
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
    """Send and delete, letter by letter."""
    dead, target = stack.queue(options.queue, dead=True), stack.queue(options.queue, dead=False)
    begun, moved = moments.now() + _SLACK, 0
    with letters.held(stack, dead) as held:
        for letter in held:
            # One that was sent since has come back from its workers already: it is not to go round in circles.
            if not _meant(letter, options) or letter.sent_at > begun:
                continue
            # The group is the tenant, by which tenants share the queue fairly.
            group = {"MessageGroupId": letter.group} if letter.group else {}
            stack.sqs.send_message(QueueUrl=target.url, MessageBody=letter.body, **group)
            letters.delete(stack, dead, letter)
            moved += 1
            say(f"moved {letter.name}")
            if options.per_second:
                time.sleep(1 / options.per_second)
    print(f"{_count(moved)} went back to the queue {options.queue}", flush=True)
    return 0


def _meant(letter: Letter, options: Options) -> bool:
    return options.only is None or letter.names(options.only)


def _count(letters: int) -> str:
    return "1 letter" if letters == 1 else f"{letters} letters"
