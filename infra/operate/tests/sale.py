"""A sale between two contracting companies, from the stored rows of the golden tests."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from infra.operate import keys, moments, packed
from infra.operate.tests.table import Item, Table, golden

AT = moments.read("2026-06-30T12:00:00Z")


def id_of(prefix: str, number: int = 1, later: timedelta = timedelta()) -> str:
    """An id that was created at the time of the sale, or later."""
    return keys.first_id(prefix, AT + later)[:-4] + f"{number:04}"


SELLER, SOURCE, OTHER = (f"cli_0190b8f5c6f77c3ab0a10000000000{end}" for end in ("0c", "0b", "0d"))
COMPANY, SOURCE_COMPANY = (f"cco_0190b8f5c6f77c3ab0a10000000000{end}" for end in ("02", "01"))
CONNECTION = "con_0190b8f5c6f77c3ab0a1000000000014"
CUSTOMER = "cus_0190b8f5c6f77c3ab0a1000000000028"
ORDER, OWN, SOLD, CALLBACK, RENEWAL = (
    id_of("ord"),
    id_of("sub", 1),
    id_of("sub", 2),
    id_of("cbk"),
    id_of("cbk", 3, timedelta(days=30)),
)
PAYOUT, HASH = id_of("pay"), "5f2a" * 8
PROMISE_PAGED = "prm_019f1d83ba4570008000000000000000"
PERSONAL = ("anna", "Anna", "example.com", "Muster", "sealed", "+41", "Digitalabo", "busy")
"""Parts of personal data, names and answers in the rows; no output contains them."""


def tenants(table: Table) -> None:
    """Two contracting companies and three clients."""
    for company in (COMPANY, SOURCE_COMPANY):
        table.put(company, "company", {"id": company}, gsi1pk="companies", gsisk=company)
    for client, company in ((SELLER, COMPANY), (OTHER, COMPANY), (SOURCE, SOURCE_COMPANY)):
        row = golden("client", id=client, companyId=company)
        of = keys.CLIENTS_OF.format(company)
        table.put(client, "client", row, gsi1pk=of, gsi2pk="clients", gsisk=client)


def order(table: Table, **changed: Any) -> Item:
    """An order of an own and a cross-client position, with its subscriptions."""
    first, second, _ = golden("order")["positions"]
    positions = [first | {"subscriptionId": OWN}, second | {"subscriptionId": SOLD, "status": "paid"}]
    row = golden("order", id=ORDER, positions=positions, **changed)
    by = keys.ORDERS_BY.format(SELLER, CUSTOMER)
    table.put(keys.OWNED.format(SELLER, ORDER), "order", row, gsi2pk=by, gsisk=ORDER)
    for client, name, id, more in (
        (SELLER, "subscription_own", OWN, {}),
        (SELLER, "subscription_seller", SOLD, {}),
        (
            SOURCE,
            "subscription_source",
            SOLD,
            {"life": "active", "cancelledAt": None, "endsAt": None, "voucherHash": HASH},
        ),
    ):
        row = golden(name, id=id, orderId=ORDER, **more)
        indexed = {}
        if "customerId" in row:
            indexed = {"gsi2pk": keys.SUBSCRIPTIONS_FOR.format(client, CUSTOMER), "gsisk": id}
        table.put(keys.OWNED.format(client, id), "subscription", row, **indexed)
    return row


def callback(table: Table, name: str, id: str, **changed: Any) -> Item:
    """A callback to the source."""
    row = golden(name, **{"id": id, "orderId": ORDER, "subscriptionId": SOLD} | changed)
    pk = keys.OWNED.format(SOURCE, id)
    return table.put(pk, "callback", row, gsi1pk=keys.partition_of(keys.CALLBACKS_OF.format(SOURCE), id), gsisk=id)


def sale(table: Table) -> None:
    """The whole sale: one callback delivered at its second attempt, one waiting, a payout row."""
    tenants(table)
    order(table)
    shared = {"orderId": ORDER, "subscriptionId": SOLD}
    table.put(
        PAYOUT,
        "payout",
        golden("payout_payment", id=PAYOUT, **shared),
        gsi2pk=keys.partition_of(keys.PAYOUTS_FROM.format(SELLER), PAYOUT),
        gsisk=PAYOUT,
    )
    callback(table, "callback_delivered", CALLBACK, attempts=2)
    for attempt in ("attempt_answered", "attempt_unanswered"):
        row = golden(attempt)
        table.put(keys.OWNED.format(SOURCE, CALLBACK), f"attempt#{row['number']:06}", row)
    renewal = {"event": "crossClientSubscription.renewed", "attempts": 0, "step": 0, "dueAt": "2099-01-01T00:00:00Z"}
    callback(table, "callback_waiting", RENEWAL, **renewal)
    callback(table, "callback_held", id_of("cbk", 2), orderId="ord_" + "0" * 32)


def imported(table: Table) -> tuple[str, list[str]]:
    """An imported order and its records, also those in a page: the UUID of the order, and the promises."""
    row, page = golden("imported_settled", pagedUntil=PROMISE_PAGED), golden("import_records")
    tail, rest = row["externalHash"][:19], row["externalHash"][19:]
    id = f"019f1d8ce2007{tail}"
    by = keys.IMPORTED_FOR.format(SELLER, row["state"]["invoiceCustomerId"])
    pk = keys.IMPORTED.format(SELLER, tail)
    hidden = ("clientId", "externalHash", "version")
    own = {"packed": packed.pack({name: value for name, value in row.items() if name not in hidden})}
    table.put(pk, f"imported#{rest}", own, gsi2pk=by, gsisk=id)
    shorts = page["records"]
    page = {"packed": packed.pack({"records": shorts, "notes": page["notes"]})}
    table.put(pk, f"records#{rest}#{shorts[-1].split(' ')[0]}", page)
    promises = sorted({short.split(" ")[0] for short in [*shorts, *row["settled"]]})
    for promise in promises:
        done = golden("import_chunk_done", promiseId=promise)
        results = packed.pack({"results": done.pop("results")})
        table.put(keys.OWNED.format(SELLER, promise), "chunk#000", done | {"packed": results})
    return id, promises
