"""A fake DynamoDB table in memory, and stored rows of the golden tests of shared/domain."""

from __future__ import annotations

import base64
import json
import re
import threading
from dataclasses import dataclass, field
from typing import Any

from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from infra.local.layout import ROOT

_GOLDENS = ROOT / "shared/domain/tests/decisions/snapshots"
_write = TypeSerializer().serialize
_read = TypeDeserializer().deserialize
Item = dict[str, Any]
_SORT = {
    "": ("pk", "sk"),
    "gsi1": ("gsi1pk", "gsisk"),
    "gsi2": ("gsi2pk", "gsisk"),
    "voucher": ("voucherHash", ""),
    "due": ("dueShard", "sweepAt"),
}


def golden(name: str, **changed: Any) -> Item:
    """A stored row, with some members changed; None removes a member."""
    text = (_GOLDENS / f"decisions__stored__{name}.snap").read_text().split("\n---\n", 1)[1]
    row = _sealed(json.loads(text)) | changed
    return {name: value for name, value in row.items() if value is not None}


def _sealed(value: Any) -> Any:
    """The goldens have octets in base64."""
    if isinstance(value, list):
        return [_sealed(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: base64.b64decode(member) if name.startswith("sealed") or name == "request" else _sealed(member)
        for name, member in value.items()
    }


@dataclass
class Table:
    """A fake of the calls that read; it checks the keys and the projection of each call."""

    page: int = 2
    """Rows on a page of a query."""
    items: list[Item] = field(default_factory=list)
    changed_meanwhile: int = 0
    """How many calls of `update_item` find a row that another writer changed."""
    fails_after: int | None = None
    """How many calls of `update_item` succeed; all if None."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    unprocessed: int = 0
    """How many calls of `batch_get_item` leave out their last key."""

    def put(self, pk: str, sk: str, row: Item, **indexed: str) -> Item:
        """Store a row."""
        self.items.append(row | {"pk": pk, "sk": sk} | indexed)
        return row

    def get_item(self, Key: Item, ConsistentRead: bool, **asked: Any) -> Item:
        """Read a row."""
        assert ConsistentRead
        found = self._row({name: _read(value) for name, value in Key.items()})
        return {"Item": _projected(found, asked)} if found else {}

    def batch_get_item(self, RequestItems: dict[str, Any]) -> Item:
        """Read some rows, or all but the last."""
        ((table, asked),) = RequestItems.items()
        wanted, rest = asked["Keys"], []
        assert asked["ConsistentRead"] and 0 < len(wanted) <= 100
        assert len({json.dumps(key, sort_keys=True) for key in wanted}) == len(wanted)
        if self.unprocessed:
            self.unprocessed -= 1
            wanted, rest = wanted[:-1], wanted[-1:]
        found = [self._row({name: _read(value) for name, value in key.items()}) for key in wanted]
        left = {table: asked | {"Keys": rest}} if rest else {}
        return {"Responses": {table: [_projected(row, asked) for row in found if row]}, "UnprocessedKeys": left}

    def query(self, IndexName: str = "", **asked: Any) -> Item:
        """Read a page of a partition."""
        pk, sk = _SORT[IndexName]
        values = {name: _read(value) for name, value in asked["ExpressionAttributeValues"].items()}
        matches = _condition(asked["KeyConditionExpression"], pk, sk, values)
        rows = sorted((row for row in self.items if pk in row and matches(row)), key=lambda row: str(row.get(sk)))
        if not asked.get("ScanIndexForward", True):
            rows.reverse()
        page, more = self._page(rows, asked)
        # The indexes hold keys only.
        return {"Items": [_keys(row) if IndexName else _projected(row, asked) for row in page], **more}

    def scan(self, Segment: int, TotalSegments: int, **asked: Any) -> Item:
        """Read a page of a segment."""
        rows = [row for number, row in enumerate(self.items) if number % TotalSegments == Segment]
        page, more = self._page(rows, asked)
        return {"Items": [_projected(row, asked) for row in page], **more}

    def update_item(self, Key: Item, **asked: Any) -> None:
        """Set members, if the row has the version."""
        with self.lock:
            if self.fails_after is not None:
                self.fails_after -= 1
                if self.fails_after < 0:
                    raise RuntimeError("interrupted")
            row = self._row({name: _read(value) for name, value in Key.items()})
            assert row is not None
            if self.changed_meanwhile:
                self.changed_meanwhile -= 1
                row["version"] += 1
            names = asked["ExpressionAttributeNames"]
            values = {name: _read(value) for name, value in asked["ExpressionAttributeValues"].items()}
            assert asked["ConditionExpression"] == "#version = :version"
            if row["version"] != values[":version"]:
                raise ClientError({"Error": {"Code": "ConditionalCheckFailedException"}}, "UpdateItem")
            for change in asked["UpdateExpression"].removeprefix("SET ").split(", "):
                path, _, value = change.partition(" = ")
                value = row["version"] + 1 if value == "#version + :one" else values[value]
                _set(row, [part for part in re.split(r"\.|\[|\]\.?", path) if part], names, value)

    def _page(self, rows: list[Item], asked: Item) -> tuple[list[Item], Item]:
        """The rows after the start, and the start of the next page."""
        if "ExclusiveStartKey" in asked:
            last = _read(asked["ExclusiveStartKey"]["sk"]), _read(asked["ExclusiveStartKey"]["pk"])
            at = next(number for number, row in enumerate(rows) if (row["sk"], row["pk"]) == last)
            rows = rows[at + 1 :]
        page = rows[: asked.get("Limit", self.page)]
        return page, {"LastEvaluatedKey": _keys(page[-1])} if len(rows) > len(page) else {}

    def _row(self, key: Item) -> Item | None:
        return next((row for row in self.items if row["pk"] == key["pk"] and row["sk"] == key["sk"]), None)


def _condition(text: str, pk: str, sk: str, values: Item) -> Any:
    first, _, second = text.partition(" AND ")
    name, value = first.split(" = ")
    assert name == pk, f"{text} is not a condition on {pk}"
    if not second:
        return lambda row: row[pk] == values[value]
    if begins := re.fullmatch(r"begins_with\((\w+), (:\w+)\)", second):
        assert begins[1] == sk
        return lambda row: row[pk] == values[value] and row[sk].startswith(values[begins[2]])
    name, _, start = second.partition(" >= ")
    assert name == sk, text
    return lambda row: row[pk] == values[value] and row[sk] >= values[start]


def _keys(row: Item) -> Item:
    names = {name for pair in _SORT.values() for name in pair if name in row}
    return {name: _write(row[name]) for name in names}


def _set(row: Any, path: list[str], names: dict[str, str], value: Any) -> None:
    for part in path[:-1]:
        row = row[int(part) if part.isdigit() else names[part]]
    row[names[path[-1]]] = bytes(value) if isinstance(value, Binary) else value


def _projected(row: Item, asked: Item) -> Item:
    if "ProjectionExpression" not in asked:
        return {name: _write(value) for name, value in row.items()}
    names = asked["ExpressionAttributeNames"]
    kept: Item = {}
    for path in asked["ProjectionExpression"].split(", "):
        _copy(row, kept, [names[part] for part in path.split(".")])
    return {name: _write(value) for name, value in kept.items()}


def _copy(row: Any, into: Item, path: list[str]) -> None:
    if not isinstance(row, dict) or path[0] not in row:
        return
    if len(path) == 1:
        into[path[0]] = row[path[0]]
    elif isinstance(row[path[0]], dict):
        _copy(row[path[0]], into.setdefault(path[0], {}), path[1:])
