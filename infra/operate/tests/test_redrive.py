"""Listing and redriving dead letters."""

from __future__ import annotations

import contextlib
import io
import unittest
import unittest.mock
from pathlib import Path
from typing import Any

from infra.operate import dead_letters, queues, redrive
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

    def test_a_letter_keeps_its_reason(self) -> None:
        self.sqs.put(DEAD, body(PROMISE, 2), reason="unreadable_row")
        output_of(lambda: redrive.run(stack(self.sqs), options()))
        self.assertEqual([message.reason for message in self.sqs.queues[WORK]], [None, None, "unreadable_row"])

    def test_only_moves_the_named_dead_letters(self) -> None:
        output = output_of(lambda: redrive.run(stack(self.sqs), options(only=OTHER)))
        self.assertEqual(output, "1 dead letter went back to the queue imports\n")
        self.assertEqual((self.bodies(WORK), self.bodies(DEAD)), ([body(OTHER)], [body(PROMISE)]))

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

    def test_each_letter_goes_back_at_most_once(self) -> None:
        self.sqs.bounces = {WORK: DEAD}  # the worker returns each letter at once
        output = output_of(lambda: redrive.run(stack(self.sqs), options()))
        self.assertEqual(output, "2 dead letters went back to the queue imports\n")
        self.assertEqual(len(self.bodies(DEAD)), 2)

    def test_letters_that_arrive_meanwhile_stay(self) -> None:
        with unittest.mock.patch.object(queues, "count", return_value=1):
            output = output_of(lambda: redrive.run(stack(self.sqs), options()))
        self.assertEqual(output, "1 dead letter went back to the queue imports\n")
        self.assertEqual((self.bodies(WORK), self.bodies(DEAD)), ([body(PROMISE)], [body(OTHER)]))

    def test_many_letters_go_in_batches_at_the_rate(self) -> None:
        for chunk in range(2, 25):
            self.sqs.put(DEAD, body(PROMISE, chunk))
        with unittest.mock.patch("time.sleep") as sleep:
            output = output_of(lambda: redrive.run(stack(self.sqs), options(per_second=20)))
        self.assertEqual(output, "25 dead letters went back to the queue imports\n")
        self.assertEqual((len(self.bodies(WORK)), self.sqs.queues[DEAD]), (25, []))
        self.assertEqual([call.args[0] for call in sleep.call_args_list], [0.5, 0.5])

    def test_a_letter_that_sqs_rejects_stays(self) -> None:
        self.sqs.rejects = body(OTHER)
        codes = []
        output = output_of(lambda: codes.append(redrive.run(stack(self.sqs), options())))
        self.assertEqual((output, codes), ("1 dead letter went back to the queue imports\n", [1]))
        self.assertEqual((self.bodies(WORK), self.bodies(DEAD)), ([body(PROMISE)], [body(OTHER)]))

    def test_after_a_crash_the_rest_is_visible_again(self) -> None:
        with unittest.mock.patch.object(self.sqs, "send_message_batch", side_effect=KeyboardInterrupt):
            self.assertRaises(KeyboardInterrupt, lambda: redrive.run(stack(self.sqs), options()))
        self.assertEqual(len(self.bodies(DEAD)), 2)

    def test_a_malformed_message_is_not_readable(self) -> None:
        for text in ("", "[]", "7", '{"pk":1}', "{"):
            self.sqs.queues = {}
            self.sqs.put(DEAD, text)
            dead = stack(self.sqs).queue("imports", dead=True)
            [dead_letter] = dead_letters.all_in(stack(self.sqs), dead, 10)
            self.assertFalse(dead_letter.readable, text)
