"""``export-person``: writes all that is kept about one customer as JSON.

The data key is read from Secrets Manager and used in this process alone. Callbacks to a source are exported with the
personal data that they hold, and without the voucher's code, which is the source's to hand out.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from infra.local.say import Problem, say
from infra.operate import holders, keys, moments, persons, reseal
from infra.operate.options import Options
from infra.operate.rows import Row
from infra.operate.sealing import CannotOpen, Sealer
from infra.operate.stack import Stack

_NOT_SEARCHED = (
    "stored answers of requests with an Idempotency-Key (kept for 73 hours), rows of imports (90 days), and the hashes "
    "that keep values unique; --scan includes them"
)


def run(stack: Stack, options: Options) -> int:
    """Print the export; returns 0. Raises a `Problem` if there is no such customer."""
    customer = _customer(stack, options.id)
    if options.scan:
        say("reading the whole table")
    found = persons.gather(stack, customer, options.scan)
    try:
        kept = persons.plain(found, customer, Sealer.from_secret(reseal.data_keys(stack)))
    except CannotOpen as error:
        raise Problem(f"a sealed text cannot be opened: {error}") from None
    export = {
        "customerId": customer["id"],
        "companyId": customer["companyId"],
        "exportedAt": moments.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "notSearched": [] if options.scan else [_NOT_SEARCHED],
        "rows": kept,
    }
    print(json.dumps(export, indent=2, sort_keys=True, ensure_ascii=False, default=_number), flush=True)
    return 0


def _customer(stack: Stack, id: str) -> Row:
    """The ids of the customer and its contracting company, also after an erasure."""
    asked = keys.asked(id, None)
    if asked.kind != "customer":
        raise Problem(f"{id!r} is not the id of a customer (cus_)")
    found = holders.find(stack, asked)
    if found:
        return found[0]
    erased = holders.erasure(stack, asked.id)
    if erased is None:
        raise Problem(f"there is no customer {id}; does it belong to another stack?")
    return {"id": erased["customerId"], "companyId": erased["companyId"]}


def _number(value: Any) -> Any:
    """The numbers and sets of DynamoDB in JSON."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, set):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")
