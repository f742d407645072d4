"""Formats messages, and the two errors that end the import early."""

from __future__ import annotations

MAX_CHARACTERS = 2_000


class Refused(Exception):
    """The user must change something first; the text names it."""


class Stopped(Exception):
    """The import cannot continue now; the same command resumes it later."""


def one_line(text: str) -> str:
    """Make an untrusted text safe for a terminal and for one line of a file."""
    shown = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(shown.split())[:MAX_CHARACTERS]


def shown(text: str) -> str:
    """Quote an untrusted text for a message."""
    return "'" + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text[:100]) + "'"


def number(value: int) -> str:
    """Format a number with thousands separators."""
    return f"{value:,}"


def rows(count: int) -> str:
    """Format a number of rows."""
    return "1 row" if count == 1 else f"{number(count)} rows"
