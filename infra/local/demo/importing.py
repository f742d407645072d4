"""The last act: a merchant whose orders another system leads, and what becomes of them in Tandem."""

from __future__ import annotations

from infra.local.demo import scenes
from infra.local.demo.acts import First, Second, monthly
from infra.local.demo.cast import Answer, Merchant
from infra.local.demo.receiver import EVENTS
from infra.local.demo.scenes import Json, World

_CHANGED, _NEW, _WRONG = "bote-1", "bote-2", "bote-3"
"""What the leading system calls its orders."""


def fourth(world: World, before: First, now: Second) -> None:
    """An import with an item that is new, one that changes what came before, and one that fails."""
    stage, receiver = world.stage, world.receiver
    stage.act(
        "ACT FOUR: an import",
        "Bergbote, a third client of Bergverlag, sells in an older system; Tandem mirrors the orders of that.",
    )
    stage.step("The operator creates the client and a key; Bergbote makes the offer that the older system sells")
    merchant = scenes.open_shop(world, before.company, "Bergbote", "de")
    offer = monthly("Bergbote", 1890) | {"externallyManaged": True}
    offer_id = merchant.calls.post("/v1/offers", offer, {"externallyManaged": True}, ["id"], brief=True)["id"]
    anna, stranger = before.sale.customer_id, now.sale.customer_id
    stage.step("Bergbote imports Anna's order; she is a customer of its company since Tagespost sold to her")
    order = _item(_CHANGED, offer_id, anna, "BILLING")
    first = _import(world, merchant, [order], {"state": "completed", "counts.created": 1})
    stage.step("Bergbote asks to be told when an import is done, and gets a secret for signatures")
    endpoint = merchant.calls.put("/v1/event-endpoint", {"url": receiver.url(EVENTS)}, {"disabledAt": None}, ["secret"])
    receiver.trust(EVENTS, endpoint["secret"])

    stage.step("The next import: Anna's order changed, a new one, and one for Ben, a customer of Harbour Press")
    items = [
        _item(_CHANGED, offer_id, anna, "TWINT"),
        _item(_NEW, offer_id, anna, "BILLING"),
        _item(_WRONG, offer_id, stranger, "BILLING"),
    ]
    expected = {"state": "completedWithErrors", "counts.created": 1, "counts.updated": 1, "counts.failed": 1}
    second = _import(world, merchant, items, expected)
    stage.step("What became of each item; the one that failed changed nothing and held up no other")
    _results(world, second)
    subscription = first["items.0.subscriptionId"]
    stage.check("the subscription that was changed", subscription, second["items.0.subscriptionId"])
    stage.step("Bergbote's server is told that the import is done, by a signed callback")
    told = scenes.callback(world, "import.completed", expected | {"counts.unchanged": 0}, [])
    stage.check("the import that the callback tells of", second["promiseId"], told["promiseId"])
    stage.check("how many different callbacks came in all", 4, receiver.count())
    _mirrored(world, merchant, anna, subscription)


def _mirrored(world: World, merchant: Merchant, customer: str, subscription: str) -> None:
    """The subscription is in the lists, and only imports change it."""
    stage, calls = world.stage, merchant.calls
    stage.step("Anna's subscriptions, as Bergbote sees them, newest first: externally managed, the older one changed")
    kept = {"items.1.id": subscription, "items.1.managedBy": "external", "items.1.paymentMethod": "TWINT"}
    new = {"items.0.externalSystemId": _NEW, "items.0.managedBy": "external", "items.0.status": "active"}
    calls.get(f"/v1/customers/{customer}/subscriptions", {"items.#": 2} | new | kept)
    stage.step("Cancelling it in Tandem is refused, with a pointer to the import; the import log has its history")
    refused = {"code": "externally_managed"}
    calls.post(f"/v1/subscriptions/{subscription}/cancel", None, refused, ["detail"], status=409)
    log = {"items.#": 2, "items.0.result": "updated", "items.1.result": "created"}
    calls.get(f"/v1/imports/orders/logs?externalSystemId={_CHANGED}", log)


def _item(external: str, offer: str, customer: str, payment_method: str) -> Json:
    """An order as the leading system knows it."""
    return {
        "externalSystemId": external,
        "offerId": offer,
        "invoiceCustomerId": customer,
        "quantity": 1,
        "startDate": "2026-07-01T00:00:00Z",
        "paymentMethod": payment_method,
    }


def _import(world: World, merchant: Merchant, items: list[Json], expected: Json) -> Answer:
    """Send an import, ask for its promise until it is done, and check what it says then."""
    accepted = {"state": "accepted", "itemCount": len(items)}
    brief = len(items) > 1
    answer = merchant.calls.post("/v1/imports/orders", {"items": items}, accepted, ["promiseId"], 202, brief=brief)
    path = f"/v1/imports/{answer['promiseId']}"

    def done() -> bool | None:
        return True if merchant.calls.look(path)["finishedAt"] else None

    world.stage.wait("the import to be done", done)
    return merchant.calls.get(path, expected | {"counts.pending": 0})


def _results(world: World, promise: Answer) -> None:
    """Show what each item did, and check it."""
    items: list[Json] = promise["items"]
    heads = ("item", "externalSystemId", "result", "order", "subscription", "error.code")
    members = ("externalSystemId", "result", "orderId", "subscriptionId")
    rows = [
        (str(item["number"]), *(item[member] or "-" for member in members), (item["error"] or {}).get("code", "-"))
        for item in items
    ]
    world.stage.table(heads, rows, ("item",))
    wanted = [
        ("0", _CHANGED, "updated", "-"),
        ("1", _NEW, "created", "-"),
        ("2", _WRONG, "failed", "customer_not_found"),
    ]
    world.stage.check("the items' results", wanted, [(*row[:3], row[5]) for row in rows])
    for item in items:
        made = item["orderId"] is not None
        world.stage.check(f"whether {item['externalSystemId']} has an order", item["result"] != "failed", made)
