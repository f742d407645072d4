"""Redrives the events that a trigger could not deliver to its function.

A mail event is delivered to ``note-mail-events``, which records it at most once. A failed batch of the stream and a
failed tick of the schedule are deleted, because the sweep finds their rows; but only if no row is overdue.
"""

from __future__ import annotations

import json
import time
from typing import Any

from infra.local.say import Problem, say
from infra.operate import dead_letters, due, moments
from infra.operate.dead_letters import DeadLetter
from infra.operate.options import Options
from infra.operate.stack import Stack

SWEEP = "sweep-outbox"


def redrive(stack: Stack, letters: list[DeadLetter], options: Options) -> int:
    """Deliver or delete the letters, and return the number of those that stay."""
    queue = stack.queue(options.queue, dead=True)
    mails = [(letter, event) for letter in letters if (event := mail_event(letter)) is not None]
    repaired = [letter for letter in letters if repaired_by_sweep(letter)]
    if repaired:
        _require_a_working_sweep(stack)
        dead_letters.delete(stack, queue, repaired)
        print(f"{_count(len(repaired))} of the stream or the schedule deleted; no row is overdue", flush=True)
    delivered = 0
    for letter, event in mails:
        if _delivered(stack, event):
            dead_letters.delete(stack, queue, [letter])
            delivered += 1
        if options.per_second:
            time.sleep(1 / options.per_second)
    if mails:
        print(f"{delivered} of {_count(len(mails))} of mails went to note-mail-events", flush=True)
    unknown = len(letters) - len(mails) - len(repaired)
    if unknown:
        say(f"{_count(unknown)} unknown; read with `aws sqs receive-message`")
    if not letters:
        print("the queue is empty", flush=True)
    return unknown + len(mails) - delivered


def mail_event(letter: DeadLetter) -> dict[str, Any] | None:
    """The event of the mail service: sent by the rule as it is, or by Lambda in a record of the failed call."""
    body = _json(letter.body)
    for event in (body, body.get("requestPayload")):
        if isinstance(event, dict) and event.get("source") == "aws.ses":
            return event
    return None


def repaired_by_sweep(letter: DeadLetter) -> bool:
    """Whether the letter is a batch of the stream, or a tick of the schedule."""
    body = _json(letter.body)
    if "DDBStreamBatchInfo" in body:
        return True
    context = body.get("requestContext")
    called = str(context.get("functionArn", "")) if isinstance(context, dict) else ""
    # Lambda names the function in the record, and the scheduler in an attribute.
    return any(SWEEP in arn for arn in (called, letter.target))


def _require_a_working_sweep(stack: Stack) -> None:
    now = moments.now()
    late = [rows.kind for rows in due.rows(stack, now) if rows.late(now)]
    if late:
        raise Problem(f"rows of {', '.join(late)} are overdue; nothing was deleted. Fix the sweep first, see `status`")


def _delivered(stack: Stack, event: dict[str, Any]) -> bool:
    answer = stack.functions.invoke(
        FunctionName=stack.note_mail_events, InvocationType="RequestResponse", Payload=json.dumps(event).encode()
    )
    if answer.get("FunctionError"):
        say("note-mail-events failed on an event, which stays in the queue; read the function's log")
        return False
    return True


def _json(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _count(number: int) -> str:
    return "1 event" if number == 1 else f"{number} events"
