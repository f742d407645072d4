"""Which partition keys a request to DynamoDB names."""

from __future__ import annotations

import json
import unittest
from typing import Any

from infra.local import leading_keys


def _partition_key(_table: str, index: str | None) -> str:
    return f"{index or ''}pk"


def _row(partition: str) -> dict[str, Any]:
    return {"pk": {"S": partition}, "sk": {"S": "key"}, "gsi1pk": {"S": "another"}}


class LeadingKeys(unittest.TestCase):
    """Requests as SDKs write them."""

    def names(self, expected: list[str], **request: Any) -> None:
        self.assertEqual(leading_keys.named_in(json.dumps(request).encode(), _partition_key), expected)

    def test_single_rows_have_one(self) -> None:
        self.names(["key#1"], TableName="t", Key=_row("key#1"))
        self.names(["key#1"], TableName="t", Item=_row("key#1"))

    def test_each_action_of_a_transaction_has_one(self) -> None:
        put, check = {"TableName": "t", "Item": _row("a")}, {"TableName": "t", "Key": _row("b")}
        self.names(["a", "b"], TransactItems=[{"Put": put}, {"ConditionCheck": check}])

    def test_each_row_of_a_batch_has_one(self) -> None:
        self.names(["a", "b"], RequestItems={"t": {"Keys": [_row("a"), _row("b")]}})
        writes = [{"PutRequest": {"Item": _row("a")}}, {"DeleteRequest": {"Key": _row("b")}}]
        self.names(["a", "b"], RequestItems={"t": writes})

    def test_a_query_has_the_one_of_its_index(self) -> None:
        values = {":pk": {"S": "a"}, ":sk": {"S": "b"}}
        plain = {"TableName": "t", "ExpressionAttributeValues": values}
        self.names(["a"], KeyConditionExpression="pk = :pk AND sk >= :sk", **plain)
        self.names(["a"], KeyConditionExpression="sk = :sk AND pk = :pk", **plain)
        self.names([], KeyConditionExpression="pk = :pk", IndexName="gsi1", **plain)
        named = plain | {"ExpressionAttributeNames": {"#pk": "gsi1pk"}}
        self.names(["a"], KeyConditionExpression="#pk = :pk", IndexName="gsi1", **named)

    def test_a_scan_has_none(self) -> None:
        self.names([], TableName="t")
        self.assertEqual(leading_keys.named_in(b"", _partition_key), [])
