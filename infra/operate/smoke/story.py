"""The merchants' part of the story: tenants, invitations and their mails, sales, callbacks."""

from __future__ import annotations

import time
import uuid

from infra.local.demo import steps
from infra.local.demo.acts import euros, monthly
from infra.local.demo.callers import Caller, Merchant
from infra.local.demo.receiver import SALES
from infra.local.demo.steps import Json
from infra.operate.smoke.world import SIMULATOR, Tenant, World

MAIL_SECONDS = 180.0
"""Until SES has reported the fate of a mail, and Tandem has recorded it."""


def tenants(world: World) -> None:
    """Two contracting companies; the first has two clients, so that sales within a company are played, too."""
    for company, clients in (("first", ("source", "sister")), ("second", ("target",))):
        body = {"name": f"{world.mark} {company} company", "modules": {"crossClientConnections": True}}
        world.companies[company] = world.operator.post("/v1/contracting-companies", body, None, ["id"], brief=True)[
            "id"
        ]
        for name in clients:
            _client(world, world.companies[company], name, "success")


def _client(world: World, company: str, name: str, mailbox: str) -> Merchant:
    email = SIMULATOR.format(mailbox)
    body = {"name": f"{world.mark} {name}", "language": "en", "contractingCompanyId": company, "email": email}
    client = world.operator.post("/v1/clients", body, None, ["id"], brief=True)["id"]
    key = world.operator.post(f"/v1/clients/{client}/api-keys", {"name": world.mark}, {"status": "active"}, ["apiKey"])
    calls = Caller(name, key["apiKey"], world.deployment.api, world.scenario)
    merchant = Merchant(client, f"{world.mark} {name}", email, "en", calls)
    world.tenants[name] = Tenant(merchant, company, key["keyId"])
    return merchant


def invitation(world: World) -> None:
    """The source invites its sister, and both see it."""
    source, sister = world.who("source"), world.who("sister")
    body = {"targetClientId": sister.id, "offersAccess": True}
    connection = source.calls.post("/v1/connections", body, {"status": "invited"}, ["id"])["id"]
    world.connections["sister"] = connection
    steps.see_invitation(source, sister, connection)


def mail(world: World) -> None:
    """The invitation's mail left: SES says so in an event, the emulator in its list of mails."""
    connection, sister = world.connections["sister"], world.who("sister")
    if world.local:
        sent = world.scenario.wait("the invitation's mail", lambda: world.mailbox.find(sister.email, connection))
        world.scenario.show("mail", [f"to {sent.to}: {sent.subject}"])
        return
    _fate(world, connection, "sent")


def bounce(world: World) -> None:
    """An invitation to a mailbox that does not exist is reported as bounced."""
    stranger = _client(world, world.companies["first"], "stranger", "bounce")
    body = {"targetClientId": stranger.id, "offersAccess": True}
    source = world.who("source")
    connection = source.calls.post("/v1/connections", body, {"status": "invited"}, ["id"], brief=True)["id"]
    _fate(world, connection, "bounced")


def _fate(world: World, connection: str, wanted: str) -> None:
    source = world.who("source")

    def status() -> str | None:
        time.sleep(1)
        found = source.calls.look(f"/v1/connections/{connection}")["invitationMail.status"]
        # `sent` comes first, so a mail that bounces shows it for some seconds.
        return None if found != wanted and found in (None, "sent") else str(found)

    found = world.scenario.wait(f"the invitation's mail to be {wanted}", status, MAIL_SECONDS)
    world.scenario.show("mail", [f"invitationMail.status={found}"])
    world.scenario.check("the status of the invitation's mail", wanted, found)


def sale(world: World) -> None:
    """The sister accepts and sells the source's offer, once, however often the request is sent."""
    source, sister = world.who("source"), world.who("sister")
    connection = world.connections["sister"]
    sister.calls.post(f"/v1/connections/{connection}/accept", None, {"status": "active"}, status=200)
    offer = steps.share(source, sister, _monthly("shared with the sister", 990, world), 2000, brief=True)
    cart = steps.fill_cart(sister, _monthly("the sister's own", 2490, world), offer, f"{world.mark} cart", brief=True)
    sold = steps.sell(sister, cart, _customer("anna"), euros(3480), "PAYPAL", twice=True)
    active = {"status": "active", "customerId": sold.customer_id}
    source.calls.get(f"/v1/subscriptions/{sold.shared_subscription}", active | {"role": "source"})
    row = {"items.#": 1, "items.0.gross": euros(990), "items.0.due": euros(792), "items.0.orderId": sold.order_id}
    source.calls.get("/v1/payouts", row)
    sister.calls.get("/v1/payouts", row)


def other_company(world: World) -> None:
    """The target, of the other company, sells the source's offer; the source's receiver gets the callback."""
    source, target = world.who("source"), world.who("target")
    setup = world.setup()
    body = {"targetClientId": target.id, "offersAccess": True, "callback": {"url": world.receiver_url}}
    shows = ["id", "callback.secret"]
    connection = source.calls.post("/v1/connections", body, {"status": "invited"}, shows)
    world.connections["target"] = connection["id"]
    setup.receiver.trust(SALES, connection["callback.secret"])
    target.calls.post(f"/v1/connections/{connection['id']}/accept", None, {"status": "active"}, status=200)
    offer = steps.share(source, target, _monthly("shared with the target", 1200, world), 2500, brief=True)
    world.cart = steps.fill_cart(target, _monthly("the target's own", 1500, world), offer, f"{world.mark} cart", True)
    world.sale = steps.sell(target, world.cart, _customer("ben"), euros(2700), "CREDIT_CARD")
    sold = steps.callback(setup, "crossClientOrder.created", {"order.id": world.sale.order_id}, ["voucherCode"])
    own = source.calls.post("/v1/customers", _customer("ben"), None, ["id"], brief=True)["id"]
    redeem = {"customerId": own, "voucherCode": sold["voucherCode"]}
    linked = {"id": world.sale.shared_subscription, "status": "active", "customerId": own}
    source.calls.post("/v1/subscriptions/useCrossClientVoucher", redeem, linked, status=200)

    def delivered() -> bool | None:
        return True if source.calls.look(f"/v1/callbacks/{sold['webhookId']}")["status"] == "delivered" else None

    world.scenario.wait("the callback log to show the delivery", delivered)
    source.calls.get(f"/v1/callbacks/{sold['webhookId']}", {"status": "delivered", "attemptLog.0.statusCode": 200})


def after_the_sale(world: World) -> None:
    """A renewal and a refund reach the source in their callbacks and rows."""
    assert world.sale
    source, target, subscription = world.who("source"), world.who("target"), world.sale.shared_subscription
    setup = world.setup()
    path = f"/v1/subscriptions/{subscription}/payments"
    target.calls.post(path, {"periodNumber": 2}, {"periodsPaid": 2}, status=200)
    steps.callback(setup, "crossClientSubscription.renewed", {"subscription.id": subscription}, [])
    target.calls.post(f"/v1/orders/{world.sale.order_id}/refund", None, {"positions.1.status": "refunded"}, status=200)
    steps.callback(setup, "crossClientSubscription.refunded", {"subscription.id": subscription}, [])
    source.calls.get(f"/v1/subscriptions/{subscription}", {"status": "refunded", "role": "source"})


def _monthly(name: str, cents: int, world: World) -> Json:
    return monthly(f"{world.mark} {name}", cents)


def _customer(name: str) -> Json:
    # Tandem sends no mail to customers.
    return {"email": f"smoke-{name}-{uuid.uuid4().hex[:8]}@customers.example", "language": "en", "firstName": name}
