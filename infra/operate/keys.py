"""The ids, keys and lists of the table, as in shared/store/src/keys; a test compares both."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone

from infra.local.say import Problem

# Partition keys. A tenant's row has its tenant in front.
OWNED = "{}#{}"
IMPORTED = "{}#imported#{}"
IDEMPOTENCY = "{}#idempotency#{}"

# Lists: partitions of an index.
COMPANIES = "companies"
CLIENTS = "clients"
CLIENTS_OF = "{}#clients"
CALLBACKS_OF = "{}#callbacks"
SOURCE_OF = "{}#connections#source"
PAYOUTS_TO = "{}#payouts#source"
PAYOUTS_FROM = "{}#payouts#target"
ORDERS_BY = "{}#{}#orders"
SUBSCRIPTIONS_FOR = "{}#{}#subscriptions"
IMPORTED_FOR = "{}#{}#imported"

SPREAD = ("#callbacks", "#payouts#source", "#payouts#target")
"""Ends of the names of lists that are spread over partitions, as are a client's lists of orders and subscriptions."""
PARTITIONS = 8

KINDS = {
    "ord": "order",
    "sub": "subscription",
    "cus": "customer",
    "con": "connection",
    "cbk": "callback",
    "pay": "payout",
    "prm": "promise",
    "rpl": "replay",
    "mal": "mail",
}
"""The sort key of the row that an id with this prefix names."""

_OWN_PARTITION = ("con", "pay")
"""Two clients share these rows, which have their own id alone as partition key."""
_ID = re.compile(rf"({'|'.join(KINDS)})_[0-9a-f]{{32}}")
_HASH = re.compile(r"[0-9a-f]{32}")
_REQUEST = re.compile(r"[A-Za-z0-9_-]{15}=|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""Of the HTTP API; of the emulator."""
_CLIENT = re.compile(r"cli_[0-9a-f]{32}")

_FORMS = (
    "the id of an order (ord_), a subscription (sub_), a customer (cus_), a connection (con_), a callback (cbk_), a "
    "payout row (pay_), an import (prm_), a replay (rpl_) or a mail (mal_), "
    "the hash of a voucher's code, or a request id"
)


@dataclass(frozen=True)
class Asked:
    """A row that a person asked for."""

    kind: str
    """The sort key; or `voucher`, `request`."""
    id: str
    client: str | None
    """None to find it."""

    def key(self, holder: str) -> tuple[str, str]:
        """The key of the row at a holder: a client, or the contracting company of a customer."""
        if self.id.startswith(_OWN_PARTITION):
            return self.id, self.kind
        return OWNED.format(holder, self.id), self.kind

    @property
    def is_shared(self) -> bool:
        """Whether the row belongs to no single client."""
        return self.id.startswith(_OWN_PARTITION)


def asked(text: str, client: str | None) -> Asked:
    """Parse an id, a voucher's hash, or a partition key that ends in one of them. Raises a `Problem` otherwise."""
    holder, _, id = text.rpartition("#")
    owner = holder.partition("#")[0] if _CLIENT.match(holder) else client
    if owner and not _CLIENT.fullmatch(owner):
        raise Problem(f"{owner!r} is not the id of a client (cli_)")
    if _HASH.fullmatch(id):
        return Asked("voucher", id, owner)
    if _REQUEST.fullmatch(id):
        return Asked("request", id, owner)
    if not _ID.fullmatch(id):
        raise Problem(f"{id!r} is not {_FORMS}")
    return Asked(KINDS[id[:3]], id, owner)


def first_id(prefix: str, at: datetime) -> str:
    """The lower bound of the ids that were created at a time or later: ids are UUIDv7."""
    millis = int(at.timestamp() * 1000)
    return f"{prefix}_{millis:012x}70008000000000000000"


def created_at(id: str) -> datetime:
    """The time in an id."""
    return datetime.fromtimestamp(int(id.partition("_")[2][:12], 16) / 1000, timezone.utc)


def tail_of(id: str) -> str:
    """The digits of an order's or a subscription's id that are part of the key of an imported one."""
    return id[-19:]


def partitions(name: str) -> list[str]:
    """The partitions of a list."""
    return [f"{name}#{number}" for number in range(PARTITIONS)] if name.endswith(SPREAD) else [name]


def partition_of(name: str, id: str) -> str:
    """The partition of a list that has the row of an id."""
    return partitions(name)[int(id[-1], 16) % PARTITIONS] if name.endswith(SPREAD) else name


def said_by(pk: str, sk: str) -> dict[str, str]:
    """The members of a row that its key says; the store leaves them out (`key_says.rs`)."""
    owner, _, id = pk.rpartition("#")
    if sk.startswith(("imported#", "records#")):
        client, _, tail = pk.partition("#imported#")
        return {"clientId": client, "externalHash": tail + sk.split("#")[1]}
    if sk not in ("order", "subscription", "callback", "payout") or not _ID.fullmatch(id):
        return {}
    created = created_at(id).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    times = {"createdAt": created, "updatedAt": created, "startedAt": created, "dueAt": created}
    kept = {
        "payout": ("createdAt",),
        "subscription": ("createdAt", "updatedAt", "startedAt"),
        "callback": ("createdAt", "dueAt"),
    }.get(sk, ("createdAt", "updatedAt"))
    return {"id": id} | ({"clientId": owner} if owner else {}) | {name: times[name] for name in kept}
