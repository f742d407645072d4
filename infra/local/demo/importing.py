"""The last act: a merchant imports the orders of another system."""

from __future__ import annotations

from infra.local.demo import steps
from infra.local.demo.acts import First, Second, monthly
from infra.local.demo.callers import Answer, Merchant
from infra.local.demo.receiver import EVENTS
from infra.local.demo.steps import Json, Setup

_CHANGED, _NEW, _WRONG = "bote-1", "bote-2", "bote-3"
"""The ids of the orders in the other system."""


def fourth(setup: Setup, before: First, now: Second) -> None:
    """An import with a new item, a changed item and a failed item."""
    scenario, receiver = setup.scenario, setup.receiver
    scenario.act(
        "ACT FOUR: an import",
        "Bergbote, a third client of Bergverlag, sells through an older system, whose orders Tandem mirrors.",
    )
    scenario.step("The operator creates the client and a key; Bergbote creates the offer that the older system sells")
    merchant = steps.open_shop(setup, before.company, "Bergbote", "de")
    offer = monthly("Bergbote", 1890) | {"externallyManaged": True}
    offer_id = merchant.calls.post("/v1/offers", offer, {"externallyManaged": True}, ["id"], brief=True)["id"]
    anna, stranger = before.sale.customer_id, now.sale.customer_id
    scenario.step("Bergbote imports Anna's order; the sale by Tagespost made her a customer of its company")
    order = item(_CHANGED, offer_id, anna, "BILLING")
    first = _import(setup, merchant, [order], {"state": "completed", "counts.created": 1})
    scenario.step("Bergbote sets its event endpoint and gets a signing secret")
    endpoint = merchant.calls.put("/v1/event-endpoint", {"url": receiver.url(EVENTS)}, {"disabledAt": None}, ["secret"])
    receiver.trust(EVENTS, endpoint["secret"])

    scenario.step(
        "The next import has Anna's changed order, a new order, and an order for Ben, a customer of Harbour Press"
    )
    items = [
        item(_CHANGED, offer_id, anna, "TWINT"),
        item(_NEW, offer_id, anna, "BILLING"),
        item(_WRONG, offer_id, stranger, "BILLING"),
    ]
    expected = {"state": "completedWithErrors", "counts.created": 1, "counts.updated": 1, "counts.failed": 1}
    second = _import(setup, merchant, items, expected)
    scenario.step("Each item has a result; the failed item changed nothing and did not affect the others")
    _results(setup, second)
    subscription = first["items.0.subscriptionId"]
    scenario.check("the changed subscription", subscription, second["items.0.subscriptionId"])
    scenario.step("Bergbote's server gets a signed callback about the finished import")
    body = steps.callback(setup, "import.completed", expected | {"counts.unchanged": 0}, [])
    scenario.check("the import of the callback", second["promiseId"], body["promiseId"])
    scenario.check("the number of different callbacks", 8, receiver.count())
    _mirrored(setup, merchant, anna, subscription)


def _mirrored(setup: Setup, merchant: Merchant, customer: str, subscription: str) -> None:
    """The subscription is in the lists, and only imports change it."""
    scenario, calls = setup.scenario, merchant.calls
    scenario.step("Bergbote sees Anna's externally managed subscriptions, newest first; the import changed the older")
    kept = {"items.1.id": subscription, "items.1.managedBy": "external", "items.1.paymentMethod": "TWINT"}
    new = {"items.0.externalSystemId": _NEW, "items.0.managedBy": "external", "items.0.status": "active"}
    calls.get(f"/v1/customers/{customer}/subscriptions", {"items.#": 2} | new | kept)
    scenario.step("Tandem refuses to cancel the subscription and names the import; the import log has its history")
    refused = {"code": "externally_managed"}
    calls.post(f"/v1/subscriptions/{subscription}/cancel", None, refused, ["detail"], status=409)
    log = {"items.#": 2, "items.0.result": "updated", "items.1.result": "created"}
    calls.get(f"/v1/imports/orders/logs?externalSystemId={_CHANGED}", log)


def item(external: str, offer: str, customer: str, payment_method: str) -> Json:
    """An order of the other system."""
    return {
        "externalSystemId": external,
        "offerId": offer,
        "invoiceCustomerId": customer,
        "quantity": 1,
        "startDate": "2026-07-01T00:00:00Z",
        "paymentMethod": payment_method,
    }


def _import(setup: Setup, merchant: Merchant, items: list[Json], expected: Json) -> Answer:
    """Send an import, poll its promise until it is done, and check the result."""
    accepted = {"state": "accepted", "itemCount": len(items)}
    brief = len(items) > 1
    answer = merchant.calls.post("/v1/imports/orders", {"items": items}, accepted, ["promiseId"], 202, brief=brief)
    path = f"/v1/imports/{answer['promiseId']}"

    def done() -> bool | None:
        return True if merchant.calls.look(path)["finishedAt"] else None

    setup.scenario.wait("the import to be finished", done)
    return merchant.calls.get(path, expected | {"counts.pending": 0})


def _results(setup: Setup, promise: Answer) -> None:
    """Show and check the result of each item."""
    items: list[Json] = promise["items"]
    heads = ("item", "externalSystemId", "result", "order", "subscription", "error.code")
    members = ("externalSystemId", "result", "orderId", "subscriptionId")
    rows = [
        (str(item["number"]), *(item[member] or "-" for member in members), (item["error"] or {}).get("code", "-"))
        for item in items
    ]
    setup.scenario.table(heads, rows, ("item",))
    wanted = [
        ("0", _CHANGED, "updated", "-"),
        ("1", _NEW, "created", "-"),
        ("2", _WRONG, "failed", "customer_not_found"),
    ]
    setup.scenario.check("the items' results", wanted, [(*row[:3], row[5]) for row in rows])
    for item in items:
        made = item["orderId"] is not None
        setup.scenario.check(f"whether {item['externalSystemId']} has an order", item["result"] != "failed", made)
