"""Takes back what the story made, also after a failed step. It reads the tenants' lists, so it finds everything."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from infra.local.demo.callers import Answer, Caller, Merchant
from infra.local.demo.scenario import Failure
from infra.operate.smoke.work import AT_ONCE, pages
from infra.operate.smoke.world import World

_PATIENCE = 180.0
_REJECTED = (401, 403)
"""The gateway's answers to a caller that the authorizer does not accept."""
_SETTLED = ("archived", "refunded", "charged_back", "withdrawn", "declined", "blocked")


def play(world: World) -> None:
    """Refund, archive, block, erase, switch off, revoke; raises a `Failure` that lists all that stays."""
    stays: list[str] = []
    for tenant in world.tenants.values():
        stays += _refund(tenant.merchant)
    if world.receiver:
        world.receiver.reject(None)
        stays += _undelivered(world)
    for tenant in world.tenants.values():
        stays += _archive(tenant.merchant)
    for tenant in world.tenants.values():
        stays += _erase(tenant.merchant)
    for company in world.companies.values():
        path, off = f"/v1/contracting-companies/{company}", {"modules": {"crossClientConnections": False}}
        stays += _check(path, world.operator.ask("PATCH", path, off))
    for tenant in world.tenants.values():
        path = f"/v1/clients/{tenant.merchant.id}/api-keys/{tenant.key_id}"
        stays += _check(path, world.operator.ask("DELETE", path))
        # The authorizer's answer is cached for each key and route; no step called this one.
        after = tenant.merchant.calls.ask("GET", "/v1/imports/orders/logs")
        if after.status not in _REJECTED:
            stays.append(f"the key of {tenant.merchant.name}: answered with {after.status} after its revocation")
    if stays:
        raise Failure("the end of the play", "nothing stays", "; ".join(stays))
    world.scenario.show(
        "clean",
        [
            f"{len(world.tenants)} clients of {len(world.companies)} companies: sales refunded, "
            "customers erased, offers and carts archived, connections ended, keys revoked"
        ],
    )


def _refund(merchant: Merchant) -> list[str]:
    """Running subscriptions would prevent the erasure of their customers."""
    orders = [row["id"] for row in pages(merchant.calls, "/v1/orders")]

    def refund(order: str) -> tuple[str, Answer]:
        return order, merchant.calls.ask("POST", f"/v1/orders/{order}/refund")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(refund, orders))
    # 409: it is refunded already, or imported.
    return [f"order {order}: {answer.status}" for order, answer in answers if answer.status not in (200, 409)]


def _undelivered(world: World) -> list[str]:
    calls, deadline = world.who("source").calls, time.monotonic() + _PATIENCE
    while _of_status(calls, "pending") and time.monotonic() < deadline:
        time.sleep(1)
    left = [id for status in ("pending", "held", "exhausted") for id in _of_status(calls, status)]
    return [f"{len(left)} undelivered callbacks, such as {left[0]} of {world.who('source').id}"] if left else []


def _of_status(calls: Caller, status: str) -> list[str]:
    return [row["id"] for row in pages(calls, f"/v1/callbacks?status={status}")]


def _archive(merchant: Merchant) -> Iterator[str]:
    for kind in ("carts", "offers"):
        for row in pages(merchant.calls, f"/v1/{kind}"):
            if row["status"] not in _SETTLED:
                path = f"/v1/{kind}/{row['id']}/archive"
                yield from _check(path, merchant.calls.ask("POST", path))
    for row in pages(merchant.calls, "/v1/connections?role=source"):
        move = {"invited": "withdraw", "active": "block"}.get(row["status"])
        if move:
            path = f"/v1/connections/{row['id']}/{move}"
            yield from _check(path, merchant.calls.ask("POST", path))


def _erase(merchant: Merchant) -> Iterator[str]:
    for row in pages(merchant.calls, "/v1/customers"):
        path = f"/v1/customers/{row['id']}"
        yield from _check(path, merchant.calls.ask("DELETE", path))


def _check(path: str, answer: Answer) -> Iterator[str]:
    if answer.status != 200:
        yield f"{path}: {answer.status} {answer['code']}"
