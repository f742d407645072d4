"""The two formats: parse a line into an item, and write a failed line so that it can be corrected.

One line is one row in both: no member of an item may contain a line break, so CSV with one in a cell is refused.
"""

from __future__ import annotations

import difflib
import json
import math
import re
from decimal import Decimal
from typing import Any, Protocol

from infra.import_orders import cells, texts
from infra.import_orders.say import Refused, one_line, shown

REQUIRED = ("externalSystemId", "offerId", "invoiceCustomerId", "quantity", "startDate", "paymentMethod")
OPTIONAL = ("endDate", "orderDate", "deliveryCustomerId", "discountPercentage", "currentPaymentPeriodPaid")
MEMBERS = REQUIRED + OPTIONAL
ERRORS = ("error_line", "error_code", "error_detail", "error_text")
"""Members added to a failed row; ignored when the row is read again."""

UNREADABLE = "unreadable"
"""The code of a line that is not a row."""

_LARGEST_WHOLE = 2**63
_MAX_TEXT = 100_000


class Unreadable(Exception):
    """The line is not a row; the text has the reason and the remedy."""


class Unsafe(Unreadable):
    """The line shows that the file is damaged, so other lines may be damaged unseen; nothing of the file is sent."""


class Format(Protocol):
    """Reads and writes the lines of one format."""

    def item(self, line: str) -> dict[str, Any] | None:
        """Parse a line into an item of the API; None for a blank line."""

    def suspicion(self, item: dict[str, Any]) -> str | None:
        """Why an id of the item is probably not the original."""

    def head(self) -> str:
        """The lines before the failed rows."""

    def failed(self, line: str, errors: dict[str, str]) -> str:
        """A failed row with its errors, one line."""


class Csv:
    """CSV with a header of the API's member names."""

    def __init__(self, header: str) -> None:
        # The first of those that occur most often.
        self.delimiter = max(",;\t", key=header.count)
        if header.lower().startswith("sep="):
            raise Refused(f"line 1 is {shown(header)}, which only spreadsheets understand; remove it; nothing was sent")
        try:
            self._columns = [cell.strip() for cell in cells.read(header, self.delimiter)]
        except cells.Torn as error:
            raise Refused(f"line 1 is not a header: {error}; nothing was sent") from None
        _check_columns(self._columns)
        # Only the file of failed rows has these columns, and its cells are guarded.
        self._is_guarded = set(ERRORS) <= set(self._columns)

    def _cells(self, line: str) -> list[str]:
        try:
            found = cells.read(line, self.delimiter)
        except cells.Torn as error:
            raise Unsafe(f"this is not a record of CSV (RFC 4180): {error}") from None
        return [cells.unguarded(cell) for cell in found] if self._is_guarded else found

    def item(self, line: str) -> dict[str, Any] | None:
        """Empty cells are absent; other invalid values are sent as text, so that the API reports the error."""
        found = self._cells(line)
        if not any(cell.strip() for cell in found):
            return None
        self._check(found)
        given = {
            column: cell.strip()
            for column, cell in zip(self._columns, found, strict=True)
            if cell.strip() and column not in ERRORS
        }
        _check_undamaged(given)
        return {column: _value(column, text) for column, text in given.items()}

    def suspicion(self, item: dict[str, Any]) -> str | None:
        """Without its columns of errors, a file of failed rows looks like any other."""
        if not self._is_guarded:
            for name in texts.IDS:
                id = item.get(name)
                if isinstance(id, str) and "'" in id and cells.unguarded(id) != id:
                    return (
                        f"{name} {shown(id)} has an apostrophe before a formula, as in a file of failed rows; "
                        f"keep the columns {', '.join(ERRORS)} of such a file"
                    )
        return texts.suspicion(item)

    def _check(self, found: list[str]) -> None:
        if len(found) != len(self._columns):
            raise Unsafe(
                f"the line has {len(found)} cells, the header {len(self._columns)}; "
                f"a cell that holds {self.delimiter!r} must be in quotation marks"
            )
        if [cell.strip() for cell in found] == self._columns:
            raise Unsafe("the line repeats the header, as in two files that were joined; remove it")

    def head(self) -> str:
        """The header with the columns of errors."""
        return self._written([*self._own(self._columns), *ERRORS])

    def failed(self, line: str, errors: dict[str, str]) -> str:
        """The row's cells, then the errors; the text of a line that is not a row."""
        try:
            if errors["error_code"] == UNREADABLE:
                raise Unreadable
            found = self._cells(line)
            self._check(found)
            own, text = self._own(found), ""
        except Unreadable:
            own, text = [""] * len(self._own(self._columns)), one_line(line)
        return self._written([*own, *({**errors, "error_text": text}[name] for name in ERRORS)])

    def _written(self, found: list[str]) -> str:
        # A tab after an empty cell could begin a cell of a spreadsheet that splits at commas.
        return cells.written(found, "," if self.delimiter == "\t" else self.delimiter)

    def _own(self, found: list[str]) -> list[str]:
        return [cell for column, cell in zip(self._columns, found, strict=True) if column not in ERRORS]


def _check_undamaged(item: dict[str, Any]) -> None:
    for found in texts.damaged(item):
        raise Unsafe(found)


def _check_columns(columns: list[str]) -> None:
    problems = []
    for place, column in enumerate(columns, 1):
        if not column:
            problems.append(f"column {place} has no name; name or remove it")
        elif column not in MEMBERS and column not in ERRORS:
            close = difflib.get_close_matches(column, MEMBERS, n=1)
            remedy = f"did you mean {close[0]}?" if close else f"remove it; valid columns are {', '.join(MEMBERS)}"
            problems.append(f"column {shown(column)} is unknown; {remedy}")
        elif columns.index(column) < place - 1:
            problems.append(f"column {column} appears twice; remove one")
    problems += [f"column {column} is missing; add it" for column in REQUIRED if column not in columns]
    if problems:
        raise Refused("line 1, the header, is invalid, nothing was sent:\n  " + "\n  ".join(problems))


def _value(column: str, text: str) -> Any:
    if column == "quantity" and re.fullmatch(r"-?[0-9]{1,18}", text):
        return int(text)
    # At most 100 and with two decimals: a comma can only be the decimal comma of a German spreadsheet.
    if column == "discountPercentage" and re.fullmatch(r"-?[0-9]{1,9}([.,][0-9]{1,9})?", text):
        written = text.replace(",", ".")
        return float(written) if "." in written else int(written)
    if column == "currentPaymentPeriodPaid" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if column in OPTIONAL and text == "null":
        return None
    return text


class JsonLines:
    """One JSON object on each line, with the API's members."""

    def item(self, line: str) -> dict[str, Any] | None:
        """Parse the object without the errors of an earlier run. The API validates plain values."""
        if not line.strip():
            return None
        object = {name: value for name, value in _parsed(line).items() if name not in ERRORS}
        _check_undamaged(object)
        for name, value in object.items():
            if isinstance(value, dict | list):
                kind = "an object" if isinstance(value, dict) else "a list"
                raise Unreadable(f"{shown(name)} holds {kind}; send a plain value")
            if isinstance(value, int) and abs(value) >= _LARGEST_WHOLE:
                raise Unreadable(f"{shown(name)} is a number that is too large")
        return object

    def suspicion(self, item: dict[str, Any]) -> str | None:
        """Why an id of the item is probably not the original."""
        return texts.suspicion(item)

    def head(self) -> str:
        """JSON lines have no header."""
        return ""

    def failed(self, line: str, errors: dict[str, str]) -> str:
        """The object with its errors; the text of a line that is not an object."""
        try:
            object = _parsed(line)
            kept = {name: value for name, value in object.items() if name not in ERRORS}
            written = json.dumps({**kept, **errors}, ensure_ascii=False, allow_nan=False) + "\n"
            written.encode("utf-8")
            return written
        except (Unreadable, ValueError):
            text = line if len(line) <= _MAX_TEXT else f"{line[:_MAX_TEXT]}... (cut)"
            return json.dumps({**errors, "error_text": text}, ensure_ascii=False) + "\n"


class _Repeating(dict[str, Any]):
    """An object with a member that appears twice."""

    name = ""


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    object = dict(members)
    if len(object) == len(members):
        return object
    repeating, seen = _Repeating(object), set[str]()
    for name, _ in members:
        repeating.name = name if name in seen else repeating.name
        seen.add(name)
    return repeating


def _repeated(value: Any, path: str) -> str | None:
    """The path of a member that appears twice."""
    if isinstance(value, _Repeating):
        return f"{path}{value.name}"
    entries = (
        ((f"{path}{name}", entry) for name, entry in value.items())
        if isinstance(value, dict)
        else ((f"{path[:-1]}[{place}]", entry) for place, entry in enumerate(value))
        if isinstance(value, list)
        else ()
    )
    return next((found for name, entry in entries if (found := _repeated(entry, f"{name}."))), None)


def _float(literal: str) -> float:
    value = float(literal)
    if not math.isfinite(value):
        raise Unreadable(f"the number {literal[:50]} is too large")
    if len(literal) > 50 or Decimal(literal) != Decimal(repr(value)):
        raise Unreadable(f"the number {literal[:50]} would be rounded; write it with at most 15 digits")
    return value


def _constant(name: str) -> Any:
    raise Unreadable(f"{name} is not valid JSON")


def _parsed(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line, parse_constant=_constant, parse_float=_float, object_pairs_hook=_object)
        repeated = _repeated(value, "")
    except json.JSONDecodeError as error:
        raise Unreadable(f"this is not valid JSON: {error.msg} at character {error.pos + 1}") from None
    except (ValueError, RecursionError):
        raise Unreadable("this JSON cannot be sent: a number or the nesting is too large") from None
    if repeated is not None:
        raise Unreadable(f"the member {shown(repeated)} appears twice; keep one")
    if not isinstance(value, dict):
        raise Unreadable('this is not a JSON object; write each order as {"externalSystemId": ...} on one line')
    return value
