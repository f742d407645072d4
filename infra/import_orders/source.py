"""Reads the rows of the file by position, as often as needed; the file is never loaded as a whole."""

from __future__ import annotations

import codecs
import hashlib
import json
import os
import stat
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from infra.import_orders.formats import Csv, Format, JsonLines, Unreadable
from infra.import_orders.say import Refused

LARGEST_BODY = 2 * 1024 * 1024
"""The API's limit for one call, in bytes."""
AROUND_ITEMS = len(b'{"items":[]}')
_LARGEST_ROW = LARGEST_BODY - AROUND_ITEMS
_PIECE = 1 << 20


class Place(NamedTuple):
    """The position of a line: its offset in bytes, and its number from 1."""

    offset: int
    line: int


class Fault(NamedTuple):
    """A row that was not imported, with the reason."""

    offset: int
    line: int
    code: str
    detail: str


@dataclass(frozen=True)
class Row:
    """A row that can be sent."""

    place: Place
    external: str | None
    """The externalSystemId in the form that the API compares."""
    json: bytes


class Source:
    """An open file of orders."""

    def __init__(self, path: Path, format: str) -> None:
        self.path = path
        try:
            if not stat.S_ISREG(path.stat().st_mode):  # before opening, which would block on a pipe
                raise Refused(
                    f"{path} is not a regular file; it is read again to resume and to report, so a pipe does not work"
                )
            self._file = path.open("rb")
        except OSError as error:
            raise Refused(f"{path} cannot be read: {error.strerror}") from None
        try:
            self._begin(format)
        except BaseException:
            self._file.close()
            raise

    def _begin(self, format: str) -> None:
        self._was = os.fstat(self._file.fileno())
        self.size = self._was.st_size
        self.has_bom = self._file.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8
        self.first = Place(len(codecs.BOM_UTF8) if self.has_bom else 0, 1)
        self.format: Format = self._csv() if format == "csv" else JsonLines()

    def _csv(self) -> Csv:
        header, self.first = self._line(self.first)
        try:
            return Csv(header.decode("utf-8").rstrip("\r\n"))
        except UnicodeDecodeError:
            raise Refused(f"{self.path} is not UTF-8; save it as CSV in UTF-8") from None

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def fingerprint(self) -> str:
        """The SHA-256 of the content."""
        digest = hashlib.sha256()
        self._file.seek(0)
        while piece := self._file.read(_PIECE):
            digest.update(piece)
        self.check_unchanged()
        return digest.hexdigest()

    def check_unchanged(self) -> None:
        """Raise if the file has changed."""
        now = os.fstat(self._file.fileno())
        if (now.st_size, now.st_mtime_ns) != (self._was.st_size, self._was.st_mtime_ns):
            raise Refused(f"{self.path} changed during its import; restore its content to resume")

    def row(self, place: Place) -> tuple[Row | Fault | None, Place]:
        """Read the row at a position, None for a blank line, and the position of the next line."""
        raw, after = self._line(place)
        try:
            return self._read(raw, place), after
        except Unreadable as error:
            return Fault(place.offset, place.line, "unreadable", str(error)), after

    def text(self, place: Place) -> str:
        """Read the raw line at a position."""
        return self._line(place)[0].decode("utf-8", "replace").rstrip("\r\n")

    def _read(self, raw: bytes, place: Place) -> Row | None:
        too_large = f"the row does not fit into a call of {LARGEST_BODY} bytes"
        if len(raw) > _LARGEST_ROW:
            raise Unreadable(too_large)
        try:
            item = self.format.item(raw.decode("utf-8").rstrip("\r\n"))
            if item is None:
                return None
            encoded = json.dumps(item, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")
        except UnicodeDecodeError:
            raise Unreadable("the line is not UTF-8; save the file in UTF-8") from None
        except ValueError:
            raise Unreadable("a number in it is too large, or a text contains half a character") from None
        if len(encoded) > _LARGEST_ROW:
            raise Unreadable(too_large)
        external = item.get("externalSystemId")
        return Row(place, _compared(external) if isinstance(external, str) else None, encoded)

    def _line(self, place: Place) -> tuple[bytes, Place]:
        """Read the line at a position with its end; only the beginning of a line that is too long to send."""
        self._file.seek(place.offset)
        line = piece = self._file.readline(_LARGEST_ROW + 2)
        offset = place.offset + len(line)
        while piece and not piece.endswith(b"\n"):
            piece = self._file.readline(_PIECE)
            offset += len(piece)
        return line, Place(offset, place.line + 1)


def _compared(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip())
