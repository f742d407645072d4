"""Dead letters are looked at, put back, and given back to their queue."""

from __future__ import annotations

import contextlib
import io
import unittest
import unittest.mock
from pathlib import Path
from typing import Any

from infra.local.say import Problem
from infra.operate import letters, moments, redrive
from infra.operate.options import Options
from infra.operate.tests.case import CLIENT, OTHER, PROMISE, URL, Sqs, body, said, stack

DEAD, WORK = f"{URL}imports-dead", f"{URL}imports"


def options(**more: Any) -> Options:
    """A redrive of imports."""
    return Options(command="redrive", stack_name=None, description=Path("stack.json"), queue="imports", **more)


class Redriving(unittest.TestCase):
    """Two letters about two imports."""

    def setUp(self) -> None:
        self.sqs = Sqs()
        self.sqs.put(DEAD, body(PROMISE), MessageGroupId=CLIENT)
        self.sqs.put(DEAD, body(OTHER))
        quiet = contextlib.redirect_stderr(io.StringIO())
        quiet.__enter__()
        self.addCleanup(quiet.__exit__, None, None, None)

    def bodies(self, url: str) -> list[str]:
        return [message.body for message in self.sqs.queues.get(url, []) if not message.hidden]

    def test_letters_go_back_one_by_one_with_their_group_where_there_is_no_task(self) -> None:
        told = said(lambda: redrive.run(stack(self.sqs), options()))
        self.assertEqual(told, "2 letters went back to the queue imports\n")
        self.assertEqual(self.bodies(WORK), [body(PROMISE), body(OTHER)])
        self.assertEqual([m.attributes["MessageGroupId"] for m in self.sqs.queues[WORK]], [CLIENT, CLIENT])
        self.assertEqual(self.sqs.queues[DEAD], [])

    def test_only_what_is_named_goes_back_and_the_rest_is_put_back(self) -> None:
        self.sqs.tasks = []  # a task would move everything
        told = said(lambda: redrive.run(stack(self.sqs), options(only=OTHER)))
        self.assertEqual(told, "1 letter went back to the queue imports\n")
        self.assertEqual((self.bodies(WORK), self.bodies(DEAD)), ([body(OTHER)], [body(PROMISE)]))
        self.assertIsNone(self.sqs.started)

    def test_a_client_names_all_its_letters(self) -> None:
        said(lambda: redrive.run(stack(self.sqs), options(only=CLIENT)))
        self.assertEqual(len(self.bodies(WORK)), 2)

    def test_a_dry_run_lists_and_moves_nothing(self) -> None:
        self.sqs.put(DEAD, "no json", reason="undecodable")
        told = said(lambda: redrive.run(stack(self.sqs), options(dry_run=True)))
        self.assertRegex(told, "which is none of Tandem's .* the message cannot be read")
        self.assertRegex(told, f"{PROMISE} chunk#001 .* failed five times")
        self.assertIn(f"{CLIENT}#{PROMISE} chunk#001", told)
        self.assertIn("message m2, which is none of Tandem's", told)
        self.assertIn("3 letters would go back to the queue imports; nothing was moved", told)
        self.assertEqual((len(self.bodies(DEAD)), self.bodies(WORK)), (3, []))

    def test_a_letter_that_failed_again_meanwhile_does_not_go_round_in_circles(self) -> None:
        later = int(moments.now().timestamp() * 1000) + 60_000
        self.sqs.put(DEAD, body(PROMISE, chunk=2), sent=later)
        said(lambda: redrive.run(stack(self.sqs), options()))
        self.assertEqual(self.bodies(DEAD), [body(PROMISE, chunk=2)])

    def test_a_crash_between_the_letters_puts_the_rest_back(self) -> None:
        with unittest.mock.patch.object(self.sqs, "send_message", side_effect=KeyboardInterrupt):
            self.assertRaises(KeyboardInterrupt, lambda: redrive.run(stack(self.sqs), options()))
        self.assertEqual(len(self.bodies(DEAD)), 2)

    def test_the_task_of_sqs_is_watched_to_its_end(self) -> None:
        self.sqs.tasks = [
            {"Status": "RUNNING", "ApproximateNumberOfMessagesMoved": 1, "ApproximateNumberOfMessagesToMove": 2},
            {"Status": "COMPLETED", "ApproximateNumberOfMessagesMoved": 2},
        ]
        with unittest.mock.patch("time.sleep"):
            told = said(lambda: redrive.run(stack(self.sqs), options(per_second=50)))
        self.assertEqual(told, "2 letters went back to the queue imports\n")
        queues = {"SourceArn": f"arn:{DEAD}", "DestinationArn": f"arn:{WORK}"}
        self.assertEqual(self.sqs.started, queues | {"MaxNumberOfMessagesPerSecond": 50})

    def test_a_task_that_failed_is_a_problem_with_its_reason(self) -> None:
        self.sqs.tasks = [{"Status": "FAILED", "FailureReason": "AccessDenied"}]
        with self.assertRaisesRegex(Problem, "FAILED after about 0 letters: AccessDenied"):
            redrive.run(stack(self.sqs), options())

    def test_letters_are_read_without_trusting_them(self) -> None:
        for text in ("", "[]", "7", '{"pk":1}', "{"):
            self.sqs.queues = {}
            self.sqs.put(DEAD, text)
            dead = stack(self.sqs).queue("imports", dead=True)
            [letter] = letters.all_in(stack(self.sqs), dead, 10)
            self.assertFalse(letter.readable, text)
