"""Formats times for people."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone


def now() -> datetime:
    """The current time, in UTC."""
    return datetime.now(timezone.utc)


def read(text: str) -> datetime:
    """Parse a time of the table, without its fraction: Python 3.10 does not accept every length of fraction."""
    return datetime.strptime(text.removesuffix("Z").partition(".")[0], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)


def of_milliseconds(text: str) -> datetime:
    """Parse a number of the table: milliseconds since 1970."""
    return datetime.fromtimestamp(int(text) / 1000, timezone.utc)


def span(length: timedelta) -> str:
    """Format a duration in its two largest units: ``2 h 5 min``."""
    seconds = int(length.total_seconds())
    if seconds < 60:
        return f"{max(seconds, 0)} s"
    units = (("d", 86_400), ("h", 3_600), ("min", 60))
    parts = []
    for name, size in units:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2])


def relative(text: str, at: datetime) -> str:
    """Format a time of the table with its distance from `at`: ``2026-07-01 12:00:00 UTC (5 min ago)``."""
    time = read(text)
    shown = time.strftime("%Y-%m-%d %H:%M:%S UTC")
    distance = f"{span(at - time)} ago" if time <= at else f"in {span(time - at)}"
    return f"{shown} ({distance})"
