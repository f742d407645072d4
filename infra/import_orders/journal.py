"""Records the progress in JSON lines, append-only; each line is synced to disk before the next step."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from infra.import_orders.say import Refused
from infra.import_orders.source import Fault, Place, Superseded

VERSION = 2

T = TypeVar("T")


@dataclass(frozen=True)
class Begun:
    """The first record: the file and the target of the import."""

    file: str
    """The SHA-256 of the file."""
    size: int
    url: str
    format: str
    run: str
    encoding: str = "utf-8"
    version: int = VERSION


@dataclass(frozen=True)
class Sending:
    """A call that is about to be sent. `offset`, `line` and `carried` are its start; `limit` and `without` complete the
    input to build it again; `then_` is the start of the next call."""

    number: int
    offset: int
    line: int
    limit: int
    rows: int
    key: str
    at: float
    then_offset: int
    then_line: int
    carried: list[Place] = field(default_factory=list)
    without: list[int] = field(default_factory=list)
    then_carried: list[Place] = field(default_factory=list)
    aside: list[Fault] = field(default_factory=list)


@dataclass(frozen=True)
class Accepted:
    """The call was accepted."""

    number: int
    promise: str


@dataclass(frozen=True)
class Rejected:
    """The call was rejected because of these rows."""

    number: int
    rows: list[Fault]


@dataclass(frozen=True)
class Done:
    """The results of the rows of a call."""

    number: int
    counts: dict[str, int]
    faults: list[Fault]
    superseded: list[Superseded] = field(default_factory=list)


Record = Begun | Sending | Accepted | Rejected | Done

_KINDS: dict[str, type[Record]] = {
    "begun": Begun,
    "sending": Sending,
    "accepted": Accepted,
    "rejected": Rejected,
    "done": Done,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}
_BEGINNING = b'{"is":"begun",'


class Journal:
    """An open journal that no other process can open."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Refused(f"the journal {path} cannot be opened: {error.strerror}") from None
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._fd)
            raise Refused(f"another import is using the journal {path}; wait until it ends") from None
        _sync_folder(path.parent)

    def close(self) -> None:
        """Close the journal and release its lock."""
        os.close(self._fd)

    def append(self, record: Record) -> None:
        """Append a record; it is on disk when this returns."""
        line = json.dumps({"is": _NAMES[type(record)], **_shown(record)}, separators=(",", ":")) + "\n"
        rest = line.encode("ascii")
        while rest:
            rest = rest[os.write(self._fd, rest) :]
        os.fsync(self._fd)

    def drop_torn_end(self) -> None:
        """Remove an incomplete last line: the step that it announces has not begun."""
        end = 0
        with self.path.open("rb") as file:
            beginning = file.read(len(_BEGINNING))
            # A file named by mistake must not lose its last line.
            if not _BEGINNING.startswith(beginning):
                raise Refused(f"{self.path} is not a journal; name the right file with --state")
            file.seek(0)
            for line in file:
                end += len(line) if line.endswith(b"\n") else 0
        os.ftruncate(self._fd, end)

    def records(self) -> Iterator[Record]:
        """All records, oldest first."""
        with self.path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    yield _record(json.loads(line))
                except (ValueError, KeyError, TypeError):
                    raise Refused(
                        f"line {number} of {self.path} is not a line of a journal; name the right file with --state"
                    ) from None


def _shown(record: Record) -> dict[str, Any]:
    return {name: value for name, value in asdict(record).items() if value != []}


def _record(shown: dict[str, Any]) -> Record:
    kind = _KINDS[shown.pop("is")]
    for name, entry in (
        ("carried", Place),
        ("then_carried", Place),
        ("aside", Fault),
        ("rows", Fault),
        ("faults", Fault),
        ("superseded", Superseded),
    ):
        if isinstance(shown.get(name), list):
            shown[name] = [entry(*values) for values in shown[name]]
    if kind is Rejected:
        shown.setdefault("rows", [])
    if kind is Done:
        shown.setdefault("faults", [])
    return kind(**shown)


def _sync_folder(folder: Path) -> None:
    """Sync the folder, so that the journal's name is durable too."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
