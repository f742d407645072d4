"""Reading the table and the queues, without personal data."""

from __future__ import annotations

import contextlib
import io
import unittest
from datetime import timedelta
from typing import Any

import boto3
from botocore.stub import Stubber

from infra.operate import due, moments, queues, rows, status
from infra.operate.deliveries import Deliveries
from infra.operate.options import parse
from infra.operate.tests.case import URL, Sqs, body, stack

NOW = moments.read("2026-07-01T12:00:00Z")


def dynamodb() -> Any:
    """A client that makes no calls."""
    return boto3.client("dynamodb", "eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")


class Rows(unittest.TestCase):
    """Rows of the table."""

    def test_no_sealed_or_personal_data_is_read(self) -> None:
        lists = [value for name, value in vars(rows).items() if name.isupper() and isinstance(value, list)]
        asked = {member for members in lists for member in members}
        self.assertIn("dueAt", asked)
        for member in asked:
            self.assertNotRegex(member, r"(?i)sealed|answer|email|name|phone|address|language|url|secret|^kind$")

    def test_a_read_is_consistent_and_projected(self) -> None:
        client = dynamodb()
        expected = {
            "TableName": "table",
            "Key": {"pk": {"S": "a"}, "sk": {"S": "mail"}},
            "ConsistentRead": True,
            "ProjectionExpression": "#pk, #sk, #packed, #status, #kind.#about",
            "ExpressionAttributeNames": {
                "#pk": "pk",
                "#sk": "sk",
                "#packed": "packed",
                "#status": "status",
                "#kind": "kind",
                "#about": "about",
            },
        }
        with Stubber(client) as stub:
            stub.add_response(
                "get_item", {"Item": {"pk": {"S": "a"}, "sk": {"S": "mail"}, "status": {"S": "sent"}}}, expected
            )
            stub.add_response("get_item", {})
            row = rows.get(stack(Sqs(), client), "a", "mail", ["status", "kind.about"])
            self.assertEqual(row, {"pk": "a", "sk": "mail", "status": "sent"})
            self.assertIsNone(rows.get(stack(Sqs(), client), "a", "mail", ["status"]))

    def test_due_rows_are_counted_by_kind_over_all_pages(self) -> None:
        class Table:
            """Three rows in the first shard, on two pages."""

            def query(self, **asked: Any) -> dict[str, Any]:
                if asked["ExpressionAttributeValues"][":shard"]["S"] != "due#00":
                    return {"Items": []}
                if "ExclusiveStartKey" in asked:
                    return {
                        "Items": [
                            item("callback", "2026-07-01T11:59:00.000Z"),
                            item("mail", "2026-07-01T12:00:09.000Z"),
                        ]
                    }
                return {
                    "Items": [item("chunk#001", "2026-07-01T11:00:00.000Z")],
                    "LastEvaluatedKey": {"pk": {"S": "a"}},
                }

        def item(sk: str, at: str) -> dict[str, Any]:
            sweep_at = int(moments.read(at).timestamp() * 1000)
            return {"pk": {"S": "a"}, "sk": {"S": sk}, "sweepAt": {"N": str(sweep_at)}}

        found = due.rows(stack(Sqs(), Table()), NOW)
        self.assertEqual(
            [(row.kind, row.rows, row.later) for row in found],
            [("callbacks", 1, 0), ("mails", 0, 1), ("imports", 1, 0)],
        )
        self.assertEqual([row.late(NOW) for row in found], [False, False, True])


class Status(unittest.TestCase):
    """The command `status`."""

    def test_dead_letters_and_overdue_rows_are_findings(self) -> None:
        sqs = Sqs()
        sent = int((NOW - timedelta(hours=2)).timestamp() * 1000)
        sqs.put(f"{URL}imports-dead", body(), sent=sent)
        sqs.put(f"{URL}callbacks", body(), sent=sent)
        depths = queues.depths(stack(sqs), NOW)
        oldest = {depth.queue.label: depth.oldest for depth in depths}
        self.assertEqual(oldest["imports, dead letters"], timedelta(hours=2))
        self.assertIsNone(oldest["callbacks"])  # only CloudWatch has the age of a work queue
        late = due.Due("mails", 3, oldest=NOW - timedelta(hours=1))
        found = status.findings(depths, [late], Deliveries(), NOW)
        self.assertIn("imports: 1 dead letter.", found[0])
        self.assertIn("mails: the oldest row is 1 h overdue", found[1])
        self.assertEqual(len(found), 2)


class CommandLine(unittest.TestCase):
    """The options."""

    def test_a_command_names_its_stack(self) -> None:
        self.assertEqual(parse(["status", "--stack-name", "tandem"]).stack_name, "tandem")
        self.assertIsNone(parse(["redrive", "imports", "--local"]).stack_name)
        for words in (["status"], ["status", "--local", "--stack-name", "a"], ["redrive", "relays", "--local"]):
            with self.assertRaises(SystemExit), contextlib.redirect_stderr(io.StringIO()):
                parse(words)
