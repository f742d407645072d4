"""Gathers the rows about one customer, and opens what is sealed under the customer's key.

Two ways to find the rows. *Lists*: the customer's own row, and by the indexes the orders, subscriptions,
payout rows and callbacks that follow from it. *Scan*: also every row of the table that names the customer; only this
finds the stored answers of an `Idempotency-Key` and the items of imports, which no index lists by customer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any

from infra.operate import holders, keys, rows, sealing
from infra.operate.rows import Key, Listing, Row
from infra.operate.sealing import CannotOpen, Sealer
from infra.operate.stack import Stack

_SEGMENTS = 8
"""Parts of the table that are scanned at once."""
_TECHNICAL = (
    *("pk", "sk", "gsi1pk", "gsi2pk", "gsisk", "commit", "version"),
    *("dueShard", "sweepAt", "sweptAt", "expiresAt"),
)
_FINGERPRINT = 16
"""Octets before a stored answer: the fingerprint of its request."""
_ERASED = "(erased with the customer's key)"


def gather(stack: Stack, customer: Row, scan: bool) -> list[Row]:
    """All rows about a customer, each once, in the order of their keys. `customer` has `id` and `companyId`."""
    found: dict[Key, Row] = {}
    for row in chain(_listed(stack, customer), _scanned(stack, str(customer["id"])) if scan else ()):
        found[str(row["pk"]), str(row["sk"])] = row
    for row in [row for row in found.values() if row["sk"] == "callback"]:
        for attempt in rows.whole_beginning_with(stack, str(row["pk"]), "attempt#"):
            found[str(attempt["pk"]), str(attempt["sk"])] = attempt
    return [found[key] for key in sorted(found)]


def _scanned(stack: Stack, customer: str) -> Iterator[Row]:
    with ThreadPoolExecutor(max_workers=_SEGMENTS) as pool:
        segments = pool.map(lambda number: _segment(stack, number, customer), range(_SEGMENTS))
        yield from (row for segment in segments for row in segment)


def _segment(stack: Stack, number: int, customer: str) -> list[Row]:
    return [row for row in rows.scanned(stack, number, _SEGMENTS) if _names(row, customer)]


def _names(value: Any, customer: str) -> bool:
    """Whether a value, or a part of it, names the customer."""
    if isinstance(value, str):
        return customer in value
    if isinstance(value, dict):
        return any(_names(part, customer) for part in value.values())
    return isinstance(value, (list, set)) and any(_names(part, customer) for part in value)


def _listed(stack: Stack, customer: Row) -> Iterator[Row]:
    id, company = str(customer["id"]), str(customer["companyId"])
    yield from rows.whole_batch(stack, [(keys.OWNED.format(company, id), sk) for sk in ("customer", "erasure")])
    sources: set[str] = set()
    start = keys.created_at(id)
    for client in holders.clients_of(stack, company):
        for row in rows.whole_list(stack, Listing("gsi2", keys.ORDERS_BY.format(client, id))):
            sources |= {str(sold["sourceClientId"]) for sold in row["positions"] if "sourceClientId" in sold}
            yield row
        yield from rows.whole_list(stack, Listing("gsi2", keys.SUBSCRIPTIONS_FOR.format(client, id)))
        yield from rows.whole_beginning_with(stack, keys.OWNED.format(client, id), "once#")
        for row in rows.whole_list(stack, Listing("gsi2", keys.IMPORTED_FOR.format(client, id))):
            yield row
            yield from rows.whole_beginning_with(stack, str(row["pk"]), "records#")
        payouts = Listing("gsi2", keys.PAYOUTS_FROM.format(client), keys.first_id("pay", start), "customerId", id)
        yield from rows.whole_list(stack, payouts)
    for source in sorted(sources):
        callbacks = keys.CALLBACKS_OF.format(source)
        about = Listing("gsi1", callbacks, keys.first_id("cbk", start), "concerned", keys.OWNED.format(company, id))
        yield from rows.whole_list(stack, about)


def plain(found: list[Row], customer: Row, data_key: Sealer) -> dict[str, list[Row]]:
    """The rows by kind, without technical members; with personal data opened, and other sealed values left out."""
    own = next((row for row in found if row["sk"] == "customer"), None)
    person = data_key.personal(str(own["id"]), bytes(own["sealedKey"])) if own else None
    by_kind: dict[str, list[Row]] = {}
    for row in found:
        kind = str(row["sk"]).partition("#")[0]
        shown = _shown(row) | _opened(row, person)
        if kind == "callback" and "log" in row:
            shown["log"] = [_attempt(row, attempt, person) for attempt in row["log"]]
        by_kind.setdefault(kind, []).append(shown)
    for row in by_kind.get("items", []):
        # A chunk of an import has the orders of other customers, too.
        row["items"] = [item for item in row["items"] if _names(item, str(customer["id"]))]
    return by_kind


def _shown(row: Row) -> Row:
    """The members that are not sealed: the sealed body of a callback repeats the sale, and has the voucher's code."""
    return {name: value for name, value in row.items() if name not in _TECHNICAL and not name.startswith("sealed")}


def _opened(row: Row, person: Sealer | None) -> Row:
    """The personal data of a row that is sealed under the person's key."""
    sealed = {
        "sealedPerson": ("person", sealing.PERSONAL_DATA, str(row.get("id"))),
        "sealedAnswer": ("answer", *_of_answer(row)),
    }
    opened: Row = {}
    for member, (name, purpose, bound_to) in sealed.items():
        if member not in row:
            continue
        if person is None:
            opened[name] = _ERASED
            continue
        try:
            text = person.open(purpose, bound_to, bytes(row[member]))
        except CannotOpen as error:
            raise CannotOpen(f"{row['pk']} {row['sk']}: {member}: {error}") from None
        if purpose == sealing.IDEMPOTENT_ANSWER:
            text = text[_FINGERPRINT:]
        opened[name] = text.decode() if purpose == sealing.RECEIVED_ANSWER else json.loads(text)
    return opened


def _attempt(callback: Row, attempt: Row, person: Sealer | None) -> Row:
    """An attempt in the row of its callback, as if it had a row of its own."""
    own = attempt | {"pk": callback["pk"], "sk": f"attempt#{int(attempt['number']):06}"}
    return _shown(own) | _opened(own, person)


def _of_answer(row: Row) -> tuple[str, str]:
    """The purpose of a sealed answer, and the name that it is bound to."""
    if row["sk"] == "idempotency":
        return sealing.IDEMPOTENT_ANSWER, f"{row['caller']}#{row['scope']}"
    callback = str(row["pk"]).rpartition("#")[2]
    return sealing.RECEIVED_ANSWER, f"{callback}#{row.get('number')}"
