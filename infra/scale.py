"""Prints which limit a deployment meets first when its load grows; docs/scale.md explains each limit.

    python3 -m infra.scale

The units of an operation are the counted ones: it reads them from docs/performance.md, and the
deployment's own settings from template.yaml. Limits of AWS and the shape of the load are the constants below.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).parent.parent
FACTORS = (1, 10, 100, 1_000)

LARGEST_SHARE = 0.2
"""The part of all sales that one merchant makes, and of all callbacks that one source gets."""
PURCHASE_SECONDS = 0.08
"""Two batch reads and a transaction, by DynamoDB's published latencies; also a voucher's redemption."""
DELIVERY_SECONDS = 0.5
"""A batch of callbacks at once: the receivers' answers, and the calls to the table."""
IMPORTED_A_SECOND = 500.0
"""Orders of one import worker: 32 transactions of 60 ms under way."""
LIST_UNITS_OF_A_CALLBACK = 1
"""The sale puts the callback into the source's list; no later change moves it there."""
LIST_ROWS_OF_A_PURCHASE = 2
"""Subscriptions in the seller's list: its own offer's, and its row of the source's."""
DUE_UNITS_OF_A_CALLBACK = 2
"""Inserted and deleted; see docs/table-design.md."""
DUE_SHARDS = 64
PARTITION = 1_000
"""Write units a second of one partition, of the table or an index; cannot be raised."""
PARTITION_READS = 3_000
"""Read units a second; each purchase reads the row of the connection, in one unit."""


@dataclass(frozen=True)
class Units:
    """The counted units, and the settings of the template."""

    purchases: float
    """Purchases a second at factor 1, each with a callback and a redeemed voucher."""
    imported: float
    """Imported orders a second at factor 1."""
    sale_write: float
    """Of a purchase and the redemption of its voucher."""
    sale_read: float
    callback_write: float
    callback_read: float
    import_write: float
    import_read: float
    callbacks_an_invocation: float
    stage_rate: float
    callback_workers: float
    import_workers: float
    purchase_workers: float

    @property
    def write(self) -> float:
        """Write units a second."""
        return self.purchases * (self.sale_write + self.callback_write) + self.imported * self.import_write

    @property
    def read(self) -> float:
        """Read units a second."""
        return self.purchases * (self.sale_read + self.callback_read) + self.imported * self.import_read

    @property
    def requests(self) -> float:
        """Requests a second to the API: purchases and redemptions, and calls with a thousand orders each."""
        return 2 * self.purchases + self.imported / 1_000

    @property
    def deliveries(self) -> float:
        """Invocations a second that deliver callbacks."""
        return self.purchases / self.callbacks_an_invocation

    @property
    def concurrency(self) -> float:
        """Functions that run at the same time."""
        sales, callbacks = 2 * self.purchases * PURCHASE_SECONDS, self.deliveries * DELIVERY_SECONDS
        return sales + callbacks + self.imported / IMPORTED_A_SECOND


@dataclass(frozen=True)
class Limit:
    """A limit, and what factor 1 uses of it."""

    name: str
    """As in docs/scale.md."""
    size: float
    used: float

    @property
    def factor(self) -> float:
        """How many times the load of factor 1 meets it."""
        return self.size / self.used


def limits(units: Units) -> list[Limit]:
    """The limits in the order in which a growing load meets them."""
    largest = LARGEST_SHARE * units.purchases
    found = [
        Limit("stage throttle", units.stage_rate, units.requests),
        Limit("account's API throttle", 10_000, units.requests),
        Limit("account's concurrency", 1_000, units.concurrency),
        Limit("account's invocations", 10_000, units.requests + units.deliveries),
        Limit("purchase workers", units.purchase_workers, units.purchases * PURCHASE_SECONDS),
        Limit("callback workers", units.callback_workers, units.deliveries * DELIVERY_SECONDS),
        Limit("import workers", units.import_workers, units.imported / IMPORTED_A_SECOND),
        Limit("fresh table, writes", 4_000, units.write),
        Limit("fresh table, reads", 12_000, units.read),
        Limit("table, writes", 40_000, units.write),
        Limit("table, reads", 40_000, units.read),
        Limit("reads of one connection", PARTITION_READS, largest),
        Limit("subscriptions of one merchant", 8 * PARTITION, largest * LIST_ROWS_OF_A_PURCHASE),
        Limit("callbacks of one source", 8 * PARTITION, largest * LIST_UNITS_OF_A_CALLBACK),
        Limit("imported orders of one client", 8 * PARTITION, units.imported),
        Limit("index due", DUE_SHARDS * PARTITION, units.purchases * DUE_UNITS_OF_A_CALLBACK),
        Limit("callback messages in flight", 120_000, units.purchases * DELIVERY_SECONDS),
    ]
    return sorted(found, key=lambda limit: limit.factor)


def read(performance: str, template: str) -> Units:
    """Read the counted units and the settings. Raises a `ValueError` that names a line which is missing."""

    def numbers(text: str, pattern: str, where: str) -> list[float]:
        found = re.search(pattern, text)
        if not found:
            raise ValueError(f"{where} has no line like {pattern!r}; follow its change in infra/scale.py")
        return [float(number.replace(",", "")) for number in found.groups()]

    def figures(pattern: str) -> list[float]:
        return numbers(performance, pattern, "docs/performance.md")

    def setting(pattern: str) -> float:
        return numbers(template, pattern, "template.yaml")[0]

    def units(flow: str) -> tuple[float, float]:
        """Read and write units of a flow, by `make bench-costs`."""
        _, read, write = figures(rf"{re.escape(flow)}.*? ([\d.]+) +([\d.]+) +([\d.]+) +[\d.]+\n")
        return read, write

    sold, redeemed = units("purchase: own and cross-client"), units("redemption of a voucher")
    callback, imported = units("callback, in a batch of ten"), units("imported order, created")
    return Units(
        # The largest steady load that the benchmark plays.
        purchases=max(float(rate) for rate in re.findall(r"(\d+) callbacks a second, \d+ in all", performance)),
        imported=figures(r"orders a second \(this machine[^)]*\) +(\d+)")[0],
        sale_write=sold[1] + redeemed[1],
        sale_read=sold[0] + redeemed[0],
        callback_write=callback[1],
        callback_read=callback[0],
        import_write=imported[1],
        import_read=imported[0],
        callbacks_an_invocation=figures(r"messages of an invocation +([\d.]+)")[0],
        stage_rate=setting(r"ThrottlingRateLimit: (\d+)"),
        callback_workers=setting(r"\n  DeliverCallbacksFunction:(?:.|\n)*?MaximumConcurrency: (\d+)"),
        import_workers=setting(r"\n  ImportConcurrency:(?:.|\n)*?Default: (\d+)"),
        purchase_workers=setting(r"\n  PurchaseConcurrency:(?:.|\n)*?Default: (\d+)"),
    )


def current() -> Units:
    """The units of this checkout."""
    texts = [(_ROOT / name).read_text() for name in ("docs/performance.md", "template.yaml")]
    return read(*texts)


def lines(units: Units) -> list[str]:
    """The load and the limits as a table."""
    head = f"{'limit, in the order in which it is met':<42}{'size':>10}{'at 1':>10}{'met at':>10}"
    rows = [
        f"{limit.name:<42}{limit.size:>10,.0f}{limit.used:>10,.1f}{_times(limit.factor):>10}" for limit in limits(units)
    ]
    return [*_loads(units), "", head, *rows]


def _loads(units: Units) -> list[str]:
    values: tuple[tuple[str, Callable[[Units], float]], ...] = (
        ("purchases a second, each with a callback", lambda units: units.purchases),
        ("imported orders a second", lambda units: units.imported),
        ("requests a second", lambda units: units.requests),
        ("functions at the same time", lambda units: units.concurrency),
        ("write units a second", lambda units: units.write),
        ("read units a second", lambda units: units.read),
    )
    head = f"{'load':<42}" + "".join(f"{factor:>12,}" for factor in FACTORS)
    return [head, *(f"{name:<42}" + "".join(f"{of(units) * n:>12,.0f}" for n in FACTORS) for name, of in values)]


def _times(factor: float) -> str:
    return f"{factor:,.1f}" if factor < 100 else f"{factor:,.0f}"


if __name__ == "__main__":
    try:
        print("\n".join(lines(current())))
    except ValueError as error:
        sys.exit(f"tandem: {error}")
