"""``redrive``: moves dead letters back to the queue that they came from, or to their function.

All letters are received before the first is sent, and no more than the queue held at the start. So each letter goes
back at most once, also if its worker returns it at once. SQS's own redrive task has no such bound: it moves a returned
letter again until it is stopped, and may run for 36 hours.

A redriven dead letter is a new message, which restarts a chunk. It has no effect if its row is done. Letters are sent
and then deleted, ten at a time. A crash between the two leaves ten messages twice, which is harmless: workers are safe
to run twice.
"""

from __future__ import annotations

import time

from infra.local.demo.text import table
from infra.local.say import say
from infra.operate import dead_letters, moments, queues, triggers
from infra.operate.dead_letters import DeadLetter
from infra.operate.options import WORK_QUEUES, Options
from infra.operate.stack import Stack

_BATCH = 10


def run(stack: Stack, options: Options) -> int:
    """Move or list the dead letters; returns 0, or 1 if some could not be moved."""
    queue = stack.queue(options.queue, dead=True)
    most = queues.count(stack, queue)
    with dead_letters.held(stack, queue, most) as letters:
        selected = [letter for letter in letters if options.only is None or letter.names(options.only)]
        if options.dry_run:
            return _list(selected, options)
        failed = _move(stack, selected, options)
    left = queues.count(stack, queue)
    if left and options.only is None:
        say(f"{_count(left)} in the queue now: left, or failed again; list them with --dry-run")
    return 1 if failed else 0


def _list(letters: list[DeadLetter], options: Options) -> int:
    now = moments.now()
    lines = [(letter.name, moments.span(now - letter.sent_at), letter.why) for letter in letters]
    if lines:
        print("\n".join(table(("row", "age", "reason"), lines, ("age",))))
    where = f"to the queue {options.queue}" if options.queue in WORK_QUEUES else "to the functions"
    print(f"{_count(len(letters))} would go back {where}; nothing was moved", flush=True)
    return 0


def _move(stack: Stack, letters: list[DeadLetter], options: Options) -> int:
    """Move the letters, and return the number of those that stay."""
    if options.queue not in WORK_QUEUES:
        return triggers.redrive(stack, letters, options)
    dead, target = stack.queue(options.queue, dead=True), stack.queue(options.queue, dead=False)
    size, moved = min(_BATCH, options.per_second or _BATCH), 0
    for start in range(0, len(letters), size):
        sent = dead_letters.send(stack, target, letters[start : start + size])
        dead_letters.delete(stack, dead, sent)
        moved += len(sent)
        for letter in sent:
            say(f"moved {letter.name}")
        if options.per_second and start + size < len(letters):
            time.sleep(size / options.per_second)
    print(f"{_count(moved)} went back to the queue {options.queue}", flush=True)
    if moved < len(letters):
        say(f"SQS rejected {_count(len(letters) - moved)}; repeat the command")
    return len(letters) - moved


def _count(number: int) -> str:
    return "1 dead letter" if number == 1 else f"{number} dead letters"
