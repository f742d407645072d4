"""Plays docs/restore.md against the stack that TANDEM_STACK names: backup, restore, adoption, switch, and the effects.

::

    make restore

The emulator restores to no point in time, so a backup marks the time. The switch is an update of the stack with the
parameters that `make deploy` passes for a table named in samconfig.toml.
"""

from __future__ import annotations

import sys
import time
import uuid

from infra.local.demo import steps, text
from infra.local.demo.__main__ import stack_description
from infra.local.demo.acts import euros, monthly
from infra.local.demo.callers import Answer, Caller, Merchant
from infra.local.demo.mailbox import Mailbox
from infra.local.demo.receiver import SALES, Receiver
from infra.local.demo.scenario import Failure, Scenario
from infra.local.demo.services import Services
from infra.local.demo.steps import Setup

BEN = {"email": "ben@customers.example", "language": "en", "firstName": "Ben", "lastName": "Ashore"}


def main() -> int:
    """Return the exit status: 0, or 1 if a step failed."""
    scenario = Scenario(sys.stdout)
    try:
        stack = stack_description()
        with Receiver() as receiver:
            operator = Caller("operator", stack["operatorKey"], stack["apiUrl"], scenario)
            scenario.hide(stack["operatorKey"], 4)
            setup = Setup(scenario, stack, operator, Mailbox(stack["sentMailsUrl"]), receiver)
            play(setup, Services(stack))
        scenario.end()
    except Failure as failure:
        scenario.fail(failure)
        return 1
    return 0


def play(setup: Setup, services: Services) -> None:
    """Sell, mark the time, sell and redeem, restore, and check the effects; raises a `Failure`."""
    scenario, receiver = setup.scenario, setup.receiver
    scenario.act("A RESTORE", "Alpenblick gets callbacks of Quayside's sales. The table returns to an earlier state.")
    scenario.step("The merchants connect, and Quayside sells to Ben; Alpenblick's server rejects the callback")
    source = steps.open_shop(setup, steps.found_company(setup, "Bergverlag"), "Alpenblick", "de")
    target = steps.open_shop(setup, steps.found_company(setup, "Harbour Press"), "Quayside", "en")
    invitation = steps.invite(setup, source, target, {"url": receiver.url(SALES)})
    steps.accept(setup, source, target, invitation["id"])
    offer = steps.share(source, target, monthly("Alpenblick Plus", 1200), 2500, brief=True)
    cart = steps.fill_cart(target, monthly("Quayside", 1500), offer, "Sea and mountains", brief=True)
    sale = steps.sell(target, cart, BEN, euros(2700), "CREDIT_CARD")
    webhook_id = scenario.wait("the first attempt", lambda: _first_id(receiver))
    spare = setup.operator.post(f"/v1/clients/{source.id}/api-keys", None, {"status": "active"}, ["keyId", "apiKey"])

    scenario.step("T: the state to which the table will return")
    backup = services.back_up()
    receiver.trust(SALES, invitation["callback.secret"])

    scenario.step("After T: the callback is delivered, its voucher redeemed, a key revoked, and Cleo buys")
    voucher = scenario.wait("the delivery", lambda: _delivered(receiver, webhook_id, after=0))
    scenario.hide(voucher, 5)
    _redeem(source, voucher, sale.shared_subscription)
    setup.operator.delete(f"/v1/clients/{source.id}/api-keys/{spare['keyId']}")
    key = str(uuid.uuid4())
    cleo = _sell_again(target, cart, key)

    scenario.step("The restored table is adopted, and the functions switch to it")
    delivered = receiver.total()
    services.restore(backup)
    scenario.show("switch", services.adopt())
    services.switch()

    scenario.step("Work that was due at T is done again: the same callback, with the same id")
    again = scenario.wait("the repeated delivery", lambda: _delivered(receiver, webhook_id, after=delivered))
    scenario.check("the voucher of the repeated callback", voucher, again)

    scenario.step("All that came after T is gone: Cleo's order, the redemption, the revocation")
    gone = target.calls.ask("GET", f"/v1/orders/{cleo['id']}")
    scenario.check("the answer for Cleo's order", 404, gone.status)
    pending = {"status": "pending", "customerId": None}
    source.calls.get(f"/v1/subscriptions/{sale.shared_subscription}", pending)
    scenario.hide(spare["apiKey"], 10)
    revoked = Caller("spare key", spare["apiKey"], setup.stack["apiUrl"], scenario)
    revoked.get("/v1/offers", {"items.#": 1})

    scenario.step("The callers send again what is missing; new work takes the way of the stream")
    _redeem(source, voucher, sale.shared_subscription)
    seen, began = receiver.count(), time.monotonic()
    order = _sell_again(target, cart, key)
    scenario.check_that("Cleo's second order", order["id"] != cleo["id"], "a new order", str(order["id"]))
    scenario.wait("the callback of the new sale", lambda: True if receiver.count() > seen else None)
    waited = time.monotonic() - began
    scenario.check_that("the way of the new callback", waited < 30, "by the stream, in seconds", f"{waited:.0f} s")


def _redeem(source: Merchant, voucher: str, subscription: str) -> None:
    customer = source.calls.post("/v1/customers", BEN, None, ["id"], brief=True)["id"]
    linked = {"id": subscription, "status": "active", "customerId": customer}
    redeem = {"customerId": customer, "voucherCode": voucher}
    source.calls.post("/v1/subscriptions/useCrossClientVoucher", redeem, linked, status=200)


def _sell_again(target: Merchant, cart: str, key: str) -> Answer:
    profile = {"email": "cleo@customers.example", "language": "en"}
    cleo = target.calls.post("/v1/customers", profile, None, ["id"], brief=True)["id"]
    body = {"customerId": cleo, "paymentMethod": "PAYPAL"}
    return target.calls.post(f"/v1/carts/{cart}/purchase", body, {"total": euros(2700)}, ["id"], key=key)


def _first_id(receiver: Receiver) -> str | None:
    for received in receiver.all():
        return received.headers["webhook-id"]
    return None


def _delivered(receiver: Receiver, webhook_id: str, after: int) -> str | None:
    """The voucher of an accepted callback among those received later."""
    for received in receiver.all()[after:]:
        if received.headers["webhook-id"] == webhook_id and received.fault is None:
            return str(text.pick(received.content["data"], "voucherCode"))
    return None


if __name__ == "__main__":
    sys.exit(main())
