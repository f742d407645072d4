"""Redriving events that a trigger could not deliver."""

from __future__ import annotations

import contextlib
import io
import json
import unittest
from datetime import timedelta
from pathlib import Path
from typing import Any

from infra.local.say import Problem
from infra.operate import moments, redrive
from infra.operate.options import Options
from infra.operate.tests.case import URL, Functions, Sqs, body, output_of, stack

BOUNCE = {"source": "aws.ses", "detail-type": "Email Bounced", "detail": {"eventType": "Bounce"}}
COMPLAINT = {"source": "aws.ses", "detail-type": "Email Complaint Received", "detail": {"eventType": "Complaint"}}
SWEEP = "arn:aws:lambda:eu-central-1:1:function:tandem-sweep-outbox"
STREAM = {"requestContext": {"functionArn": "arn:relay-outbox"}, "DDBStreamBatchInfo": {"shardId": "shardId-1"}}


def failed_call(function: str, payload: Any) -> dict[str, Any]:
    """The record of a failed asynchronous call, as Lambda writes it."""
    return {"requestContext": {"functionArn": function, "condition": "RetriesExhausted"}, "requestPayload": payload}


class Table:
    """A table whose only due row is due since `due`."""

    def __init__(self, due: str | None = None) -> None:
        self.due = due

    def query(self, **asked: Any) -> dict[str, Any]:
        if self.due is None or asked["ExpressionAttributeValues"][":shard"]["S"] != "due#00":
            return {"Items": []}
        sweep_at = int(moments.read(self.due).timestamp() * 1000)
        return {"Items": [{"pk": {"S": "a"}, "sk": {"S": "mail"}, "sweepAt": {"N": str(sweep_at)}}]}


class Triggers(unittest.TestCase):
    """Events in the two queues of failures."""

    def setUp(self) -> None:
        self.sqs, self.functions = Sqs(), Functions()
        quiet = contextlib.redirect_stderr(io.StringIO())
        quiet.__enter__()
        self.addCleanup(quiet.__exit__, None, None, None)

    def put(self, kind: str, *events: Any, target: str | None = None) -> None:
        for event in events:
            self.sqs.put(f"{URL}{kind}-dead", json.dumps(event), target=target)

    def left(self, kind: str) -> list[Any]:
        return [json.loads(message.body) for message in self.sqs.queues[f"{URL}{kind}-dead"] if not message.hidden]

    def redrive(self, kind: str, table: Table | None = None) -> tuple[str, int]:
        options = Options("redrive", None, Path("stack.json"), queue=kind)
        target, codes = stack(self.sqs, table or Table(), self.functions), []
        output = output_of(lambda: codes.append(redrive.run(target, options)))
        return output, codes[0]

    def test_mail_events_are_delivered_in_both_forms(self) -> None:
        self.put("mail-events", BOUNCE, failed_call("arn:note-mail-events", COMPLAINT))
        output, code = self.redrive("mail-events")
        self.assertEqual((output, code), ("2 of 2 events of mails went to note-mail-events\n", 0))
        self.assertEqual(self.functions.events, [BOUNCE, COMPLAINT])
        self.assertEqual(self.left("mail-events"), [])

    def test_an_event_that_fails_again_stays(self) -> None:
        self.put("mail-events", BOUNCE, COMPLAINT)
        self.functions.failing = [BOUNCE]
        output, code = self.redrive("mail-events")
        self.assertEqual((output, code), ("1 of 2 events of mails went to note-mail-events\n", 1))
        self.assertEqual(self.left("mail-events"), [BOUNCE])

    def test_failed_batches_and_ticks_are_deleted(self) -> None:
        self.put("triggers", STREAM, failed_call(SWEEP, {}))
        self.put("triggers", {}, target=SWEEP)
        output, code = self.redrive("triggers")
        self.assertEqual((output, code), ("3 events of the stream or the schedule deleted; no row is overdue\n", 0))
        self.assertEqual(self.left("triggers"), [])

    def test_nothing_is_deleted_while_rows_are_overdue(self) -> None:
        self.put("triggers", STREAM)
        since = (moments.now() - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        with self.assertRaisesRegex(Problem, "rows of mails are overdue; nothing was deleted"):
            self.redrive("triggers", Table(since))
        self.assertEqual(self.left("triggers"), [STREAM])

    def test_a_bounce_among_failed_batches_is_delivered(self) -> None:
        self.put("triggers", STREAM, BOUNCE)
        self.redrive("triggers")
        self.assertEqual((self.functions.events, self.left("triggers")), ([BOUNCE], []))

    def test_unknown_messages_stay(self) -> None:
        foreign = [{"hello": "world"}, [], "text", json.loads(body())]
        self.put("triggers", *foreign)
        output, code = self.redrive("triggers")
        self.assertEqual((output, code, self.left("triggers")), ("", 1, foreign))
