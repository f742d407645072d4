"""Searches the functions' logs for texts of requests and answers.

Every text of every request is a canary: names, e-mail addresses, codes, keys, addresses, whole bodies, values of
queries and the Idempotency-Key. Of the answers, keys, secrets, voucher codes and the answers of callback receivers are
canaries. The beginning of a long text is a canary too, because a log may shorten it. Ids, times and the words of
docs/openapi.yaml are not, because logs may contain them. The stories must fill every field of every request: an unused
field could be logged without notice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import unquote_plus

import yaml

from infra.local.layout import ROOT, State
from infra.local.say import Problem, say

_SECRET_ANSWERS = ("apiKey", "key", "secret", "voucherCode", "answer")
_SHORTEST = 6
"""Shorter texts appear in logs by chance."""

_LONG = 24
"""From this length on, the beginning of a text is searched too."""

_BEGINNING = 16

_BEGINS_AS_OTHERS = re.compile(
    r"[a-z]{3}_"  # ids and keys, whose public parts may be logged
    r"|[a-z]+://"  # addresses, whose hosts many share
    r"|[0-9a-f]{8}-[0-9a-f]{4}-"  # UUIDs, which begin with their time
    r"|[\dT.,:+-]{16}"  # times and numbers
)
"""Such texts are searched as a whole only: unrelated logs contain their beginnings."""

_FEWEST_LETTERS = 4
"""A beginning with fewer different characters, such as spaces, is not significant."""

_MAX_SHOWN = 20

_PUBLIC = re.compile(
    r"(?:[a-z]{3}_[0-9a-f]{32}"  # an id
    r"|\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d))?"  # a date or a time
    r"|[\d.,:+-]+)"
)


def search(state: State) -> None:
    """Search the logs. Raises a `Problem` if a log has a canary, or if a story left a field unused."""
    calls = (
        [json.loads(line) for line in state.exchanges.read_text().split("\n") if line]
        if state.exchanges.exists()
        else []
    )
    described, openapi = _openapi()
    canaries = {text for call in calls for text in _canaries(call)} - _words(openapi)
    beginnings = {text for text in _beginnings(canaries) if text not in described}
    logs = sorted(state.function_logs.glob("*.log"))
    lines, findings = 0, []
    for log in logs:
        text = log.read_text(errors="replace")
        lines += text.count("\n")
        whole = _found(text, canaries)
        cut = [start for start in _found(text, beginnings) if not any(canary.startswith(start) for canary in whole)]
        findings += [f"{log.name} has {canary[:80]!r}: {_around(text, canary)}" for canary in (*whole, *cut)]
    if findings:
        shown = "\n".join(findings[:_MAX_SHOWN])
        raise Problem(f"{len(findings)} text(s) of requests or answers are in the logs:\n{shown}")
    unfilled = _fields(openapi) - {field for call in calls for field in _filled(call)}
    if unfilled:
        raise Problem(f"no story fills these fields, so their logging is untested: {sorted(unfilled)}")
    if not (canaries and lines):
        raise Problem("there are no canaries or no logs")
    say(f"none of {len(canaries)} texts of requests and answers is in {lines} lines of {len(logs)} logs")


@cache
def _openapi() -> tuple[str, Any]:
    """docs/openapi.yaml as text and parsed, which takes seconds."""
    text = (ROOT / "docs" / "openapi.yaml").read_text()
    return text, yaml.safe_load(text)


def _canaries(call: dict[str, Any]) -> Iterator[str]:
    """The texts of a call that no log may contain."""
    body, answer = _json(call["body"]), _json(call["answer"])
    texts = [text for _, text in _texts(body, "")]
    texts += [text for path, text in _texts(answer, "") if path.rpartition(".")[2] in _SECRET_ANSWERS]
    texts += [(call["authorization"] or "").removeprefix("Bearer "), call["idempotencyKey"] or ""]
    texts += _query_texts(call["query"] or "")
    if body is None:
        texts.append(call["body"] or "")
    return (text for text in texts if len(text) >= _SHORTEST and not _PUBLIC.fullmatch(text))


def _query_texts(query: str) -> Iterator[str]:
    """The values of a query, decoded and encoded."""
    for pair in query.split("&"):
        value = pair.partition("=")[2]
        yield from {value, unquote_plus(value)}


def _beginnings(canaries: set[str]) -> set[str]:
    """The beginnings of the long texts, which a log that shortens texts would contain."""
    long = (text[:_BEGINNING] for text in canaries if len(text) >= _LONG and not _BEGINS_AS_OTHERS.match(text))
    return {beginning for beginning in long if len(set(beginning)) >= _FEWEST_LETTERS}


def _filled(call: dict[str, Any]) -> Iterator[tuple[str, str]]:
    return ((str(call["route"]), path) for path, _ in _texts(_json(call["body"]), ""))


def _json(text: str | None) -> Any:
    try:
        return json.loads(text or "null")
    except (ValueError, RecursionError):  # invalid JSON, or a deliberately deep nesting
        return None


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """The texts in a JSON value with their paths; all items of a list share one path."""
    match value:
        case str():
            yield path, value
        case dict():
            for name, member in value.items():
                yield from _texts(member, f"{path}.{name}")
        case list():
            for item in value:
                yield from _texts(item, f"{path}[]")


def _found(text: str, canaries: set[str]) -> list[str]:
    """The canaries in a log, as they are or as JSON writes them."""
    # Quick rejection: the log must contain the beginning and the end of the text.
    pieces = {text[at : at + _SHORTEST] for at in range(len(text))}
    return [
        canary
        for canary in sorted(canaries)
        if any(form[:_SHORTEST] in pieces and form[-_SHORTEST:] in pieces and form in text for form in _forms(canary))
    ]


def _around(text: str, canary: str) -> str:
    """The beginning of the log line with a canary."""
    at = max(text.find(form) for form in _forms(canary))
    return text[text.rfind("\n", 0, at) + 1 :].partition("\n")[0][:400]


def _forms(text: str) -> set[str]:
    """A text as it is, and its JSON forms, with and without escapes of non-ASCII characters."""
    return {text, json.dumps(text, ensure_ascii=False)[1:-1], json.dumps(text)[1:-1]}


def _words(openapi: dict[str, Any]) -> set[str]:
    """The enumerated values and the route words of docs/openapi.yaml, which are public."""

    def listed(value: Any) -> Iterator[str]:
        match value:
            case dict():
                yield from (str(word) for word in value.get("enum", []))
                yield str(value.get("const", ""))
                for member in value.values():
                    yield from listed(member)
            case list():
                for item in value:
                    yield from listed(item)

    return set(listed(openapi)) | {word for path in openapi["paths"] for word in path.split("/")}


def _fields(openapi: dict[str, Any]) -> set[tuple[str, str]]:
    """Every free-text field of every request."""

    def resolved(node: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in node:
            _, kind, name = node["$ref"].removeprefix("#/").split("/")
            node = openapi["components"][kind][name]
        return node

    def fields(schema: dict[str, Any], path: str) -> Iterator[str]:
        schema = resolved(schema)
        for name, member in schema.get("properties", {}).items():
            yield from fields(member, f"{path}.{name}")
        if "items" in schema:
            yield from fields(schema["items"], f"{path}[]")
        for part in (*schema.get("allOf", []), *schema.get("oneOf", []), *schema.get("anyOf", [])):
            yield from fields(part, path)
        types = schema.get("type", [])
        if "string" in ([types] if isinstance(types, str) else types) and not _is_listed(schema):
            yield path

    found = set()
    for path, item in openapi["paths"].items():
        for method, operation in item.items():
            if method in ("get", "post", "put", "patch", "delete"):
                for body in resolved(operation.get("requestBody", {})).get("content", {}).values():
                    found |= {(f"{method.upper()} {path}", field) for field in fields(body["schema"], "")}
    return found


def _is_listed(schema: dict[str, Any]) -> bool:
    return "enum" in schema or "const" in schema or schema.get("format") in ("date", "date-time")
