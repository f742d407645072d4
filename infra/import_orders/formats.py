"""The two formats: parse a line into an item, and write a failed line so that it can be corrected.

One line is one row in both. No member of an item may contain a line break, so this excludes nothing, and a stray
quotation mark corrupts one row instead of all that follow.
"""

from __future__ import annotations

import csv
import difflib
import io
import json
import re
from typing import Any, Protocol

from infra.import_orders.say import Refused

REQUIRED = ("externalSystemId", "offerId", "invoiceCustomerId", "quantity", "startDate", "paymentMethod")
OPTIONAL = ("endDate", "orderDate", "deliveryCustomerId", "discountPercentage", "currentPaymentPeriodPaid")
MEMBERS = REQUIRED + OPTIONAL
ERRORS = ("error_line", "error_code", "error_detail", "error_text")
"""Members added to a failed row; ignored when the row is read again."""

_LARGEST_WHOLE = 2**63
_MOST_TEXT = 100_000


class Unreadable(Exception):
    """The line is not a row; the text has the reason and the remedy."""


class Format(Protocol):
    """Reads and writes the lines of one format."""

    def item(self, line: str) -> dict[str, Any] | None:
        """Parse a line into an item of the API; None for a blank line."""

    def head(self) -> str:
        """The lines before the failed rows."""

    def failed(self, line: str, errors: dict[str, str]) -> str:
        """A failed row with its errors, one line."""


class Csv:
    """CSV with a header of the API's member names."""

    def __init__(self, header: str) -> None:
        self.delimiter = ";" if header.count(";") > header.count(",") else ","
        try:
            self._columns = [cell.strip() for cell in self._cells(header)]
        except Unreadable as error:
            raise Refused(f"line 1 is not a header: {error}") from None
        _check_columns(self._columns)

    def _cells(self, line: str) -> list[str]:
        try:
            return next(csv.reader([line], delimiter=self.delimiter, strict=True), [])
        except csv.Error as error:
            reason = str(error)
            if "unexpected end" in reason:
                reason = (
                    "a cell begins with a quotation mark and does not end with one; a cell cannot hold a line break"
                )
            raise Unreadable(f"this is not a line of CSV: {reason}") from None

    def item(self, line: str) -> dict[str, Any] | None:
        """Empty cells are absent; other invalid values are sent as text, so that the API reports the error."""
        cells = self._cells(line)
        if not any(cell.strip() for cell in cells):
            return None
        self._check_count(cells)
        return {
            column: _value(column, cell.strip())
            for column, cell in zip(self._columns, cells, strict=True)
            if cell.strip() and column not in ERRORS
        }

    def _check_count(self, cells: list[str]) -> None:
        if len(cells) != len(self._columns):
            raise Unreadable(
                f"the line has {len(cells)} cells, the header {len(self._columns)}; "
                f"a cell that holds {self.delimiter!r} must be in quotation marks"
            )

    def head(self) -> str:
        """The header with the columns of errors."""
        return self._written([*self._own(self._columns), *ERRORS])

    def failed(self, line: str, errors: dict[str, str]) -> str:
        """The row's cells, then the errors; the text of a line that is not a row."""
        try:
            cells = self._cells(line)
            self._check_count(cells)
            own, text = self._own(cells), ""
        except Unreadable:
            own, text = [""] * len(self._own(self._columns)), line[:_MOST_TEXT]
        return self._written([*own, *({**errors, "error_text": text}[name] for name in ERRORS)])

    def _own(self, cells: list[str]) -> list[str]:
        return [cell for column, cell in zip(self._columns, cells, strict=True) if column not in ERRORS]

    def _written(self, cells: list[str]) -> str:
        out = io.StringIO()
        csv.writer(out, delimiter=self.delimiter, lineterminator="\n").writerow(cells)
        return out.getvalue()


def _check_columns(columns: list[str]) -> None:
    problems = []
    for place, column in enumerate(columns, 1):
        if not column:
            problems.append(f"column {place} has no name; name or remove it")
        elif column not in MEMBERS and column not in ERRORS:
            close = difflib.get_close_matches(column, MEMBERS, n=1)
            remedy = f"did you mean {close[0]}?" if close else f"remove it; valid columns are {', '.join(MEMBERS)}"
            problems.append(f"column {column!r} is unknown; {remedy}")
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
    if column == "endDate" and text == "null":
        return None
    return text


class JsonLines:
    """One JSON object on each line, with the API's members."""

    def item(self, line: str) -> dict[str, Any] | None:
        """Parse the object without the errors of an earlier run. The API validates plain values."""
        if not line.strip():
            return None
        object = _parsed(line)
        for name, value in object.items():
            if isinstance(value, dict | list):
                raise Unreadable(
                    f"{name[:100]} holds {'an object' if isinstance(value, dict) else 'a list'}; send a plain value"
                )
            if isinstance(value, int) and abs(value) >= _LARGEST_WHOLE:
                raise Unreadable(f"{name[:100]} is a number that is too large")
        return {name: value for name, value in object.items() if name not in ERRORS}

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
            return json.dumps({**errors, "error_text": line[:_MOST_TEXT]}, ensure_ascii=False) + "\n"


def _parsed(line: str) -> dict[str, Any]:
    def constant(name: str) -> Any:
        raise Unreadable(f"{name} is not valid JSON")

    try:
        value = json.loads(line, parse_constant=constant)
    except json.JSONDecodeError as error:
        raise Unreadable(f"this is not valid JSON: {error.msg} at character {error.pos + 1}") from None
    except (ValueError, RecursionError):
        raise Unreadable("this JSON cannot be sent: a number or the nesting is too large") from None
    if not isinstance(value, dict):
        raise Unreadable('this is not a JSON object; write each order as {"externalSystemId": ...} on one line')
    return value
