"""``reseal``: replaces every value that is sealed under an older data key by the same value under the newest one.

A value is replaced only in the version of the row in which it was read, and the version grows. So a function that read
the row before decides again on the new one, and never writes the older value back. A pass reads the whole table; passes
follow until one finds nothing. The canary is replaced last: as long as it is sealed under an older key, a function
without that key does not start. The command may be stopped and repeated at any time.

Values that are sealed under a person's key stay: the person's key is itself a value that is replaced.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from infra.local.say import Problem, say
from infra.operate import rows, sealing
from infra.operate.options import Options
from infra.operate.rows import Row
from infra.operate.sealing import CannotOpen, Sealer, key_id
from infra.operate.stack import Stack

_SEGMENTS = 8
"""Parts of the table that are read at once."""
_PASSES = 10
_TRIES = 20
"""Of one row that other writers change."""
_PROGRESS = 10_000
"""Rows between two lines of progress."""
CANARY = "canary"

_OF_DEPLOYMENT = {
    ("callback", "sealedBody"): sealing.CALLBACK_BODY,
    ("connection", "callback.secrets.sealed"): sealing.SIGNING_SECRET,
    ("connection", "callback.headers.sealed"): sealing.CALLBACK_HEADERS,
    ("eventEndpoint", "secrets.sealed"): sealing.SIGNING_SECRET,
    ("eventEndpoint", "headers.sealed"): sealing.CALLBACK_HEADERS,
    ("customer", "sealedKey"): sealing.PERSONAL_KEY,
    ("idempotency", "sealedAnswer"): sealing.IDEMPOTENT_ANSWER,
    (CANARY, "sealed"): sealing.CANARY,
}
"""The purposes of the values that are sealed under the data key, by the kind of row and the member."""
_OF_A_PERSON = (("callback", "sealedPerson"), ("callback", "log.sealedAnswer"), ("attempt", "sealedAnswer"))

_Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Place:
    """A value that is sealed under the data key."""

    path: _Path
    """Names of members and indexes of lists."""
    purpose: str
    bound_to: str
    sealed: bytes


@dataclass
class Tally:
    """The counts of a pass."""

    read: int = 0
    older: int = 0
    """Values under an older key that were found."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, older: int) -> None:
        """Count a row."""
        with self.lock:
            self.read += 1
            self.older += older
            if self.read % _PROGRESS == 0:
                say(f"{self.read} rows read, {self.older} values under an older key")


def run(stack: Stack, options: Options) -> int:
    """Reseal, or count with `dry_run`: returns 1 if values under an older key are left, else 0."""
    sealer = Sealer.from_secret(data_keys(stack))
    try:
        if options.dry_run:
            older = count(stack, sealer)
            print(f"{older} values are sealed under an older key; nothing was changed")
            return 1 if older else 0
        changed = _passes(stack, sealer)
    except CannotOpen as error:
        raise Problem(f"{error}. Nothing else was lost: repeat the command once the secret has that key") from None
    print(f"{changed} values were resealed; every value is sealed under the newest key, {sealer.keys[0].id.hex()}")
    return 0


def data_keys(stack: Stack) -> str:
    """The text of the secret."""
    return str(stack.secrets.get_secret_value(SecretId=stack.data_key_secret)["SecretString"])


def count(stack: Stack, sealer: Sealer) -> int:
    """The number of values under older keys."""
    return _pass(stack, sealer, change=False, canary=True)


def places(row: Row) -> Iterator[Place]:
    """The values of a row that are sealed under the data key. Raises `CannotOpen` for a member that is not known."""
    kind = str(row["sk"]).partition("#")[0]
    for path, sealed in _sealed(row):
        member = ".".join(part for part in path if isinstance(part, str))
        if (kind, member) in _OF_A_PERSON or (kind == "idempotency" and "concerned" in row):
            continue
        purpose = _OF_DEPLOYMENT.get((kind, member))
        if purpose is None:
            raise CannotOpen(f"{row['pk']} {row['sk']}: {member} is unknown; is this checkout older than the stack?")
        yield Place(path, purpose, _bound_to(kind, str(row["pk"])), sealed)


def _sealed(value: Any, path: _Path = ()) -> Iterator[tuple[_Path, bytes]]:
    if isinstance(value, dict):
        for name, member in value.items():
            if name.startswith("sealed"):
                yield (*path, name), bytes(member)
            else:
                yield from _sealed(member, (*path, name))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _sealed(item, (*path, number))


def _bound_to(kind: str, pk: str) -> str:
    """The name to which the values of a row are bound."""
    if kind == "idempotency":
        caller, _, scope = pk.split("#")
        return f"{caller}#{scope}"
    return pk.rpartition("#")[2]


def _passes(stack: Stack, sealer: Sealer) -> int:
    changed = 0
    for number in range(1, _PASSES + 1):
        found = _pass(stack, sealer, change=True, canary=False)
        say(f"pass {number}: {found} values resealed")
        changed += found
        if not found:
            row = _row(stack, (CANARY, CANARY))
            return changed + (_reseal(stack, sealer, row) if row else 0)
    raise Problem("functions go on sealing under an older key; deploy, so that all start again, and repeat the command")


def _pass(stack: Stack, sealer: Sealer, change: bool, canary: bool) -> int:
    tally = Tally()

    def segment(number: int) -> None:
        for row in rows.scanned(stack, number, _SEGMENTS):
            if row["sk"] != CANARY or canary:
                tally.add(_reseal(stack, sealer, row) if change else len(_older(sealer, row)))

    with ThreadPoolExecutor(max_workers=_SEGMENTS) as pool:
        for _ in pool.map(segment, range(_SEGMENTS)):
            pass
    return tally.older


def _older(sealer: Sealer, row: Row) -> list[Place]:
    return [place for place in places(row) if key_id(place.sealed) != sealer.keys[0].id]


def _reseal(stack: Stack, sealer: Sealer, row: Row | None) -> int:
    """Replace the values of a row; returns their number."""
    for _ in range(_TRIES):
        found = _older(sealer, row) if row else []
        if row is None or not found or _replaced(stack, sealer, row, found):
            return len(found)
        row = _row(stack, (str(row["pk"]), str(row["sk"])))
    raise Problem("a row changes all the time; repeat the command later")


def _replaced(stack: Stack, sealer: Sealer, row: Row, found: list[Place]) -> bool:
    """Write the row's values under the newest key; False if the row has changed."""
    names: dict[str, str] = {"#version": "version"}
    values: dict[str, Any] = {":version": {"N": str(row["version"])}, ":one": {"N": "1"}}
    changes = ["#version = #version + :one"]
    for number, place in enumerate(found):
        try:
            form, octets = sealer.open_form(place.purpose, place.bound_to, place.sealed)
        except CannotOpen as error:
            raise CannotOpen(f"{row['pk']} {row['sk']}: {error}") from None
        values[f":sealed{number}"] = {"B": sealer.seal_form(place.purpose, place.bound_to, form, octets)}
        changes.append(f"{_expression(place.path, names)} = :sealed{number}")
    try:
        stack.dynamodb.update_item(
            TableName=stack.table,
            Key={"pk": {"S": row["pk"]}, "sk": {"S": row["sk"]}},
            UpdateExpression="SET " + ", ".join(changes),
            ConditionExpression="#version = :version",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
        )
    except ClientError as error:
        if error.response["Error"]["Code"] in ("ConditionalCheckFailedException", "TransactionConflictException"):
            return False
        raise
    return True


def _expression(path: _Path, names: dict[str, str]) -> str:
    parts: list[str] = []
    for part in path:
        if isinstance(part, int):
            parts[-1] += f"[{part}]"
        else:
            names[f"#{part}"] = part
            parts.append(f"#{part}")
    return ".".join(parts)


def _row(stack: Stack, key: tuple[str, str]) -> Row | None:
    return next(iter(rows.whole_batch(stack, [key])), None)
