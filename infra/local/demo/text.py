"""Formats values for the terminal."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Sequence
from typing import Any

WIDTH = 110
"""The longest line, in characters."""

_ID = re.compile(r"\b([a-z]{3})_[0-9a-f]{28}([0-9a-f]{4})\b")


def short_ids(text: str) -> str:
    """The text with each id cut to its prefix and its last four digits, which are random."""
    return _ID.sub(r"\1_…\2", text)


def plain(value: Any) -> str:
    """A JSON value without quotation marks."""
    if isinstance(value, dict):
        return f"{{{', '.join(members(value))}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(plain, value))}]"
    return value if isinstance(value, str) else json.dumps(value)


def members(value: dict[str, Any]) -> list[str]:
    """The members of a JSON object, each with its name."""
    return [f"{name}: {plain(member)}" for name, member in value.items()]


def shown(value: Any) -> str:
    """A readable value of an answer; an amount of money in the main unit of its currency."""
    if isinstance(value, dict) and value.keys() == {"amount", "currency"}:
        return money(value)
    return plain(value)


def money(value: dict[str, Any]) -> str:
    """An amount in a currency with a hundred minor units, as in the demo."""
    return f"{number(value)} {value['currency']}"


def number(value: dict[str, Any]) -> str:
    """An amount without its currency."""
    sign = "-" if value["amount"] < 0 else ""
    return f"{sign}{abs(value['amount']) // 100}.{abs(value['amount']) % 100:02}"


def pick(body: Any, path: str) -> Any:
    """The member of a JSON value at a dotted path; ``#`` is the length of a list.

    None where the path leads nowhere.
    """
    for part in path.split("."):
        if part == "#":
            body = len(body) if isinstance(body, list) else None
        elif isinstance(body, list):
            body = body[int(part)] if int(part) < len(body) else None
        else:
            body = body.get(part) if isinstance(body, dict) else None
    return body


def named(body: Any, path: str) -> str:
    """The member at a dotted path, with its name: ``status=active`` for the status of a list's first item."""
    name = re.sub(r"\.(\d+)", r"[\1]", path.removesuffix(".#")).removeprefix("items[0].")
    value = shown(pick(body, path))
    return value if name == "id" else f"{name}={value}"


def braced(parts: Sequence[str], width: int | None) -> str:
    """The members of an object, or the first of them if they do not fit into `width` characters."""
    whole = f"{{{', '.join(parts)}}}"
    if width is None or len(whole) <= width:
        return whole
    fewer = (f"{{{', '.join(parts[:count])}, …}}" for count in range(len(parts) - 1, 0, -1))
    return next((line for line in fewer if len(line) <= width), "{…}")


def wrapped(text: str, width: int, following: str = "  ") -> list[str]:
    """The text in lines of at most `width` characters, broken at spaces where there are any."""
    return textwrap.wrap(text, width, subsequent_indent=following, break_on_hyphens=False)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = ()) -> list[str]:
    """Aligned lines: the heads, then the rows; columns whose head is in `right` are numbers."""
    columns = list(zip(heads, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    return [
        "  ".join(
            cell.rjust(width) if head in right else cell.ljust(width)
            for head, cell, width in zip(heads, line, widths, strict=True)
        ).rstrip()
        for line in zip(*columns, strict=True)
    ]
