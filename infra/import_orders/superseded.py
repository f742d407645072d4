"""Reports the members that were not set, because an import that was accepted later sets them.

If a later row of the same file sets the member, the order is as the file says, so this is only reported. Otherwise
another import won, and the exit status says so.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from infra.import_orders import cells
from infra.import_orders.journal import Done, Record, Rejected, Sending
from infra.import_orders.say import number, shown
from infra.import_orders.source import Fault, Row, Source

_MAX_SHOWN = 20
COLUMNS = ("line", "externalSystemId", "member", "supersededBy")


class Loss(NamedTuple):
    """A member that was not set."""

    line: int
    external: str
    member: str
    later: int | None
    """The line of this file that sets it."""
    by: str
    """The import that set it, if it is another."""

    def __str__(self) -> str:
        return f"line {self.line}: {self.member} of {shown(self.external)}, by {self.winner()}"

    def winner(self) -> str:
        """The line or the import that won."""
        return f"import {self.by}" if self.later is None else f"line {self.later}"


class Imported(NamedTuple):
    """An imported row."""

    offset: int
    line: int
    members: frozenset[str]


def losses(source: Source, records: Callable[[], Iterable[Record]]) -> Iterator[Loss]:
    """Each member that was not set, in the order of the calls."""
    found = [row for record in records() if isinstance(record, Done) for row in record.superseded]
    later = imported(source, {row.external for row in found}, records())
    for row in found:
        for member in row.members:
            winners = [
                other.line
                for other in later.get(row.external, [])
                if other.offset > row.offset and member in other.members
            ]
            yield Loss(row.line, row.external, member, max(winners, default=None), row.by)


def imported(source: Source, ids: set[str], records: Iterable[Record]) -> dict[str, list[Imported]]:
    """The imported rows with these ids, in the order of the file."""
    failed = {fault.offset for record in records for fault in _faults(record)}
    rows: dict[str, list[Imported]] = {}
    place = source.first
    while ids and place.offset < source.size:
        found, place = source.row(place)
        if isinstance(found, Row) and found.external in ids and found.place.offset not in failed:
            row = Imported(*found.place, frozenset(json.loads(found.json)))
            rows.setdefault(found.external or "", []).append(row)
    return rows


def _faults(record: Record) -> list[Fault]:
    if isinstance(record, Sending):
        return record.aside
    if isinstance(record, Rejected):
        return record.rows
    return record.faults if isinstance(record, Done) else []


def summary(losses: list[Loss], path: Path) -> Iterator[str]:
    """Messages for the user."""
    others = [loss for loss in losses if loss.later is None]
    overtaken = len(losses) - len(others)
    if overtaken:
        yield (
            f"{_values(overtaken)} replaced by later lines of the file before being set: the orders are as if all "
            f"lines had run in order; see {path}"
        )
    if others:
        listed = "".join(f"\n  {loss}" for loss in others[:_MAX_SHOWN])
        left_out = f"\n  and {number(len(others) - _MAX_SHOWN)} more" if len(others) > _MAX_SHOWN else ""
        yield (
            f"{_values(len(others))} not set, because another import, accepted later, sets them; "
            f"see {path}:{listed}{left_out}"
        )


def _values(count: int) -> str:
    return "1 value was" if count == 1 else f"{number(count)} values were"


def write(losses: Iterable[Loss], path: Path) -> None:
    """Write the report; the file appears when it is complete."""
    part = path.with_name(f".{path.name}.part")
    with part.open("w", encoding="utf-8-sig", newline="") as file:
        file.write(cells.written(COLUMNS, ","))
        for loss in losses:
            file.write(cells.written((str(loss.line), loss.external, loss.member, loss.winner()), ","))
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
