"""``why``: explains in sentences what happened to a row, and what is next.

The row is an order, a subscription, a customer, a connection, a voucher, a payout row, a callback, a mail, an import or
a replay. An order, a subscription, a voucher and a payout row lead to the whole sale. A request id leads to its lines
in the functions' logs, and to the row that it wrote.
"""

from __future__ import annotations

from infra.local.demo.text import wrapped
from infra.local.say import Problem
from infra.operate import (
    dead_letters,
    holders,
    imported,
    keys,
    moments,
    reasons,
    requests,
    rows,
    sale_reasons,
    sales,
    tenant_reasons,
)
from infra.operate.keys import Asked
from infra.operate.options import Options
from infra.operate.reasons import ChunkSeen, Seen
from infra.operate.rows import Listing, Row
from infra.operate.stack import Stack

_WIDTH = 115
_MAX_DEAD_LETTERS = 1_000
"""Dead letters searched."""
_NEWEST = 200
"""Callbacks of a connection that are looked at."""

_QUEUES = {"callback": "callbacks", "replay": "callbacks", "mail": "mails", "promise": "imports"}


def run(stack: Stack, options: Options) -> int:
    """Print the explanation. Raises a `Problem` if the id is invalid or unknown."""
    asked = keys.asked(options.id, options.client)
    try:
        lines = _request(stack, asked) if asked.kind == "request" else _story(stack, asked)
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        kind = type(fault).__name__
        raise Problem(f"a row of {asked.id} is corrupt ({kind}: {fault}); its worker fails, too") from fault
    print("\n".join(part for line in lines for part in wrapped(line, _WIDTH, "    ") or [""]), flush=True)
    return 0


def _story(stack: Stack, asked: Asked) -> list[str]:
    found = holders.find(stack, asked)
    return [line for row in found[:1] for line in _EXPLAIN[asked.kind](stack, row)] or _gone(stack, asked)


def _request(stack: Stack, asked: Asked) -> list[str]:
    """The log lines of a request and of the work that followed, then the story of what it wrote."""
    found = stack.log.lines(asked.id) if stack.log else []
    if not found:
        days = requests.LOOKED_BACK // 86_400
        raise Problem(f"no log line of the last {days} days names the request {asked.id}")
    lines = [f"request {asked.id}:", *requests.sentences(found)]
    lead = requests.lead(found)
    return [*lines, "", *_story(stack, keys.asked(lead, asked.client))] if lead else lines


def _gone(stack: Stack, asked: Asked) -> list[str]:
    if asked.kind == "customer" and (row := holders.erasure(stack, asked.id)):
        orders, subscriptions = _bought(stack, row)
        seen = Seen(moments.now(), None)
        return [*tenant_reasons.erased(row, seen), *tenant_reasons.purchases(orders, subscriptions, seen)]
    where = f"{asked.client} has" if asked.client else "there is"
    kept = {
        "promise": ", or the import is older than 90 days",
        "mail": ", or the mail is older than 90 days",
        "replay": ", or the replay is older than 90 days",
    }.get(asked.kind, "")
    hint = "does it belong to another client" if asked.client else "does it belong to another stack"
    raise Problem(f"{where} no {asked.kind} {asked.id}; {hint}{kept}?")


def _callback(stack: Stack, row: Row) -> list[str]:
    found, dead = sales.delivery(stack, row), _letters(stack, "callback").get((row["pk"], "callback"))
    about = [f"It reports {row[member]}." for member in ("subscriptionId", "orderId") if member in row][:1]
    head = [f"{row['id']} to {row['clientId']}"]
    return [*head, *reasons.callback(row, found.endpoint, found.attempts, Seen(moments.now(), dead)), *about]


def _mail(stack: Stack, row: Row) -> list[str]:
    return reasons.mail(row, Seen(moments.now(), _letters(stack, "mail").get((row["pk"], "mail"))))


def _promise(stack: Stack, row: Row) -> list[str]:
    pk = str(row["pk"])
    found = [] if "finishedAt" in row else rows.beginning_with(stack, pk, "chunk#", rows.CHUNK)
    dead, now = _letters(stack, "promise") if found else {}, moments.now()
    chunks = [
        ChunkSeen(chunk, _fault(stack, pk, chunk), Seen(now, dead.get((pk, str(chunk["sk"]))))) for chunk in found
    ]
    return reasons.promise(row, chunks, Seen(now, None))


def _fault(stack: Stack, pk: str, chunk: Row) -> str | None:
    """Describe a visible fault in the items of a dead-lettered chunk, without their content."""
    if chunk["status"] != "stuck":
        return None
    sk = str(chunk["sk"]).replace("chunk#", "items#")
    try:
        row = rows.get(stack, pk, sk, ["items"])
    except ValueError as error:
        return f"The row {sk} is corrupt: {error}."
    if row is None:
        return f"The row {sk} is missing."
    items = row.get("items")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        return f"The member `items` of the row {sk} is not a list of orders."
    return None


def _replay(stack: Stack, row: Row) -> list[str]:
    letter = None if "doneAt" in row else _letters(stack, "replay").get((row["pk"], "replay"))
    return tenant_reasons.replay(row, letter, Seen(moments.now(), None))


def _order(stack: Stack, row: Row) -> list[str]:
    return _sale(stack, row, None)


def _subscription(stack: Stack, row: Row) -> list[str]:
    seller = row.get("crossClient", {}).get("targetClientId", row["clientId"])
    return _part(stack, str(seller), str(row["orderId"]), str(row["id"]))


def _payout(stack: Stack, row: Row) -> list[str]:
    return _part(stack, str(row["targetClientId"]), str(row["orderId"]), row.get("subscriptionId"))


def _part(stack: Stack, seller: str, order: str, subscription: str | None) -> list[str]:
    row = rows.get(stack, keys.OWNED.format(seller, order), "order", rows.ORDER)
    if row is None:
        found = imported.find(stack, seller, order)
        if found is None:
            raise KeyError(f"{order} of {seller}")
        row = imported.order(found)
    return _sale(stack, row, subscription)


def _sale(stack: Stack, order: Row, only: str | None) -> list[str]:
    found = sales.read(stack, order, only)
    open = any(delivery.row["status"] != "delivered" for delivery in found.callbacks)
    letters = {pk: why for (pk, _), why in _letters(stack, "callback").items()} if open else {}
    return sale_reasons.sale(found, letters, Seen(moments.now(), None))


def _customer(stack: Stack, row: Row) -> list[str]:
    orders, subscriptions = _bought(stack, {"customerId": row["id"], "companyId": row["companyId"]})
    return tenant_reasons.customer(row, orders, subscriptions, Seen(moments.now(), None))


def _bought(stack: Stack, customer: Row) -> tuple[dict[str, list[Row]], dict[str, list[Row]]]:
    """The orders and subscriptions of a customer at each client of the contracting company."""
    orders, subscriptions = {}, {}
    for client in holders.clients_of(stack, str(customer["companyId"])):
        named = (client, customer["customerId"])
        others = imported.of_customer(stack, *named)
        found = rows.all_listed(stack, Listing("gsi2", keys.ORDERS_BY.format(*named)), rows.ORDER)
        if found := found + [imported.order(row) for row in others]:
            orders[client] = found
        listing = Listing("gsi2", keys.SUBSCRIPTIONS_FOR.format(*named))
        found = rows.all_listed(stack, listing, rows.SUBSCRIPTION)
        if found := found + [imported.subscription(row) for row in others]:
            subscriptions[client] = found
    return orders, subscriptions


def _connection(stack: Stack, row: Row) -> list[str]:
    id, seen = str(row["id"]), Seen(moments.now(), None)
    history = rows.beginning_with(stack, id, "history#", rows.HISTORY)
    lines = tenant_reasons.connection(row, history, rows.get(stack, id, "invitationMail", rows.INVITATION_MAIL), seen)
    source = keys.CALLBACKS_OF.format(row["source"]["clientId"])
    listing = Listing("gsi1", source, "", "connectionId", id, newest_first=True)
    newest: list[Row] = []
    for page in rows.listed(stack, listing, rows.CALLBACK):
        newest += page.rows
        if len(newest) >= _NEWEST:
            break
    lines += tenant_reasons.callbacks(newest[:_NEWEST], len(newest) > _NEWEST, seen)
    return [*lines, *reasons.endpoint_state(rows.get(stack, id, "endpoint", rows.ENDPOINT) or {}, seen)]


def _letters(stack: Stack, kind: str) -> dict[tuple[str, str], str]:
    """The reasons of the dead letters of a kind, by the keys of the rows that they name."""
    queue = stack.queue(_QUEUES[kind], dead=True)
    found = dead_letters.all_in(stack, queue, _MAX_DEAD_LETTERS)
    return {(letter.pk, letter.sk): letter.why for letter in found}


_EXPLAIN = {
    "order": _order,
    "subscription": _subscription,
    "customer": _customer,
    "connection": _connection,
    "callback": _callback,
    "payout": _payout,
    "promise": _promise,
    "replay": _replay,
    "mail": _mail,
    "voucher": _subscription,
}
