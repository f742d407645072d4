"""Reads rows of the table: without personal data and sealed values, since only the members listed here are read.

The functions whose names begin with `whole`, and `scanned`, read all members; only the export of a person and the
change of the data key use them.
"""

from __future__ import annotations

import base64
import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from boto3.dynamodb.types import Binary, TypeDeserializer

from infra.operate import keys, packed
from infra.operate.stack import Stack

Row = dict[str, Any]

_STATE = ["status", "dueAt", "leaseUntil"]
CALLBACK = [
    *_STATE,
    *("id", "clientId", "connectionId", "orderId", "subscriptionId", "event", "step", "attempts", "log", "request"),
    *("createdAt", "deliveredAt", "exhaustedAt", "heldAt"),
]
DELIVERY = ["status", "attempts", "createdAt"]
"""The members of a callback that count."""
ATTEMPT = ["number", "at", "statusCode", "error", "durationMs"]
ENDPOINT = ["disabledAt", "reason", "failingSince", "failures", "circuit"]
MAIL = [*_STATE, "kind.about", "at", "tries", "createdAt", "request"]
PROMISE = ["items", "chunks", "counts", "acceptedAt", "finishedAt", "retryOf", "request"]
CHUNK = [*_STATE, "sk", "stuckAt", "reason", "tries", "postponed"]
ORDER = [
    *("clientId", "id", "customerId", "cartId", "createdAt", "paymentMethod", "positions", "total", "external"),
    "request",
]
SUBSCRIPTION = [
    *("clientId", "id", "role", "customerId", "orderId", "position", "offerId", "quantity", "unitPrice"),
    *("period", "renews", "timeZone", "periodsPaid", "paidUntil", "startedAt", "createdAt"),
    *("life", "cancelledAt", "endsAt", "endedAt", "external"),
    *(f"crossClient.{name}" for name in ("sourceClientId", "targetClientId", "connectionId", "betweenCompanies")),
    "voucherHash",
]
PAYOUT = [
    *("id", "type", "gross", "due", "paidStatus", "paidAt", "periodNumber", "createdAt"),
    *("orderId", "subscriptionId", "sourceClientId", "targetClientId"),
]
CONNECTION = [
    "id",
    "status",
    "source.clientId",
    "target.clientId",
    "offersAccess",
    "blockedBy",
    "blockedAt",
    "otherBlockedAt",
    "createdAt",
]
HISTORY = ["number", "at", "by", "action"]
INVITATION_MAIL = ["status", "at"]
REPLAY = [
    *_STATE,
    *("acceptedAt", "startedAt", "doneAt", "found", "replayed", "skipped", "connectionId", "since", "request"),
]
CUSTOMER = ["id", "companyId", "createdAt", "updatedAt"]
ERASURE = ["customerId", "companyId", "askedBy", "erasedAt"]
IMPORTED = ["gsisk", "sale", "state", "imports", "settled", "pagedUntil"]
RECORDS = ["records"]
RESULTS = ["results"]

_BATCH = 100
"""Rows in one `BatchGetItem`."""
_ROUNDS = 10
"""Requests for the rows that a throttled `BatchGetItem` left over."""

_read = TypeDeserializer().deserialize
Key = tuple[str, str]


def get(stack: Stack, pk: str, sk: str, members: list[str]) -> Row | None:
    """Read some members of a row, consistently; None if the row does not exist."""
    answer = stack.dynamodb.get_item(
        TableName=stack.table,
        Key={"pk": {"S": pk}, "sk": {"S": sk}},
        ConsistentRead=True,
        **_only(members),
    )
    return _plain(answer["Item"], members) if "Item" in answer else None


def batch(stack: Stack, wanted: Iterable[Key], members: list[str]) -> dict[Key, Row]:
    """Read some members of many rows, consistently; rows that do not exist are left out."""
    keys = list(dict.fromkeys(wanted))
    found: dict[Key, Row] = {}
    for start in range(0, len(keys), _BATCH):
        asked: dict[str, Any] = {
            stack.table: {
                "Keys": [{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in keys[start : start + _BATCH]],
                "ConsistentRead": True,
                **(_only(members) if members else {}),
            }
        }
        for _ in range(_ROUNDS):
            answer = stack.dynamodb.batch_get_item(RequestItems=asked)
            for item in answer["Responses"].get(stack.table, []):
                row = _plain(item, members)
                found[row["pk"], row["sk"]] = row
            asked = answer.get("UnprocessedKeys") or {}
            if not asked:
                break
        else:
            raise RuntimeError("DynamoDB throttles the reads; repeat the command later")
    return found


def beginning_with(stack: Stack, pk: str, beginning: str, members: list[str], newest: int | None = None) -> list[Row]:
    """Read some members of a partition's rows by the beginning of the sort key; only the last `newest` if given."""
    found: list[Row] = []
    more: dict[str, Any] = {"Limit": newest, "ScanIndexForward": False} if newest else {}
    only = _only(members) if members else {}
    while True:
        answer = stack.dynamodb.query(
            TableName=stack.table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :beginning)",
            ExpressionAttributeValues={":pk": {"S": pk}, ":beginning": {"S": beginning}},
            ConsistentRead=True,
            **only,
            **more,
        )
        found += [_plain(item, members) for item in answer["Items"]]
        if newest or "LastEvaluatedKey" not in answer:
            return found
        more["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


@dataclass(frozen=True)
class Listing:
    """A list in an index: rows from a sort key on, in the order of their sort keys."""

    index: str
    name: str
    """The partition, or its beginning for one of `keys.SPREAD`."""
    start: str = ""
    member: str | None = None
    """If given, only rows of which this member has this value."""
    value: str = ""
    newest_first: bool = False


@dataclass(frozen=True)
class Page:
    """Some rows of a list; a page has the rows of a hundred index entries, or fewer."""

    rows: list[Row]
    last: str | None
    """The sort key up to which the list is read; None at its end."""


def listed(stack: Stack, wanted: Listing, members: list[str]) -> Iterator[Page]:
    """Read the rows of a list, page by page: the index has the keys only, so each page is a batch of rows."""
    partitions = [_entries(stack, wanted, partition) for partition in keys.partitions(wanted.name)]
    entries = heapq.merge(*partitions, reverse=wanted.newest_first)
    known = [*members, wanted.member] if members and wanted.member else members
    chunk, following = list(islice(entries, _BATCH)), None
    while chunk:
        following = list(islice(entries, _BATCH))
        found = batch(stack, [key for _, key in chunk], known)
        rows = [found[key] for _, key in chunk if key in found]
        yield Page([row for row in rows if _matches(row, wanted)], chunk[-1][0] if following else None)
        chunk = following


def _entries(stack: Stack, wanted: Listing, partition: str) -> Iterator[tuple[str, Key]]:
    """The sort keys and keys of the rows in one partition of a list."""
    asked: dict[str, Any] = {
        "TableName": stack.table,
        "IndexName": wanted.index,
        "KeyConditionExpression": f"{wanted.index}pk = :pk" + (" AND gsisk >= :start" if wanted.start else ""),
        "ExpressionAttributeValues": {":pk": {"S": partition}},
        "ScanIndexForward": not wanted.newest_first,
    }
    if wanted.start:
        asked["ExpressionAttributeValues"][":start"] = {"S": wanted.start}
    while True:
        answer = stack.dynamodb.query(**asked)
        for item in map(_read_all, answer["Items"]):
            yield item["gsisk"], (item["pk"], item["sk"])
        if "LastEvaluatedKey" not in answer:
            return
        asked["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _matches(row: Row, wanted: Listing) -> bool:
    value: Any = row
    for part in wanted.member.split(".") if wanted.member else ():
        value = value.get(part) if isinstance(value, dict) else None
    return not wanted.member or bool(value == wanted.value)


def with_voucher(stack: Stack, hash: str) -> Row | None:
    """Read the source's row of the subscription that was sold with a voucher, by the hash of its code."""
    answer = stack.dynamodb.query(
        TableName=stack.table,
        IndexName="voucher",
        KeyConditionExpression="voucherHash = :hash",
        ExpressionAttributeValues={":hash": {"S": hash}},
    )
    found = [(item["pk"], item["sk"]) for item in map(_read_all, answer["Items"])]
    return next(iter(batch(stack, found, SUBSCRIPTION).values()), None)


def whole_list(stack: Stack, wanted: Listing) -> list[Row]:
    """Read the rows of a list with all their members, personal data included: for an export or a new data key."""
    return all_listed(stack, wanted, [])


def whole_batch(stack: Stack, wanted: list[Key]) -> list[Row]:
    """Read rows with all their members, personal data included: for an export or a new data key."""
    return list(batch(stack, wanted, []).values())


def whole_beginning_with(stack: Stack, pk: str, beginning: str) -> list[Row]:
    """Read rows of a partition with all their members, personal data included: for an export or a new data key."""
    return beginning_with(stack, pk, beginning, [])


def scanned(stack: Stack, segment: int, segments: int) -> Iterator[Row]:
    """Read a part of the whole table, with all members, personal data included: for an export or a new data key."""
    more: dict[str, Any] = {}
    while True:
        answer = stack.dynamodb.scan(TableName=stack.table, Segment=segment, TotalSegments=segments, **more)
        yield from (_plain(item, []) for item in answer["Items"])
        if "LastEvaluatedKey" not in answer:
            return
        more["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def all_listed(stack: Stack, wanted: Listing, members: list[str]) -> list[Row]:
    """Read all rows of a short list."""
    return [row for page in listed(stack, wanted, members) for row in page.rows]


def _only(members: list[str]) -> dict[str, Any]:
    """The projection of a read, with the key; names are replaced, because some are reserved words of DynamoDB."""
    read = list(dict.fromkeys(["pk", "sk", packed.PACKED, *members]))
    return {"ProjectionExpression": ", ".join(map(_path, read)), "ExpressionAttributeNames": _names(read)}


def _path(member: str) -> str:
    return ".".join(f"#{part}" for part in member.split("."))


def _names(members: list[str]) -> dict[str, str]:
    return {f"#{part}": part for member in members for part in member.split(".")}


def _read_all(item: dict[str, Any]) -> Row:
    return {name: _read(value) for name, value in item.items()}


def _plain(item: dict[str, Any], members: list[str]) -> Row:
    """A row; of its packed members only those that are asked for, or all if none is named."""
    row = _read_all(item)
    octets = row.pop(packed.PACKED, None)
    if octets is not None:
        if isinstance(octets, str):
            raise ValueError("the packed members are not binary")
        found = packed.members(bytes(octets))
        row |= {name: value for name, value in found.items() if not members or name in members}
    if isinstance(row.get("request"), Binary):
        # The octets of its base64; see shared/domain/src/request_id.rs.
        row["request"] = base64.urlsafe_b64encode(bytes(row["request"])).decode()
    return keys.said_by(row["pk"], row["sk"]) | row
