"""Builds calls. The same start in the same file gives the same call. So a call can be sent again after a crash, and the
row of a failed item can be found, without a list of all rows."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from infra.import_orders.source import AROUND_ITEMS, LARGEST_BODY, Fault, Place, Row, Source

_MAX_LEFT = 1_000
"""The most rows that a call postpones, and lines that it skips: this bounds memory and journal."""


@dataclass(frozen=True)
class Start:
    """The start of a call: rows postponed by earlier calls, in their order, then the lines from a position."""

    place: Place
    carried: tuple[Place, ...] = ()


@dataclass(frozen=True)
class Call:
    """The rows of one call."""

    start: Start
    rows: list[Row]
    aside: list[Fault]
    """Lines in between that are not rows."""
    then: Start
    """The start of the next call."""

    def without(self, offsets: Collection[int]) -> Call:
        """The call without the rejected rows."""
        return replace(self, rows=[row for row in self.rows if row.place.offset not in offsets], aside=[])

    def body(self) -> bytes:
        """The request body."""
        return b'{"items":[' + b",".join(row.json for row in self.rows) + b"]}"

    def key(self, file: str, run: str) -> str:
        """The Idempotency-Key, which follows from the file, the run, the rows and the body."""
        digest = hashlib.sha256(f"{file}\n{run}\n".encode())
        digest.update(" ".join(str(row.place.offset) for row in self.rows).encode())
        digest.update(b"\n" + hashlib.sha256(self.body()).digest())
        return f"file-import-{digest.hexdigest()}"


def form(source: Source, start: Start, most_rows: int) -> Call:
    """Build the next call: rows with different externalSystemIds, in at most 2 MiB.

    A row whose externalSystemId is in the call already is postponed to the next call, so such rows keep their order.
    """
    rows: list[Row] = []
    aside: list[Fault] = []
    left: list[Place] = []
    seen: set[str] = set()
    size, carried, place = AROUND_ITEMS, 0, start.place
    for found, after in _lines(source, start):
        is_carried = carried < len(start.carried)
        if isinstance(found, Row):
            if len(rows) == most_rows or size + len(found.json) + 1 > LARGEST_BODY + 1:
                break
            if found.external in seen:
                left.append(found.place)
            else:
                rows.append(found)
                size += len(found.json) + 1
                seen.update({found.external} if found.external is not None else ())
        elif isinstance(found, Fault):
            aside.append(found)
        if is_carried:
            carried += 1
        else:
            place = after
            if len(left) >= _MAX_LEFT or len(aside) >= _MAX_LEFT:
                break
    then = Start(place, (*left, *start.carried[carried:]))
    return Call(start, rows, aside, then)


def _lines(source: Source, start: Start) -> Iterator[tuple[Row | Fault | None, Place]]:
    for place in start.carried:
        yield source.row(place)
    place = start.place
    while place.offset < source.size:
        found, place = source.row(place)
        yield found, place
