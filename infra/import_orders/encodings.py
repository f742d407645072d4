"""Encodings: a file that is not UTF-8 is never guessed at. The error names the line, the byte and the remedy; with
`--encoding`, the file is converted into a temporary file, strictly."""

from __future__ import annotations

import codecs
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from infra.import_orders.say import Refused, one_line

UTF_8 = "utf-8"
_WIDE = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")
# One byte is one character, and ASCII is the same.
_LATIN_1 = "latin-1"
_NARROW = (
    _LATIN_1,
    *(f"iso8859-{part}" for part in (*range(2, 11), *range(13, 17))),
    *(f"cp{page}" for page in range(1250, 1259)),
    *("cp437", "cp850", "cp852", "cp858", "cp866", "koi8-r", "koi8-u", "mac-roman"),
)
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, UTF_8),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_PIECE = 1 << 20
_SAMPLE = 1024
_SHOWN = 40


def known(name: str) -> str | None:
    """The canonical name of a supported encoding: `windows-1252` is `cp1252`."""
    try:
        found = codecs.lookup(name.strip()).name.removesuffix("-sig")
    except (LookupError, ValueError):
        return None
    found = _LATIN_1 if found == "iso8859-1" else found
    return found if found in (UTF_8, *_WIDE, *_NARROW) else None


class Position(NamedTuple):
    """The position of a byte."""

    line: int
    """From 1."""
    byte: int
    """In the line, from 1."""
    offset: int
    """In the file, from 0."""

    def __str__(self) -> str:
        return f"line {self.line}, byte {self.byte} (offset {self.offset} in the file)"


class _Line(NamedTuple):
    """A line or, of a very long one, a part."""

    number: int
    offset: int
    raw: bytes
    """With a character that is cut at its end completed by the next part."""


def check_width(file: BinaryIO, path: Path) -> None:
    """Raise if the file seems to be UTF-16 or UTF-32."""
    wide = _wide(file)
    if wide is not None:
        raise Refused(
            f"{path} is not UTF-8, from line 1, byte 1: it seems to be {wide}; "
            f"use --encoding {wide}, or save the file as UTF-8; nothing was sent"
        )


def check_utf_8(file: BinaryIO, path: Path) -> None:
    """Raise if the file is not UTF-8."""
    good: int | None = None
    for line in _lines(file):
        if line.raw.isascii():
            continue
        try:
            line.raw.decode(UTF_8)
            good = good or line.number
        except UnicodeDecodeError as error:
            raise Refused(f"{path} is not UTF-8: {_explained(file, line, error, good)}; nothing was sent") from None


def converted(file: BinaryIO, path: Path, encoding: str) -> BinaryIO:
    """Convert a file into a temporary one in UTF-8, without a byte-order mark."""
    encoding, begin = _beginning(file, path, encoding)
    if encoding in _NARROW:
        _check_narrow(file, path, encoding)
    file.seek(begin)
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    out = tempfile.TemporaryFile(prefix="tandem-")  # noqa: SIM115 - the caller closes it
    try:
        read, line = begin, 1
        while True:
            piece = file.read(_PIECE)
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(piece, final=not piece)
            except UnicodeDecodeError as error:
                line += str(error.object[: error.start].decode(encoding)).count("\n")
                raise Refused(
                    f"{path} is not {encoding}: line {line}, offset {read - pending + error.start} in the file: "
                    f"{error.reason}; name the file's encoding with --encoding; nothing was sent"
                ) from None
            read += len(piece)
            line += text.count("\n")
            out.write(text.encode(UTF_8))
            if not piece:
                out.flush()
                return out
    except BaseException:
        out.close()
        raise


def _wide(file: BinaryIO) -> str | None:
    """The encoding by a byte-order mark or, because a header is ASCII, by zero bytes."""
    file.seek(0)
    sample = file.read(_SAMPLE)
    for bom, encoding in _BOMS:
        if sample.startswith(bom):
            return None if encoding == UTF_8 else encoding.removesuffix("-le").removesuffix("-be")
    for zero, filled, encoding in (
        ((2, 3), (0,), "utf-32-le"),
        ((0, 1), (3,), "utf-32-be"),
        ((1, 3), (0, 2), "utf-16-le"),
        ((0, 2), (1, 3), "utf-16-be"),
    ):
        if _zeros(sample, zero) > 0.5 and _zeros(sample, filled) < 0.1:
            return encoding
    return None


def _zeros(sample: bytes, places: tuple[int, ...]) -> float:
    """The share of zero bytes at some places of each four bytes."""
    found = b"".join(sample[place::4] for place in places)
    return found.count(0) / max(len(found), 1)


def _explained(file: BinaryIO, line: _Line, error: UnicodeDecodeError, good: int | None) -> str:
    found = Position(line.number, error.start + 1, line.offset + error.start)
    wrong = error.object[error.start : max(error.end, error.start + 1)]
    text = f"{found} is 0x{wrong[:1].hex().upper()}"
    if error.reason == "unexpected end of data":
        return f"{text}, the first part of a character that the end of the file cuts; the file is incomplete"
    if line.raw[error.start :][:1] == b"\xed" and line.raw[error.start + 1 :][:1] >= b"\xa0":
        return f"{text}, half of a surrogate pair (CESU-8); export the file again, in UTF-8"
    good = good or next(
        (other.number for other in _lines(file) if not other.raw.isascii() and _is(other.raw, UTF_8)), None
    )
    if good is not None:
        return (
            f"{text}, but line {good} is UTF-8: the file mixes encodings, and no --encoding reads it right; "
            "export it again, in UTF-8"
        )
    # Windows-1252 includes the printable part of Latin-1.
    encoding = next((name for name in ("cp1252", _LATIN_1) if _is(line.raw, name)), None)
    if encoding is None:
        return f"{text}; name the file's encoding with --encoding, or save it as UTF-8"
    shown = one_line(line.raw[max(0, error.start - _SHOWN // 2) : error.start + _SHOWN].decode(encoding))
    return f"{text}; if {shown!r} is right, use --encoding {encoding}; if not, name its encoding or save it as UTF-8"


def _is(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _beginning(file: BinaryIO, path: Path, encoding: str) -> tuple[str, int]:
    """The encoding with the order of its bytes, and the length of the byte-order mark."""
    file.seek(0)
    head = file.read(4)
    bom, exact = next(((bom, name) for bom, name in _BOMS if head.startswith(bom)), (b"", ""))
    if not bom and encoding in ("utf-16", "utf-32"):
        raise Refused(
            f"{path} has no byte-order mark, so the order of its bytes is unknown; "
            f"use --encoding {encoding}-le or {encoding}-be; nothing was sent"
        )
    if bom and encoding not in (exact, exact.removesuffix("-le").removesuffix("-be")):
        remedy = "leave out --encoding" if exact == UTF_8 else f"use --encoding {exact}"
        raise Refused(f"{path} begins with the byte-order mark of {exact}, not {encoding}; {remedy}; nothing was sent")
    return exact or encoding, len(bom)


def _check_narrow(file: BinaryIO, path: Path, encoding: str) -> None:
    """Raise if a line is UTF-8 or not in the encoding: any byte is a character in most encodings of one byte."""
    utf_8: _Line | None = None
    other: _Line | None = None
    for line in _lines(file):
        if line.raw.isascii():
            continue
        if _is(line.raw, UTF_8):
            utf_8 = utf_8 or line
            continue
        other = other or line
        _check_line(line, path, encoding)
    if utf_8 is None:
        return
    if other is None:
        raise Refused(
            f"{path} is UTF-8, as line {utf_8.number} shows, not {encoding}; leave out --encoding. "
            "If it is not, convert the file to UTF-8 yourself; nothing was sent"
        )
    raise Refused(
        f"{path} mixes encodings: line {utf_8.number} is UTF-8, line {other.number} is not; "
        "export it again, in UTF-8; nothing was sent"
    )


def _check_line(line: _Line, path: Path, encoding: str) -> None:
    try:
        text = line.raw.decode(encoding)
        wrong = next((place for place, c in enumerate(text) if "\x80" <= c <= "\x9f"), None)
    except UnicodeDecodeError as error:
        wrong = error.start
    if wrong is not None:
        remedy = "use --encoding cp1252" if encoding != "cp1252" and _is(line.raw, "cp1252") else "name its encoding"
        raise Refused(
            f"{path} is not {encoding}: {Position(line.number, wrong + 1, line.offset + wrong)} is "
            f"0x{line.raw[wrong : wrong + 1].hex().upper()}, which is no character of that encoding; "
            f"{remedy}, or save the file as UTF-8; nothing was sent"
        )


def _lines(file: BinaryIO) -> Iterator[_Line]:
    """The lines, in parts of bounded length that do not end within a character of UTF-8."""
    file.seek(0)
    number, offset = 1, 0
    while raw := file.readline(_PIECE):
        if not raw.endswith(b"\n"):
            for _ in range(3):
                more = file.read(1)
                if not more or more < b"\x80" or more >= b"\xc0":
                    file.seek(-len(more), 1)
                    break
                raw += more
        yield _Line(number, offset, raw)
        number += raw.endswith(b"\n")
        offset += len(raw)
