"""Reads a sale and all that followed from it: subscriptions, vouchers, payout rows, callbacks with their attempts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from infra.operate import imported, keys, rows
from infra.operate.rows import Listing, Row
from infra.operate.stack import Stack

_MAX_PAGES = 1_000
"""Pages of a list that are searched, of a hundred rows each."""
_EARLIER = timedelta(seconds=5)
"""The rows of a sale share its time; clocks of functions differ by less."""


@dataclass(frozen=True)
class Delivery:
    """A callback with its attempts and the row of its endpoint, if that is not healthy."""

    row: Row
    attempts: list[Row]
    endpoint: Row | None

    @property
    def pk(self) -> str:
        """Its partition key."""
        return keys.OWNED.format(self.row["clientId"], self.row["id"])


@dataclass
class Sale:
    """An order, or one subscription of it."""

    order: Row
    only: str | None = None
    """A subscription, if nothing else of the order was asked for."""
    subscriptions: list[Row] = field(default_factory=list)
    payouts: list[Row] = field(default_factory=list)
    callbacks: list[Delivery] = field(default_factory=list)
    imports: list[Row] = field(default_factory=list)
    """The results of the imports of an imported order; they are kept for 90 days."""
    unsearched: list[str] = field(default_factory=list)
    """The lists that were too long to read to their end."""

    @property
    def sources(self) -> list[Row]:
        """The rows of sources of another contracting company."""
        rows = (row for row in self.subscriptions if row["role"] == "source")
        return [row for row in rows if row["crossClient"].get("betweenCompanies")]

    def concerns(self, row: Row) -> bool:
        """Whether a row that names a subscription is asked for."""
        return self.only is None or row.get("subscriptionId") == self.only


def read(stack: Stack, order: Row, only: str | None = None) -> Sale:
    """Read the sale of an order; `only` restricts it to a subscription."""
    sale = Sale(order, only)
    sold = [position for position in order["positions"] if sale.concerns(position)]
    _subscriptions(stack, sale, sold)
    sources = sorted({str(position["sourceClientId"]) for position in sold if "sourceClientId" in position})
    if sources:
        seller = str(order["clientId"])
        payouts = Listing("gsi2", keys.PAYOUTS_FROM.format(seller), *_since(order, "pay"))
        sale.payouts = [row for row in _search(stack, sale, payouts, rows.PAYOUT) if sale.concerns(row)]
    for source in sources:
        callbacks = Listing("gsi1", keys.CALLBACKS_OF.format(source), *_since(order, "cbk"))
        found = [row for row in _search(stack, sale, callbacks, rows.CALLBACK) if sale.concerns(row)]
        sale.callbacks += [delivery(stack, row) for row in found]
    if "imported" in order:
        sale.imports = imported.results(stack, order["imported"])
    return sale


def delivery(stack: Stack, row: Row) -> Delivery:
    """Read the attempts of a callback and the state of its endpoint."""
    pk = keys.OWNED.format(row["clientId"], row["id"])
    endpoint = rows.get(stack, str(row.get("connectionId") or row["clientId"]), "endpoint", rows.ENDPOINT)
    attempts = [*row.get("log", []), *rows.beginning_with(stack, pk, "attempt#", rows.ATTEMPT)]
    return Delivery(row, sorted(attempts, key=lambda attempt: int(attempt["number"])), endpoint)


def _subscriptions(stack: Stack, sale: Sale, sold: list[Row]) -> None:
    """The seller's row of each position, then the source's."""
    seller = sale.order["clientId"]
    if "imported" in sale.order:
        sale.subscriptions = [imported.subscription(sale.order["imported"])]
        return
    wanted = [
        (keys.OWNED.format(holder, position["subscriptionId"]), "subscription")
        for position in sold
        if "subscriptionId" in position
        for holder in (seller, position.get("sourceClientId"))
        if holder
    ]
    found = rows.batch(stack, wanted, rows.SUBSCRIPTION)
    sale.subscriptions = [found[key] for key in wanted if key in found]


def _since(order: Row, prefix: str) -> tuple[str, str, str]:
    """The start of a list, and the member that names the order."""
    return keys.first_id(prefix, keys.created_at(str(order["id"])) - _EARLIER), "orderId", str(order["id"])


def _search(stack: Stack, sale: Sale, wanted: Listing, members: list[str]) -> list[Row]:
    found: list[Row] = []
    for number, page in enumerate(rows.listed(stack, wanted, members), start=1):
        found += page.rows
        if page.last and number == _MAX_PAGES:
            sale.unsearched.append(f"{wanted.name} after {page.last}")
            break
    return found
