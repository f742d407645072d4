"""The steps that several acts share."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.local.demo import text
from infra.local.demo.callers import Answer, Caller, Merchant
from infra.local.demo.mailbox import Mailbox
from infra.local.demo.receiver import Receiver
from infra.local.demo.scenario import Scenario

Json = dict[str, Any]

INVITATION = {"de": "„{}“ lädt Sie zum gemeinsamen Verkauf ein", "en": "“{}” invites you to sell together"}
ACCEPTED = {"de": "„{}“ hat Ihre Einladung angenommen", "en": "“{}” has accepted your invitation"}


@dataclass
class Setup:
    """The stack, the callers and the servers of the demo."""

    scenario: Scenario
    stack: Mapping[str, str]
    operator: Caller
    mailbox: Mailbox
    receiver: Receiver


@dataclass(frozen=True)
class Sale:
    """A sold cart: position 1 is the seller's own offer, position 2 the shared one."""

    order_id: str
    customer_id: str
    own_subscription: str
    shared_subscription: str


def found_company(setup: Setup, name: str) -> str:
    """The operator creates a contracting company with the module on; returns its id."""
    body = {"name": name, "modules": {"crossClientConnections": True}}
    company = setup.operator.post("/v1/contracting-companies", body, None, ["id"], brief=True)
    setup.scenario.check("the new company's module", True, company["modules.crossClientConnections"])
    return str(company["id"])


def open_shop(setup: Setup, company: str, name: str, language: str) -> Merchant:
    """The operator creates a client of a contracting company and a key for it."""
    email = f"sales@{name.lower()}.example"
    body = {"name": name, "language": language, "contractingCompanyId": company, "email": email}
    client = setup.operator.post("/v1/clients", body, None, ["id"], brief=True)["id"]
    key = setup.operator.post(f"/v1/clients/{client}/api-keys", None, {"status": "active"}, ["apiKey"])
    calls = Caller(name, key["apiKey"], setup.stack["apiUrl"], setup.scenario)
    return Merchant(client, name, email, language, calls)


def invite(setup: Setup, source: Merchant, target: Merchant, callback: Json | None = None) -> Answer:
    """The source invites the target, which gets a mail in its language; returns the source's connection."""
    body: Json = {"targetClientId": target.id, "offersAccess": True}
    shows = ["id"]
    if callback:
        body, shows = body | {"callback": callback}, [*shows, "callback.secret"]
    connection = source.calls.post("/v1/connections", body, {"status": "invited"}, shows)
    _mail(setup, target, connection["id"], INVITATION[target.language].format(source.name), lines=2)
    return connection


def see_invitation(source: Merchant, target: Merchant, connection: str) -> None:
    """Both see the invitation, each in its own role."""
    invited = {"items.#": 1, "items.0.id": connection, "items.0.status": "invited"}
    source.calls.get("/v1/connections", invited | {"items.0.role": "source"})
    target.calls.get("/v1/connections", invited | {"items.0.role": "target"})


def accept(setup: Setup, source: Merchant, target: Merchant, connection: str) -> None:
    """The target accepts the invitation, the source gets a mail, both see that the connection is active."""
    target.calls.post(f"/v1/connections/{connection}/accept", None, {"status": "active"}, status=200)
    _mail(setup, source, connection, ACCEPTED[source.language].format(target.name), lines=0)
    for role, merchant in (("source", source), ("target", target)):
        merchant.calls.get(f"/v1/connections/{connection}", {"role": role, "status": "active"})


def _mail(setup: Setup, to: Merchant, connection: str, subject: str, lines: int) -> None:
    """Wait for a mail, check its subject and language, and show its first lines."""
    scenario = setup.scenario
    mail = scenario.wait(f"the mail to {to.name}", lambda: setup.mailbox.find(to.email, connection))
    words = " ".join(scenario.harmless(mail.text).split())
    beginning = text.wrapped(words, 90, "")[:lines]
    shown = [f"| {line}" for line in beginning[:-1]] + [f"| {line} …" for line in beginning[-1:]]
    scenario.show("mail", [f"to {mail.to}: {mail.subject}", *shown])
    scenario.check(f"the subject of the mail to {to.name}", subject, mail.subject)
    scenario.check_that(
        f"the language of the mail to {to.name}",
        f'<html lang="{to.language}"' in mail.html,
        f'<html lang="{to.language}"',
        mail.html[:60],
    )


def share(source: Merchant, target: Merchant, offer: Json, basis_points: int, brief: bool = False) -> str:
    """The source makes a cross-client offer, the target sees it read-only; returns its id."""
    sharing = {"targetClientIds": [target.id], "sellerShareBasisPoints": basis_points}
    made = source.calls.post("/v1/offers", offer | {"crossClient": sharing}, None, ["id", "price"], brief=brief)
    seen = {"items.#": 1, "items.0.id": made["id"], "items.0.readOnly": True, "items.0.source.name": source.name}
    target.calls.get("/v1/offers/shared", seen)
    return str(made["id"])


def fill_cart(seller: Merchant, offer: Json, shared_offer: str, name: str, brief: bool = False) -> str:
    """The target puts an offer of its own and the shared one into a cart; returns its id."""
    own = seller.calls.post("/v1/offers", offer, None, ["id", "price"], brief=True)["id"]
    positions = [
        {"position": 1, "offerId": own, "mandatory": True},
        {"position": 2, "offerId": shared_offer, "mandatory": True},
    ]
    body = {"name": name, "positions": positions}
    return str(seller.calls.post("/v1/carts", body, {"positions.#": 2}, ["id"], brief=brief)["id"])


def sell(seller: Merchant, cart: str, customer: Json, total: Json, method: str, twice: bool = False) -> Sale:
    """The target sells the cart to a customer; with `twice` it repeats the call as if the answer had been lost."""
    person = seller.calls.post("/v1/customers", customer, None, ["id"], brief=True)["id"]
    body = {"customerId": person, "paymentMethod": method, "expectedTotal": total}
    path, key = f"/v1/carts/{cart}/purchase", str(uuid.uuid4())
    expected = {"total": total, "positions.0.status": "paid", "positions.1.status": "paid"}
    order = seller.calls.post(path, body, expected, ["id"], key=key)
    if twice:
        again = seller.calls.post(path, body, {"id": order["id"]}, key=key, brief=True)
        seller.calls.scenario.check("Idempotency-Replayed", "true", again.headers.get("idempotency-replayed"))
    seller.calls.get("/v1/orders", {"items.#": 1, "items.0.id": order["id"]})
    return Sale(order["id"], person, order["positions.0.subscriptionId"], order["positions.1.subscriptionId"])


def change_terms(source: Merchant, target: Merchant, offer: str, cart: str, old: Json, new: Json) -> None:
    """The source proposes another price; the target's cart sells at the old one until the target accepts."""
    source.calls.patch(f"/v1/offers/{offer}", {"price": new}, {"price": new})
    proposed = {"acceptedTerms.price": old, "proposedTerms.price": new, "proposedTerms.version": 2}
    target.calls.get(f"/v1/offers/shared/{offer}", proposed)
    target.calls.get(f"/v1/carts/{cart}", {"sellable": True, "positions.1.price": old})
    path, accepted = f"/v1/offers/shared/{offer}/accept-terms", {"acceptedTerms.price": new, "proposedTerms": None}
    target.calls.post(path, {"version": 2}, accepted, status=200)
    target.calls.get(f"/v1/carts/{cart}", {"positions.1.price": new})


def subscriptions(setup: Setup, *rows: tuple[Merchant, str, Json]) -> None:
    """Show subscriptions, each as a merchant sees it, and check the expected members."""
    seen = [
        (merchant, merchant.calls.look(f"/v1/subscriptions/{subscription}"), expected)
        for merchant, subscription, expected in rows
    ]
    heads = ("GET /v1/subscriptions/", "id", "role", "offer", "status", "periodsPaid", "customerId")
    members = ("id", "role", "offerName", "status", "periodsPaid", "customerId")
    lines = [(merchant.name, *(str(row[member] or "-") for member in members)) for merchant, row, _ in seen]
    setup.scenario.table(heads, lines, ("periodsPaid",))
    for merchant, row, expected in seen:
        for member, value in expected.items():
            setup.scenario.check(f"{member} of the subscription, as {merchant.name} sees it", value, row[member])


def payout_lists(setup: Setup, *lists: tuple[Merchant, list[Json]]) -> list[list[Json]]:
    """Show merchants' payout lists, newest row first, and check their rows; returns them."""
    seen = [(merchant, merchant.calls.look("/v1/payouts")["items"], expected) for merchant, expected in lists]
    heads = ("GET /v1/payouts", "type", "partner", "offer", "order", "period", "gross EUR", "share", "due EUR", "paid")
    lines = [(merchant.name, *_payout_line(row)) for merchant, rows, _ in seen for row in rows]
    setup.scenario.table(heads, lines, heads[5:9])
    for merchant, rows, expected in seen:
        setup.scenario.check(f"the number of payout rows that {merchant.name} sees", len(expected), len(rows))
        for row, members in zip(rows, expected, strict=True):
            for member, value in members.items():
                came = text.pick(row, member)
                setup.scenario.check(f"{member} of a payout row, as {merchant.name} sees it", value, came)
    return [rows for _, rows, _ in seen]


def _payout_line(row: Json) -> tuple[str, ...]:
    partner = row["target" if row["role"] == "source" else "source"]["name"]
    share = f"{row['sellerShareBasisPoints'] / 100:g} %"
    sums = (text.number(row["gross"]), share, text.number(row["due"]))
    order, period = row["orderId"], str(row["periodNumber"])
    return (row["type"], partner, row["offerName"], order, period, *sums, row["paidStatus"])


def callback(setup: Setup, event: str, expected: Json, shows: list[str]) -> Json:
    """Show the received callback of a type, with its verified signature, and check its data; returns the data."""
    scenario, receiver = setup.scenario, setup.receiver
    came = scenario.wait(f"the callback {event}", lambda: receiver.find(event))
    verified = came.fault is None
    scenario.check_that(f"the callback {event}", verified, "a signature that can be verified", came.fault or "")
    data: Json = came.content["data"]
    if "voucherCode" in data:
        scenario.hide(data["voucherCode"], 5)
    webhook_id, signature = came.headers["webhook-id"], came.headers["webhook-signature"][:12]
    scenario.show(
        "callback",
        [
            f"POST {came.path}  webhook-id: {webhook_id}  webhook-signature: {signature}…  verified",
            "  ".join([event, *(text.named(data, path) for path in [*shows, *expected])]),
        ],
    )
    refused = receiver.fault_of(came.path, came.headers, came.body + b" ") is not None
    scenario.check_that("the same callback with one byte more", refused, "a refused signature", "a verified one")
    for member, value in expected.items():
        scenario.check(f"{member} in the callback {event}", value, text.pick(data, member))
    return data | {"webhookId": webhook_id}
