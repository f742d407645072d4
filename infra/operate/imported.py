"""Reads imported orders. An order and its subscription share the row of their `externalSystemId`."""

from __future__ import annotations

from typing import Any

from infra.operate import keys, rows
from infra.operate.rows import Listing, Row
from infra.operate.stack import Stack

_CHUNK = 25
"""Items of a chunk."""


def find(stack: Stack, client: str, id: str) -> Row | None:
    """The row of an order's or a subscription's id at a client."""
    partition = keys.IMPORTED.format(client, keys.tail_of(id))
    found = rows.beginning_with(stack, partition, "imported#", rows.IMPORTED)
    uuid = id.partition("_")[2]
    return next((row for row in found if row.get("gsisk") == uuid), None)


def of_customer(stack: Stack, client: str, customer: str) -> list[Row]:
    """The rows of a customer's imported orders at a client."""
    return rows.all_listed(stack, Listing("gsi2", keys.IMPORTED_FOR.format(client, customer)), rows.IMPORTED)


def order(row: Row) -> Row:
    """The order, with the members of a sold one."""
    offer, state = row["sale"]["offer"], row["state"]
    amount = _amount(row)
    position = {
        "position": 1,
        "offerId": offer["id"],
        "quantity": state["quantity"],
        "amount": amount,
        "status": "paid",
        "subscriptionId": f"sub_{row['gsisk']}",
    }
    return {
        "pk": row["pk"],
        "id": f"ord_{row['gsisk']}",
        "clientId": row["clientId"],
        "customerId": state["invoiceCustomerId"],
        "paymentMethod": state["paymentMethod"],
        "createdAt": row["sale"]["createdAt"],
        "positions": [position],
        "total": amount,
        "imported": row,
    }


def subscription(row: Row) -> Row:
    """The subscription, with the members of a sold one."""
    offer, state = row["sale"]["offer"], row["state"]
    end = state.get("endDate")
    ends = {"life": "cancelled", "cancelledAt": end["since"], "endsAt": end["at"]} if end else {"life": "active"}
    return {
        "pk": row["pk"],
        "id": f"sub_{row['gsisk']}",
        "orderId": f"ord_{row['gsisk']}",
        "clientId": row["clientId"],
        "role": "own",
        "customerId": state["invoiceCustomerId"],
        "offerId": offer["id"],
        "quantity": state["quantity"],
        "renews": offer["renews"],
        "startedAt": state["startDate"],
        "createdAt": row["sale"]["createdAt"],
        # Tandem does not count the periods of such a subscription.
        "external": {},
    } | ends


def results(stack: Stack, row: Row) -> list[Row]:
    """The results of the imports of a row, the earliest first; those of unfinished chunks are left out."""
    shorts = [short for imports in row.get("imports", []) for short in imports["records"]] + row.get("settled", [])
    if "pagedUntil" in row:
        prefix = f"records#{row['sk'].partition('#')[2]}#"
        for page in rows.beginning_with(stack, str(row["pk"]), prefix, rows.RECORDS):
            shorts += page["records"]
    wanted: dict[str, tuple[tuple[str, str], int]] = {}
    for short in shorts:
        promise, number, _ = short.split(" ")
        chunk, item = divmod(int(number), _CHUNK)
        wanted[promise] = (keys.OWNED.format(row["clientId"], promise), f"chunk#{chunk:03}"), item
    chunks = rows.batch(stack, [key for key, _ in wanted.values()], rows.RESULTS)
    found: list[Row] = []
    for promise, (key, item) in sorted(wanted.items()):
        known = chunks.get(key, {}).get("results", [])
        if item < len(known):
            found.append(known[item] | {"promiseId": promise})
    return found


def _amount(row: Row) -> dict[str, Any]:
    """The price less the discount, which is rounded half up."""
    price, state = row["sale"]["offer"]["price"], row["state"]
    gross = price["amount"] * state["quantity"]
    discount = (gross * state.get("discountBasisPoints", 0) + 5_000) // 10_000
    return {"amount": gross - discount, "currency": price["currency"]}
