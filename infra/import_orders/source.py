"""The file as rows. It is never read whole: a row is read from its place, as often as it is needed."""

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
"""What the API takes in one call, in bytes."""
AROUND_ITEMS = len(b'{"items":[]}')
_LARGEST_ROW = LARGEST_BODY - AROUND_ITEMS
_PIECE = 1 << 20


class Place(NamedTuple):
    """Where a line begins: in bytes from the file's start, and as its number, 1 for the first."""

    offset: int
    line: int


class Fault(NamedTuple):
    """A row that was not taken over, and why."""

    offset: int
    line: int
    code: str
    detail: str


@dataclass(frozen=True)
class Row:
    """A row that can be sent."""

    place: Place
    external: str | None
    """Its externalSystemId as the API compares it."""
    json: bytes


class Source:
    """An open file of orders."""

    def __init__(self, path: Path, format: str) -> None:
        self.path = path
        try:
            if not stat.S_ISREG(path.stat().st_mode):  # before it is opened, which waits for a pipe's other end
                raise Refused(
                    f"{path} is no plain file; it is read again to resume and to report, so a pipe will not do"
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
        """The SHA-256 of all it holds."""
        digest = hashlib.sha256()
        self._file.seek(0)
        while piece := self._file.read(_PIECE):
            digest.update(piece)
        self.check_unchanged()
        return digest.hexdigest()

    def check_unchanged(self) -> None:
        """Refuse to go on with a file that is being written to."""
        now = os.fstat(self._file.fileno())
        if (now.st_size, now.st_mtime_ns) != (self._was.st_size, self._was.st_mtime_ns):
            raise Refused(f"{self.path} was changed while it was imported; put back what it was to go on with it")

    def row(self, place: Place) -> tuple[Row | Fault | None, Place]:
        """The row at a place, None for a blank line, and the place of the next line."""
        raw, after = self._line(place)
        try:
            return self._read(raw, place), after
        except Unreadable as error:
            return Fault(place.offset, place.line, "unreadable", str(error)), after

    def text(self, place: Place) -> str:
        """The line at a place, whatever it holds."""
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
            raise Unreadable("a number in it is too large, or a text holds half a character") from None
        if len(encoded) > _LARGEST_ROW:
            raise Unreadable(too_large)
        external = item.get("externalSystemId")
        return Row(place, _compared(external) if isinstance(external, str) else None, encoded)

    def _line(self, place: Place) -> tuple[bytes, Place]:
        """The line at a place with its end; of one that is too long to be sent only its beginning."""
        self._file.seek(place.offset)
        line = piece = self._file.readline(_LARGEST_ROW + 2)
        offset = place.offset + len(line)
        while piece and not piece.endswith(b"\n"):
            piece = self._file.readline(_PIECE)
            offset += len(piece)
        return line, Place(offset, place.line + 1)


def _compared(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip())
