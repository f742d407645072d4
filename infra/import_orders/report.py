"""Reports a finished import: a table of results, and a file of failed rows to correct and import."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from infra.import_orders import superseded
from infra.import_orders.formats import Csv
from infra.import_orders.journal import Done, Record, Rejected, Sending
from infra.import_orders.say import number
from infra.import_orders.source import Fault, Place, Row, Source
from infra.import_orders.state import State

_NAMES = (
    ("created", "created"),
    ("updated", "updated"),
    ("unchanged", "unchanged"),
    ("superseded", "superseded"),
    ("failed", "failed"),
    ("refused", "invalid"),
    ("unreadable", "unreadable"),
    ("putAside", "dead letters"),
)

_STALE = "line {} has the same externalSystemId and was imported: remove this row, or it replaces newer values"


def table(state: State, dry_run: bool) -> str:
    """The table of results."""
    rows = [("would be" if dry_run else "result", "rows")]
    rows += [(name, number(state.results[key])) for key, name in _NAMES]
    rows.append(("all", number(state.rows_done)))
    width = max(len(count) for _, count in rows)
    return "\n".join(f"{name:18}{count:>{width}}" for name, count in rows)


def write_failed(source: Source, records: Callable[[], Iterable[Record]], path: Path) -> None:
    """Write the failed rows; the file appears when it is complete."""
    part = path.with_name(f".{path.name}.part")
    # Without a byte-order mark, Excel takes UTF-8 for Windows-1252. JSON has none.
    encoding = "utf-8-sig" if isinstance(source.format, Csv) else "utf-8"
    ids = {row.external for row in (_row(source, fault) for fault in failed(records())) if row and row.external}
    later = superseded.imported(source, ids, records())
    with part.open("w", encoding=encoding, newline="") as file:
        file.write(source.format.head())
        for fault in failed(records()):
            row = _row(source, fault)
            lines = [other.line for other in later.get((row and row.external) or "", []) if other.offset > fault.offset]
            detail = f"{fault.detail}; {_STALE.format(max(lines))}" if lines else fault.detail
            errors = {"error_line": str(fault.line), "error_code": fault.code, "error_detail": detail}
            file.write(source.format.failed(source.text(Place(fault.offset, fault.line)), errors))
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


def _row(source: Source, fault: Fault) -> Row | None:
    found = source.row(Place(fault.offset, fault.line))[0]
    return found if isinstance(found, Row) else None


def failed(records: Iterable[Record]) -> Iterator[Fault]:
    """List the failed rows call by call, so that rows with one externalSystemId keep their order.

    A call is done some calls after it was sent, so only the rows in between are buffered.
    """
    open_calls: dict[int, list[Fault]] = {}
    closed: set[int] = set()
    first = 1
    for record in records:
        if isinstance(record, Sending):
            open_calls[record.number] = list(record.aside)
            if not record.rows:
                closed.add(record.number)
        elif isinstance(record, Rejected):
            open_calls[record.number] += record.rows
            closed.add(record.number)
        elif isinstance(record, Done):
            open_calls[record.number] += record.faults
            closed.add(record.number)
        while first in closed:
            yield from sorted(open_calls.pop(first))
            closed.remove(first)
            first += 1
