"""Unpacks the members that the store packs into one attribute, as shared/store/src/packed.rs describes."""

from __future__ import annotations

import json
import zlib
from functools import cache
from typing import Any

from infra.local.layout import ROOT

PACKED = "packed"
"""The binary attribute."""
_MAX_JSON = 1024 * 1024


def members(octets: bytes) -> dict[str, Any]:
    """The packed members. Raises a `ValueError` if they are corrupt."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS, zdict=_dictionary(octets[0]))
    try:
        text = stream.decompress(octets[1:], _MAX_JSON)
    except zlib.error as error:
        raise ValueError(f"the packed members are corrupt: {error}") from None
    found = json.loads(text)
    if not stream.eof or not isinstance(found, dict):
        raise ValueError("the packed members are corrupt")
    return found


def pack(row: dict[str, Any]) -> bytes:
    """Pack members; only tests do."""
    stream = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, zdict=_dictionary(1))
    return b"\x01" + stream.compress(json.dumps(row).encode()) + stream.flush()


@cache
def _dictionary(number: int) -> bytes:
    path = ROOT / f"shared/store/dictionaries/{number}.txt"
    if not path.is_file():
        raise ValueError(f"there is no dictionary {number}; use the checkout of the release that wrote the row")
    return path.read_bytes()
