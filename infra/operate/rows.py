"""Reads rows of the table, without personal data and sealed values: only the members listed here are read."""

from __future__ import annotations

from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from infra.operate.stack import Stack

Row = dict[str, Any]

_STATE = ["status", "dueAt", "leaseUntil"]
CALLBACK = [*_STATE, "event", "connectionId", "step", "deliveredAt", "exhaustedAt", "heldAt", "attempts", "createdAt"]
ATTEMPT = ["number", "at", "statusCode", "error"]
ENDPOINT = ["disabledAt", "reason", "failingSince", "failures", "circuit"]
MAIL = [*_STATE, "kind.about", "at", "tries", "createdAt"]
PROMISE = ["items", "chunks", "counts", "acceptedAt", "finishedAt"]
CHUNK = [*_STATE, "sk", "stuckAt", "reason", "tries"]

_read = TypeDeserializer().deserialize


def get(stack: Stack, pk: str, sk: str, members: list[str]) -> Row | None:
    """Read some members of a row, consistently; None if the row does not exist."""
    answer = stack.dynamodb.get_item(
        TableName=stack.table,
        Key={"pk": {"S": pk}, "sk": {"S": sk}},
        ConsistentRead=True,
        **_only(["pk", *members]),
    )
    return _plain(answer["Item"]) if "Item" in answer else None


def beginning_with(stack: Stack, pk: str, beginning: str, members: list[str], newest: int | None = None) -> list[Row]:
    """Read some members of a partition's rows by the beginning of the sort key; only the last `newest` if given."""
    found: list[Row] = []
    more: dict[str, Any] = {"Limit": newest, "ScanIndexForward": False} if newest else {}
    only = _only(members)
    while True:
        answer = stack.dynamodb.query(
            TableName=stack.table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :beginning)",
            ExpressionAttributeValues={":pk": {"S": pk}, ":beginning": {"S": beginning}},
            ConsistentRead=True,
            **only,
            **more,
        )
        found += map(_plain, answer["Items"])
        if newest or "LastEvaluatedKey" not in answer:
            return found
        more["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _only(members: list[str]) -> dict[str, Any]:
    """The projection of a read; names are replaced, because some are reserved words of DynamoDB."""
    parts = [part for member in members for part in member.split(".")]
    return {
        "ProjectionExpression": ", ".join(".".join(f"#{part}" for part in member.split(".")) for member in members),
        "ExpressionAttributeNames": {f"#{part}": part for part in parts},
    }


def _plain(item: dict[str, Any]) -> Row:
    return {name: _read(value) for name, value in item.items()}
