"""Checks the whole file before anything is sent: one damaged line means that others may be damaged unseen."""

from __future__ import annotations

from collections.abc import Callable

from infra.import_orders.say import Refused, number, rows
from infra.import_orders.source import Damage, Fault, Row, Source

_MAX_SHOWN = 20


class _Found:
    """Problems of one kind, the first with their lines."""

    def __init__(self) -> None:
        self._shown: list[str] = []
        self.count = 0

    def add(self, line: int, text: str) -> None:
        """Add a problem."""
        self.count += 1
        if len(self._shown) < _MAX_SHOWN:
            self._shown.append(f"\n  line {line}: {text}")

    def __str__(self) -> str:
        left_out = self.count - len(self._shown)
        return "".join(self._shown) + (f"\n  and {number(left_out)} more" if left_out else "")


def check(source: Source, allow_suspicious_ids: bool, say: Callable[[str], None]) -> None:
    """Raise if nothing of the file may be sent, and name the lines that will fail alone."""
    source.check_encoding()
    damaged, suspicious, unreadable = _Found(), _Found(), _Found()
    place = source.first
    while place.offset < source.size:
        found, place = source.row(place)
        if isinstance(found, Fault):
            (damaged if isinstance(found, Damage) else unreadable).add(found.line, found.detail)
        elif isinstance(found, Row) and found.suspicion:
            suspicious.add(found.place.line, found.suspicion)
    if damaged.count:
        raise Refused(f"{source.path} is damaged; correct it at its source. Nothing was sent:{damaged}")
    if suspicious.count and not allow_suspicious_ids:
        raise Refused(
            f"{source.path} has ids that a spreadsheet or an export seems to have replaced; correct them, or insist "
            f"with --allow-suspicious-ids. Nothing was sent:{suspicious}"
        )
    if unreadable.count:
        say(f"{rows(unreadable.count)} cannot be read and will be reported as failed:{unreadable}")
