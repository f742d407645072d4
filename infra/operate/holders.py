"""Finds the client that owns a row, or the contracting company of a customer, by asking for the row at each of them."""

from __future__ import annotations

from collections.abc import Iterator

from infra.operate import imported, keys, rows
from infra.operate.keys import Asked
from infra.operate.rows import Listing, Row
from infra.operate.stack import Stack

_MEMBERS = {
    "order": rows.ORDER,
    "subscription": rows.SUBSCRIPTION,
    "customer": rows.CUSTOMER,
    "connection": rows.CONNECTION,
    "callback": rows.CALLBACK,
    "payout": rows.PAYOUT,
    "promise": rows.PROMISE,
    "replay": rows.REPLAY,
    "mail": rows.MAIL,
    "erasure": rows.ERASURE,
}


def clients(stack: Stack) -> list[str]:
    """The ids of all clients."""
    return [str(row["id"]) for row in rows.all_listed(stack, Listing("gsi2", keys.CLIENTS), ["id"])]


def clients_of(stack: Stack, company: str) -> list[str]:
    """The ids of the clients of a contracting company."""
    listing = Listing("gsi1", keys.CLIENTS_OF.format(company))
    return [str(row["id"]) for row in rows.all_listed(stack, listing, ["id"])]


def companies(stack: Stack) -> list[str]:
    """The ids of all contracting companies."""
    return [str(row["id"]) for row in rows.all_listed(stack, Listing("gsi1", keys.COMPANIES), ["id"])]


def find(stack: Stack, asked: Asked) -> list[Row]:
    """The rows that a person asked for: a sold subscription has one at each of its two clients.

    `clients` and `companies` come from an index; a tenant that was created within the last second may be missing.
    """
    if asked.kind == "voucher":
        sold = rows.with_voucher(stack, asked.id)
        return [sold] if sold and asked.client in (None, sold["clientId"]) else []
    if asked.is_shared:
        holders = [""]
    elif asked.kind == "customer":
        holders = companies(stack)
    else:
        holders = [asked.client] if asked.client else clients(stack)
    wanted = [asked.key(holder) for holder in holders]
    found = rows.batch(stack, wanted, _MEMBERS[asked.kind])
    own = [found[key] for key in wanted if key in found]
    return own or [_as_sold(row, asked) for row in _imported(stack, asked, holders)]


def _imported(stack: Stack, asked: Asked, holders: list[str]) -> Iterator[Row]:
    if asked.kind in ("order", "subscription"):
        for holder in holders:
            if row := imported.find(stack, holder, asked.id):
                yield row


def _as_sold(row: Row, asked: Asked) -> Row:
    return imported.order(row) if asked.kind == "order" else imported.subscription(row)


def erasure(stack: Stack, customer: str) -> Row | None:
    """The record of an erased customer."""
    wanted = [(keys.OWNED.format(company, customer), "erasure") for company in companies(stack)]
    return next(iter(rows.batch(stack, wanted, rows.ERASURE).values()), None)
