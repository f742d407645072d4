"""Measures the delivery of callbacks: those undelivered, by client; first attempts; endpoints that are not healthy."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from infra.operate import holders, keys, moments, rows
from infra.operate.rows import Listing, Row
from infra.operate.stack import Stack

LOOKED_BACK = timedelta(days=7)
"""Callbacks that are older are not looked at; the schedule of attempts takes three days."""
MAX_OF_A_CLIENT = 5_000
"""Callbacks looked at for each client, the newest; the counts are cut off there."""
RATED = timedelta(days=1)
"""The age of the callbacks that the rate of first attempts is about."""
FRESH = timedelta(minutes=5)
"""A younger callback without a failed attempt is not yet undelivered."""


@dataclass
class Undelivered:
    """The undelivered callbacks of a client."""

    client: str
    waiting: int = 0
    """How many have another attempt."""
    held: int = 0
    exhausted: int = 0
    oldest: str = ""
    """The time of the oldest."""
    cut: bool = False
    """Whether the client has more callbacks than were looked at."""

    @property
    def all(self) -> int:
        """All of them."""
        return self.waiting + self.held + self.exhausted

    def count(self, row: Row) -> None:
        """Count a callback."""
        match row["status"]:
            case "held":
                self.held += 1
            case "exhausted":
                self.exhausted += 1
            case _:
                self.waiting += 1
        self.oldest = min(self.oldest or row["createdAt"], row["createdAt"])


@dataclass(frozen=True)
class Endpoint:
    """An endpoint that fails, is paused or is disabled."""

    id: str
    """The connection; or the client, for its own event endpoint."""
    client: str
    state: str
    since: str


@dataclass
class Deliveries:
    """The state of the deliveries of all clients."""

    undelivered: list[Undelivered] = field(default_factory=list)
    endpoints: list[Endpoint] = field(default_factory=list)
    attempted: int = 0
    """Callbacks whose first attempt ended."""
    at_once: int = 0
    """Those of which it succeeded."""


def measure(stack: Stack, now: datetime) -> Deliveries:
    """Look at the callbacks and endpoints of all clients."""
    measured = Deliveries()
    with ThreadPoolExecutor(max_workers=8) as pool:
        for client, newest, cut, unhealthy in pool.map(lambda id: _of(stack, id, now), sorted(holders.clients(stack))):
            found = Undelivered(client, cut=cut)
            for row in newest:
                _rate(measured, row, now)
                if is_undelivered(row, now):
                    found.count(row)
            measured.undelivered += [found] if found.all else []
            measured.endpoints += unhealthy
    return measured


def is_undelivered(row: Row, now: datetime) -> bool:
    """Whether a callback should have arrived: an attempt failed, or it waits for longer than usual."""
    match row["status"]:
        case "delivered":
            return False
        case "held" | "exhausted" | "postponed":
            return True
        case status:
            failed = row.get("attempts", 0) > (1 if status == "inFlight" else 0)
            return failed or now - moments.read(str(row["createdAt"])) > FRESH


def _rate(measured: Deliveries, row: Row, now: datetime) -> None:
    attempts, status = row.get("attempts", 0), row["status"]
    if attempts == 0 or (attempts == 1 and status == "inFlight") or now - moments.read(str(row["createdAt"])) > RATED:
        return
    measured.attempted += 1
    measured.at_once += attempts == 1 and status == "delivered"


def _of(stack: Stack, client: str, now: datetime) -> tuple[str, list[Row], bool, list[Endpoint]]:
    start = keys.first_id("cbk", now - LOOKED_BACK)
    listing = Listing("gsi1", keys.CALLBACKS_OF.format(client), start, newest_first=True)
    newest: list[Row] = []
    cut = False
    for page in rows.listed(stack, listing, rows.DELIVERY):
        newest += page.rows
        if len(newest) >= MAX_OF_A_CLIENT:
            cut = page.last is not None or len(newest) > MAX_OF_A_CLIENT
            break
    return client, newest[:MAX_OF_A_CLIENT], cut, _unhealthy(stack, client, now)


def _unhealthy(stack: Stack, client: str, now: datetime) -> list[Endpoint]:
    """The endpoints of a client that have a row; a healthy one has none."""
    connections = rows.all_listed(stack, Listing("gsi1", keys.SOURCE_OF.format(client)), ["id"])
    wanted = [(str(id), "endpoint") for id in (client, *(row["id"] for row in connections))]
    found = rows.batch(stack, wanted, rows.ENDPOINT)
    return [_endpoint(id, client, row, now) for (id, _), row in found.items()]


def _endpoint(id: str, client: str, row: Row, now: datetime) -> Endpoint:
    if "disabledAt" in row:
        return Endpoint(id, client, "disabled", str(row["disabledAt"]))
    until = row.get("circuit", {}).get("until")
    if until is None:
        return Endpoint(id, client, "failing", str(row["failingSince"]))
    wait = moments.read(str(until)) - now
    state = f"paused for {moments.span(wait)}" if wait > timedelta() else "paused, a callback may probe it"
    return Endpoint(id, client, state, str(row["failingSince"]))
