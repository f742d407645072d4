"""Listing and redriving dead letters."""

from __future__ import annotations

import contextlib
import io
import unittest
import unittest.mock
from pathlib import Path
from typing import Any

from infra.local.say import Problem
from infra.operate import dead_letters, moments, redrive
from infra.operate.options import Options
from infra.operate.tests.case import CLIENT, OTHER, PROMISE, URL, Sqs, body, output_of, stack

DEAD, WORK = f"{URL}imports-dead", f"{URL}imports"


def options(**more: Any) -> Options:
    """A redrive of imports."""
    return Options(command="redrive", stack_name=None, description=Path("stack.json"), queue="imports", **more)


class Redriving(unittest.TestCase):
    """Two dead letters of two imports."""

    def setUp(self) -> None:
        self.sqs = Sqs()
        self.sqs.put(DEAD, body(PROMISE), MessageGroupId=CLIENT)
        self.sqs.put(DEAD, body(OTHER))
        quiet = contextlib.redirect_stderr(io.StringIO())
        quiet.__enter__()
        self.addCleanup(quiet.__exit__, None, None, None)

    def bodies(self, url: str) -> list[str]:
        return [message.body for message in self.sqs.queues.get(url, []) if not message.hidden]

    def test_without_a_task_messages_move_with_their_group(self) -> None:
        output = output_of(lambda: redrive.run(stack(self.sqs), options()))
        self.assertEqual(output, "2 dead letters went back to the queue imports\n")
        self.assertEqual(self.bodies(WORK), [body(PROMISE), body(OTHER)])
        self.assertEqual([m.attributes["MessageGroupId"] for m in self.sqs.queues[WORK]], [CLIENT, CLIENT])
        self.assertEqual(self.sqs.queues[DEAD], [])

    def test_only_moves_the_named_dead_letters(self) -> None:
        self.sqs.tasks = []  # a task would move all
        output = output_of(lambda: redrive.run(stack(self.sqs), options(only=OTHER)))
        self.assertEqual(output, "1 dead letter went back to the queue imports\n")
        self.assertEqual((self.bodies(WORK), self.bodies(DEAD)), ([body(OTHER)], [body(PROMISE)]))
        self.assertIsNone(self.sqs.started)

    def test_a_client_id_selects_all_its_dead_letters(self) -> None:
        output_of(lambda: redrive.run(stack(self.sqs), options(only=CLIENT)))
        self.assertEqual(len(self.bodies(WORK)), 2)

    def test_a_dry_run_lists_and_moves_nothing(self) -> None:
        self.sqs.put(DEAD, "no json", reason="undecodable")
        output = output_of(lambda: redrive.run(stack(self.sqs), options(dry_run=True)))
        self.assertRegex(output, "which is not Tandem's .* the message cannot be decoded")
        self.assertRegex(output, f"{PROMISE} chunk#001 .* failed five times")
        self.assertIn(f"{CLIENT}#{PROMISE} chunk#001", output)
        self.assertIn("message m2, which is not Tandem's", output)
        self.assertIn("3 dead letters would go back to the queue imports; nothing was moved", output)
        self.assertEqual((len(self.bodies(DEAD)), self.bodies(WORK)), (3, []))

    def test_a_message_that_failed_again_meanwhile_is_not_moved(self) -> None:
        later = int(moments.now().timestamp() * 1000) + 60_000
        self.sqs.put(DEAD, body(PROMISE, chunk=2), sent=later)
        output_of(lambda: redrive.run(stack(self.sqs), options()))
        self.assertEqual(self.bodies(DEAD), [body(PROMISE, chunk=2)])

    def test_after_a_crash_the_rest_is_visible_again(self) -> None:
        with unittest.mock.patch.object(self.sqs, "send_message", side_effect=KeyboardInterrupt):
            self.assertRaises(KeyboardInterrupt, lambda: redrive.run(stack(self.sqs), options()))
        self.assertEqual(len(self.bodies(DEAD)), 2)

    def test_the_task_of_sqs_is_followed_to_its_end(self) -> None:
        self.sqs.tasks = [
            {"Status": "RUNNING", "ApproximateNumberOfMessagesMoved": 1, "ApproximateNumberOfMessagesToMove": 2},
            {"Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": 2},
        ]
        with unittest.mock.patch("time.sleep"):
            output = output_of(lambda: redrive.run(stack(self.sqs), options(per_second=50)))
        self.assertEqual(output, "2 dead letters went back to the queue imports\n")
        queues = {"SourceArn": f"arn:{DEAD}", "DestinationArn": f"arn:{WORK}"}
        self.assertEqual(self.sqs.started, queues | {"MaxNumberOfMessagesPerSecond": 50})

    def test_a_failed_task_is_reported_with_its_reason(self) -> None:
        self.sqs.tasks = [{"Status": "FAILED", "FailureReason": "AccessDenied"}]
        with self.assertRaisesRegex(Problem, "FAILED after about 0 dead letters: AccessDenied"):
            redrive.run(stack(self.sqs), options())

    def test_a_malformed_message_is_not_readable(self) -> None:
        for text in ("", "[]", "7", '{"pk":1}', "{"):
            self.sqs.queues = {}
            self.sqs.put(DEAD, text)
            dead = stack(self.sqs).queue("imports", dead=True)
            [dead_letter] = dead_letters.all_in(stack(self.sqs), dead, 10)
            self.assertFalse(dead_letter.readable, text)
