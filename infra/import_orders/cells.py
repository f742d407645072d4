"""Cells of CSV: read strictly by RFC 4180, and written so that no spreadsheet runs one as a formula.

A spreadsheet may split a line at another delimiter than the writer: a German Excel splits at `;`. So a guard, an
apostrophe, precedes each part of a cell that begins as a formula. A part is the cell itself, and the text after each
`,`, `;`, tab and line break. It begins as a formula if its first character, after spaces, invisible characters and
quotation marks, is `=`, `+`, `-`, `@`, a variant of these, a tab or a line break. `unguarded` removes exactly these
apostrophes: ``unguarded(guarded(text)) == text`` for every text. shared/api/src/csv.rs has the same rule in Rust.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_BREAKS = "\t\n\x0b\x0c\r\x85\u2028\u2029"
_FORMULA = "=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u207c\u207a\u207b\u208c\u208a\u208b\u2212" + _BREAKS
_SKIPPED = (
    "'\""
    # Spaces and controls that are no breaks.
    "\x00-\x08\x0e-\x20\x7f-\x84\x86-\xa0\u1680\u2000-\u200a\u202f\u205f\u3000\u2800"
    # Format characters and others without an image.
    "\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_BEGINNING = rf"(?:\A|(?<=[,;{_BREAKS}]))"
_MUST_GUARD = re.compile(rf"{_BEGINNING}(?=[{_SKIPPED}]*[{_FORMULA}])")
_GUARD = re.compile(rf"{_BEGINNING}'(?=[{_SKIPPED}]*[{_FORMULA}])")
# The lookahead excludes the first half of a doubled quotation mark.
_QUOTED = re.compile(r'"([^"]*(?:""[^"]*)*)"(?!")')


class Torn(Exception):
    """The line is not a record of CSV; the text has the position and the remedy."""


def guarded(text: str) -> str:
    """Put an apostrophe before each part that a spreadsheet could run as a formula."""
    return _MUST_GUARD.sub("'", text)


def unguarded(text: str) -> str:
    """Remove the apostrophes of `guarded`."""
    return _GUARD.sub("", text)


def written(cells: Iterable[str], delimiter: str) -> str:
    """Write a record with its line break: every cell guarded and in quotation marks."""
    quoted = (guarded(cell).replace('"', '""') for cell in cells)
    return delimiter.join(f'"{cell}"' for cell in quoted) + "\n"


def read(line: str, delimiter: str) -> list[str]:
    """Read the cells of a line without its line break."""
    for character, name in (("\0", "a NUL character"), ("\r", "a carriage return without a line feed")):
        if character in line:
            raise Torn(f"character {line.index(character) + 1} is {name}; remove it, and end lines with CRLF or LF")
    if '"' not in line:
        return line.split(delimiter)
    cells, at = [], 0
    while True:
        cell, at = _quoted(line, at) if line.startswith('"', at) else _plain(line, at, delimiter)
        cells.append(cell)
        if at == len(line):
            return cells
        if line[at] != delimiter:
            raise Torn(
                f"character {at + 1}: text follows the closing quotation mark of a cell; "
                "inside a cell in quotation marks, write each quotation mark twice"
            )
        at += 1


def _quoted(line: str, at: int) -> tuple[str, int]:
    found = _QUOTED.match(line, at)
    if found is None:
        raise Torn(
            f"character {at + 1}: a cell begins with a quotation mark and is not closed in this line; "
            "close it, and remove line breaks from cells"
        )
    return found[1].replace('""', '"'), found.end()


def _plain(line: str, at: int, delimiter: str) -> tuple[str, int]:
    end = line.find(delimiter, at)
    end = len(line) if end < 0 else end
    cell = line[at:end]
    if '"' in cell:
        raise Torn(
            f"character {at + cell.index(chr(34)) + 1}: a quotation mark inside a cell that does not begin with one; "
            "put the cell in quotation marks, and write each quotation mark in it twice"
        )
    return cell, end
