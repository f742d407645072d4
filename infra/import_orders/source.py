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
from typing import BinaryIO, NamedTuple

from infra.import_orders import encodings
from infra.import_orders.formats import UNREADABLE, Csv, Format, JsonLines, Unreadable, Unsafe
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


class Damage(Fault):
    """A line that shows that the file is damaged."""


class Superseded(NamedTuple):
    """Members of a row that were not set, because an import that was accepted later sets them."""

    offset: int
    line: int
    external: str
    """The externalSystemId in the form that the API compares."""
    members: list[str]
    by: str
    """The latest of these imports."""


@dataclass(frozen=True)
class Row:
    """A row that can be sent."""

    place: Place
    external: str | None
    """The externalSystemId in the form that the API compares."""
    json: bytes
    suspicion: str | None = None
    """Why an id of the row is probably not the original."""


class Source:
    """An open file of orders."""

    def __init__(self, path: Path, format: str, encoding: str = encodings.UTF_8) -> None:
        self.path, self.encoding = path, encoding
        try:
            if not stat.S_ISREG(path.stat().st_mode):  # before opening, which would block on a pipe
                raise Refused(
                    f"{path} is not a regular file; it is read again to resume and to report, so a pipe does not work"
                )
            self._original = path.open("rb")
        except OSError as error:
            raise Refused(f"{path} cannot be read: {error.strerror}") from None
        self._file: BinaryIO = self._original
        """The rows in UTF-8: the original, or a converted copy."""
        try:
            self._begin(format)
        except BaseException:
            self.close()
            raise

    def _begin(self, format: str) -> None:
        self._was = os.fstat(self._original.fileno())
        if self.encoding != encodings.UTF_8:
            self._file = encodings.converted(self._original, self.path, self.encoding)
        else:
            encodings.check_width(self._file, self.path)
        self.size = os.fstat(self._file.fileno()).st_size
        self._file.seek(0)
        has_bom = self._file.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8
        self.first = Place(len(codecs.BOM_UTF8) if has_bom else 0, 1)
        self.format: Format = self._csv() if format == "csv" else JsonLines()

    def _csv(self) -> Csv:
        header, self.first = self._line(self.first)
        try:
            return Csv(_text(header))
        except UnicodeDecodeError:
            self.check_encoding()
            raise Refused(f"line 1 of {self.path} is too long for a header") from None

    def check_encoding(self) -> None:
        """Raise if the file is not UTF-8."""
        if self._file is self._original:
            encodings.check_utf_8(self._file, self.path)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        self._original.close()

    def fingerprint(self) -> str:
        """The SHA-256 of the content."""
        digest = hashlib.sha256()
        self._original.seek(0)
        while piece := self._original.read(_PIECE):
            digest.update(piece)
        self.check_unchanged()
        return digest.hexdigest()

    def check_unchanged(self) -> None:
        """Raise if the file has changed."""
        now = os.fstat(self._original.fileno())
        if (now.st_size, now.st_mtime_ns) != (self._was.st_size, self._was.st_mtime_ns):
            raise Refused(f"{self.path} changed during its import; restore its content to resume")

    def row(self, place: Place) -> tuple[Row | Fault | None, Place]:
        """Read the row at a position, None for a blank line, and the position of the next line."""
        raw, after = self._line(place)
        try:
            return self._read(raw, place), after
        except Unreadable as error:
            kind = Damage if isinstance(error, Unsafe) else Fault
            return kind(place.offset, place.line, UNREADABLE, str(error)), after

    def text(self, place: Place) -> str:
        """Read the line at a position; only the beginning of a line that is too long to send."""
        # Not `final`: a character that is cut at the end is left out.
        return _unbroken(codecs.getincrementaldecoder("utf-8")().decode(self._line(place)[0]))

    def _read(self, raw: bytes, place: Place) -> Row | None:
        too_large = f"the row does not fit into a call of {LARGEST_BODY} bytes"
        if len(raw) > _LARGEST_ROW:
            raise Unreadable(too_large)
        try:
            text = _text(raw)
            if text.startswith("\ufeff"):
                raise Unsafe("a byte-order mark begins the line, as in two files that were joined; remove it")
            item = self.format.item(text)
            if item is None:
                return None
            encoded = json.dumps(item, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")
        except UnicodeDecodeError:
            raise Unsafe(
                "the line is not UTF-8; name the encoding with --encoding, or save the file as UTF-8"
            ) from None
        except ValueError:
            raise Unreadable("a number in it is too large, or a text contains half a character") from None
        if len(encoded) > _LARGEST_ROW:
            raise Unreadable(too_large)
        external = item.get("externalSystemId")
        external = compared(external) if isinstance(external, str) else None
        return Row(place, external, encoded, self.format.suspicion(item))

    def _line(self, place: Place) -> tuple[bytes, Place]:
        """Read the line at a position with its end; only the beginning of a line that is too long to send."""
        self._file.seek(place.offset)
        line = piece = self._file.readline(_LARGEST_ROW + 2)
        offset = place.offset + len(line)
        while piece and not piece.endswith(b"\n"):
            piece = self._file.readline(_PIECE)
            offset += len(piece)
        return line, Place(offset, place.line + 1)


def _text(raw: bytes) -> str:
    return _unbroken(raw.decode("utf-8"))


def _unbroken(line: str) -> str:
    return line[:-1].removesuffix("\r") if line.endswith("\n") else line


def compared(text: str) -> str:
    """The form of an externalSystemId that the API compares."""
    return unicodedata.normalize("NFC", text.strip())
