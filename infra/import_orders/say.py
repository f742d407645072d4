"""What is told to the person, and the two ways in which the work ends before its end."""

from __future__ import annotations

MOST_CHARACTERS = 2_000


class Refused(Exception):
    """The person has to change something first; its text says what."""


class Stopped(Exception):
    """It cannot go on now, but nothing is lost: the same command goes on later."""


def one_line(text: str) -> str:
    """A text of others, made harmless for a terminal and for one line of a file."""
    shown = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(shown.split())[:MOST_CHARACTERS]


def number(value: int) -> str:
    """A number with its thousands apart."""
    return f"{value:,}"


def rows(count: int) -> str:
    """So many rows."""
    return "1 row" if count == 1 else f"{number(count)} rows"
