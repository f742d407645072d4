"""Preparing a restored table."""

from __future__ import annotations

import contextlib
import io
import unittest
import unittest.mock
from copy import deepcopy
from pathlib import Path
from typing import Any

from infra.local.say import Problem
from infra.operate import adopt
from infra.operate.options import Options
from infra.operate.tests.case import Sqs, output_of, stack

KEYS = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
INDEX = {"IndexName": "gsi1", "KeySchema": KEYS[:1], "Projection": {"ProjectionType": "ALL"}}
OWN = {
    "TableName": "table",
    "TableArn": "arn:table",
    "TableStatus": "ACTIVE",
    "KeySchema": KEYS,
    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
    "GlobalSecondaryIndexes": [INDEX],
    "SSEDescription": {"KMSMasterKeyArn": "arn:key"},
    "DeletionProtectionEnabled": True,
}
RESTORED = OWN | {"TableName": "restored", "TableArn": "arn:restored", "DeletionProtectionEnabled": False}


class Tables:
    """A fake DynamoDB with two tables; a changed stream is there at the second look."""

    def __init__(self, restored: dict[str, Any]) -> None:
        self.tables = {"table": OWN, "restored": deepcopy(restored)}
        self.calls: list[str] = []
        self.tags: list[dict[str, str]] = []

    def describe_table(self, TableName: str) -> dict[str, Any]:
        table = self.tables[TableName]
        seen = dict(table)
        if table.pop("becomes", None):
            table.update(TableStatus="ACTIVE", LatestStreamArn="arn:stream")
        return {"Table": seen}

    def update_table(self, TableName: str, **change: Any) -> None:
        self.calls.append(f"update_table {', '.join(change)}")
        self.tables[TableName].update(change)
        if "StreamSpecification" in change:
            assert change["StreamSpecification"]["StreamViewType"] == "NEW_IMAGE"
            self.tables[TableName].update(TableStatus="UPDATING", becomes=True)

    def describe_time_to_live(self, TableName: str) -> dict[str, Any]:
        return {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}}

    def update_time_to_live(self, TableName: str, TimeToLiveSpecification: dict[str, Any]) -> None:
        assert TimeToLiveSpecification == {"Enabled": True, "AttributeName": "expiresAt"}
        self.calls.append("update_time_to_live")

    def update_continuous_backups(self, TableName: str, PointInTimeRecoverySpecification: dict[str, Any]) -> None:
        assert PointInTimeRecoverySpecification == {"PointInTimeRecoveryEnabled": True}
        self.calls.append("update_continuous_backups")

    def list_tags_of_resource(self, ResourceArn: str) -> dict[str, Any]:
        return {"Tags": [{"Key": "stage", "Value": "staging"}, {"Key": "aws:cloudformation:stack-name", "Value": "t"}]}

    def tag_resource(self, ResourceArn: str, Tags: list[dict[str, str]]) -> None:
        self.tags = Tags


class Adopting(unittest.TestCase):
    """The command `adopt`."""

    def adopt(self, restored: dict[str, Any], name: str = "restored") -> tuple[str, Tables]:
        tables = Tables(restored)
        options = Options("adopt", None, Path("stack.json"), table=name)
        with contextlib.redirect_stderr(io.StringIO()), unittest.mock.patch("time.sleep"):
            return output_of(lambda: adopt.run(stack(Sqs(), tables), options)), tables

    def test_a_restored_table_gets_all_that_a_restore_leaves_out(self) -> None:
        output, tables = self.adopt(RESTORED)
        expected = ["StreamSpecification", "DeletionProtectionEnabled"]
        self.assertEqual(
            tables.calls,
            [
                f"update_table {expected[0]}",
                "update_time_to_live",
                "update_continuous_backups",
                f"update_table {expected[1]}",
            ],
        )
        self.assertEqual(tables.tags, [{"Key": "stage", "Value": "staging"}])
        self.assertIn("Add TableName=restored to parameter_overrides", output)

    def test_a_stream_that_is_on_stays(self) -> None:
        streaming = {"StreamSpecification": {"StreamEnabled": True}, "LatestStreamArn": "arn:stream"}
        _, tables = self.adopt(RESTORED | streaming)
        self.assertNotIn("update_table StreamSpecification", tables.calls)

    def test_a_table_that_is_no_copy_is_refused_with_the_reason(self) -> None:
        other_index = INDEX | {"Projection": {"ProjectionType": "KEYS_ONLY"}}
        for change, reason in (
            ({"KeySchema": KEYS[:1]}, "KeySchema differs"),
            ({"GlobalSecondaryIndexes": []}, "lacks the index gsi1"),
            ({"GlobalSecondaryIndexes": [other_index]}, "the index gsi1 differs"),
            ({"SSEDescription": {}}, "encrypted with no key of the account instead of arn:key"),
            ({"TableStatus": "CREATING"}, "is CREATING"),
        ):
            with self.assertRaisesRegex(Problem, reason):
                self.adopt(RESTORED | change)

    def test_the_stacks_own_table_is_refused(self) -> None:
        with self.assertRaisesRegex(Problem, "uses already"):
            self.adopt(RESTORED, "table")
