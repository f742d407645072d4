"""Characters that show a damaged text, and ids that a spreadsheet or an export has replaced."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from infra.import_orders.say import shown

IDS = ("externalSystemId", "offerId", "invoiceCustomerId", "deliveryCustomerId")

_PLANES = "".join(f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(17))
_DAMAGED = re.compile(f"[\x80-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffd{_PLANES}]")

_SCIENTIFIC = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]*)?E[+-]?[0-9]+", re.IGNORECASE)
# In every language: #REF!, #BEZUG!, #¡VALOR!, #NAME?, #DIV/0!, #N/A, #N/D, a column that was too narrow, Err:502.
_ERROR = re.compile(
    r"#[¡¿]?[^\W\d_]+(?:[/ _.][^\W_]+)*[!?]|#[^\W\d_]/[^\W\d_]|#{2,}|(?:Err|Fehler|Erreur):[0-9]{3}", re.I
)
_ERRORS = {"#NV", "#YOK", "#BRAK", "#GETTING_DATA", "#DATEN_ABRUFEN", "#PYTHON!"}
_PLACEHOLDERS = {"null", "(null)", "none", "nil", "nan", "undefined", "n/a", "\\n", "[object object]"}


def damage(text: str) -> str | None:
    """Why a text cannot be the original, if a character shows that."""
    found = _DAMAGED.search(text)
    if found is None:
        return None
    code = ord(found[0])
    character = f"character {found.start() + 1} is U+{code:04X}"
    if code == 0xFFFD:
        return f"{character}, which replaces a character that a conversion lost; export the file again, in UTF-8"
    if code <= 0x9F:
        return (
            f"{character}, a control character; the text was Windows-1252 and was converted as Latin-1: "
            "use --encoding cp1252 with the original file, or export it again, in UTF-8"
        )
    if 0xD800 <= code <= 0xDFFF:
        return f"{character}, half of a surrogate pair; export the file again, with whole characters"
    return f"{character}, which is not a character of any text; export the file again, in UTF-8"


def damaged(value: Any, path: str = "") -> Iterator[str]:
    """The damage of each text in a JSON value, with its path."""
    if isinstance(value, str):
        found = damage(value)
        if found:
            yield f"{path}: {found}" if path else found
    elif isinstance(value, list):
        for place, entry in enumerate(value):
            yield from damaged(entry, f"{path}[{place}]")
    elif isinstance(value, dict):
        for name, entry in value.items():
            yield from (f"the name of a member, {shown(name)}: {found}" for found in damaged(name))
            yield from damaged(entry, f"{path}.{name}" if path else name)


def suspicion(item: dict[str, Any]) -> str | None:
    """Why an id of the item is probably not the original."""
    for name in IDS:
        reason = _suspicion(item[name].strip()) if isinstance(item.get(name), str) else None
        if reason:
            return f"{name} {shown(item[name])} {reason}"
    return None


def _suspicion(text: str) -> str | None:
    plain = unicodedata.normalize("NFKC", text)
    if _SCIENTIFIC.fullmatch(plain):
        return "is a number in scientific notation, as a spreadsheet shows a long number; its digits are lost"
    if _ERROR.fullmatch(plain) or plain.upper() in _ERRORS:
        return "is the error of a spreadsheet's formula"
    if plain.startswith("="):
        return "is a spreadsheet's formula; export its value"
    if plain.lower() in _PLACEHOLDERS:
        return "is the word of an export for a missing value"
    return None
