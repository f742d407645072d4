"""The partition keys that a request to DynamoDB names: the condition key `dynamodb:LeadingKeys`.

It parses requests as SDKs write them: a `Query` has `name = :value` in its `KeyConditionExpression`. A transaction
counts as a whole here, while AWS checks each item: a role that may not access one item may not send it in either case.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

PartitionKey = Callable[[str, "str | None"], str]
"""The name of the partition key of a table, or of an index of it."""

_EQUALS = re.compile(r"([#\w]+)\s*=\s*(:\w+)")


def named_in(body: bytes, partition_key: PartitionKey) -> list[str]:
    """The values that the request names; none for a `Scan`."""
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        return []
    return list(_values(request, partition_key)) if isinstance(request, dict) else []


def _values(request: dict[str, Any], partition_key: PartitionKey) -> Iterator[str]:
    for table, row in _rows(request):
        yield from _texts([row.get(partition_key(table, None), {})])
    if "KeyConditionExpression" in request:
        wanted = partition_key(request["TableName"], request.get("IndexName"))
        names = request.get("ExpressionAttributeNames", {})
        equal = _EQUALS.findall(request["KeyConditionExpression"])
        values = [value for name, value in equal if names.get(name, name) == wanted]
        yield from _texts([request.get("ExpressionAttributeValues", {}).get(value, {}) for value in values])


def _rows(request: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each row or key of a row, with its table."""
    single = [request, *(action for item in request.get("TransactItems", []) for action in item.values())]
    for action in single:
        for row in (action.get("Key"), action.get("Item")):
            if row:
                yield action["TableName"], row
    for table, batch in request.get("RequestItems", {}).items():
        if isinstance(batch, dict):
            yield from ((table, key) for key in batch.get("Keys", []))
        else:
            writes = [write for item in batch for write in item.values()]
            yield from ((table, write.get("Item") or write.get("Key") or {}) for write in writes)


def _texts(values: list[dict[str, Any]]) -> Iterator[str]:
    yield from (value["S"] for value in values if "S" in value)
