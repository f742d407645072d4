"""The story, act by act."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from dataclasses import dataclass

from infra.local.demo import scenes, text
from infra.local.demo.cast import Merchant
from infra.local.demo.receiver import SALES
from infra.local.demo.scenes import Json, Sale, World


def euros(cents: int) -> Json:
    """An amount of money as the API has it."""
    return {"amount": cents, "currency": "EUR"}


def monthly(name: str, cents: int) -> Json:
    """A subscription that is paid each month."""
    period = {"unit": "month", "count": 1}
    return {"name": name, "type": "subscription", "period": period, "renews": True, "price": euros(cents)}


@dataclass(frozen=True)
class First:
    """What the first act leaves behind."""

    company: str
    source: Merchant
    sale: Sale


@dataclass(frozen=True)
class Second:
    """What the second act leaves behind."""

    target: Merchant
    sale: Sale


def first(world: World) -> First:
    """Two merchants of one contracting company."""
    stage = world.stage
    stage.act(
        "ACT ONE: within one contracting company",
        "Bergverlag owns the magazine Alpenblick and the newspaper Tagespost. Tagespost is to sell both in one cart.",
    )
    stage.step(
        "The operator creates the company, with the module crossClientConnections on, its clients and their keys"
    )
    company = scenes.found_company(world, "Bergverlag")
    source = scenes.open_shop(world, company, "Alpenblick", "en")
    target = scenes.open_shop(world, company, "Tagespost", "de")
    stage.step("Alpenblick (the source) invites Tagespost (the target), which reads German")
    connection = scenes.invite(world, source, target)["id"]
    scenes.see_invitation(source, target, connection)
    stage.step("Tagespost accepts, and both see that the connection is active")
    scenes.accept(world, source, target, connection)
    stage.step("Alpenblick shares an offer, of which Tagespost will keep 20 %; Tagespost sees it, read-only")
    offer = scenes.share(source, target, monthly("Alpenblick", 990), 2000)
    stage.step("Tagespost puts it into a cart beside an offer of its own")
    cart = scenes.fill_cart(target, monthly("Tagespost", 2490), offer, "Mountains and news")
    stage.step("Anna buys the cart; the call repeated with its Idempotency-Key does not sell it twice")
    anna = {"email": "anna@customers.example", "language": "de", "firstName": "Anna"}
    sale = scenes.sell(target, cart, anna, euros(3480), "PAYPAL", twice=True)

    stage.step("Both have Anna's subscription to Alpenblick: one id, a row for each merchant, the same customer")
    active = {"status": "active", "customerId": sale.customer_id, "periodsPaid": 1}
    scenes.subscriptions(
        world,
        (source, sale.shared_subscription, active | {"role": "source"}),
        (target, sale.shared_subscription, active | {"role": "seller"}),
        (target, sale.own_subscription, active | {"role": "own"}),
    )
    stage.step("Both payout lists: Tagespost keeps 20 % and owes 7.92 EUR; no callback, for both share their customers")
    row = {
        "type": "PAYMENT",
        "orderId": sale.order_id,
        "subscriptionId": sale.shared_subscription,
        "gross": euros(990),
        "due": euros(792),
        "paidStatus": "OPEN",
    }
    ours, theirs = scenes.payout_lists(
        world, (source, [row | {"role": "source"}]), (target, [row | {"role": "target"}])
    )
    stage.check("the id of Tagespost's payout row", ours[0]["id"], theirs[0]["id"])
    source.calls.get("/v1/callbacks", {"items.#": 0})
    return First(company, source, sale)


def second(world: World, source: Merchant) -> Second:
    """Two merchants of two contracting companies."""
    stage, receiver = world.stage, world.receiver
    stage.act(
        "ACT TWO: between two contracting companies",
        "Quayside, of Harbour Press, is to sell Alpenblick too. The companies share no customers, so a callback tells",
        f"Alpenblick of each sale; its server listens on {receiver.url(SALES)}.",
    )
    stage.step("The operator creates the other company, its client and a key")
    target = scenes.open_shop(world, scenes.found_company(world, "Harbour Press"), "Quayside", "en")
    stage.step("Alpenblick invites Quayside, names its callback address and gets a secret for signatures")
    invitation = scenes.invite(world, source, target, {"url": receiver.url(SALES)})
    receiver.trust(SALES, invitation["callback.secret"])
    stage.step("Quayside accepts")
    scenes.accept(world, source, target, invitation["id"])
    stage.step("Alpenblick shares an offer, Quayside puts it into a cart and sells it to Ben")
    offer = scenes.share(source, target, monthly("Alpenblick Plus", 1200), 2500, brief=True)
    cart = scenes.fill_cart(target, monthly("Quayside", 1500), offer, "Sea and mountains", brief=True)
    ben = {"email": "ben@customers.example", "language": "en", "firstName": "Ben", "lastName": "Ashore"}
    sale = scenes.sell(target, cart, ben, euros(2700), "CREDIT_CARD")

    stage.step(
        "Alpenblick's server gets the callback, verifies its signature by the package standardwebhooks and takes it"
    )
    expected = {"customer.email": ben["email"]}
    sold = scenes.callback(world, "crossClientOrder.created", expected, ["voucherCode"])
    stage.check("the order that the callback tells of", sale.order_id, sold["order"]["id"])
    stage.check("the subscription that the callback tells of", sale.shared_subscription, sold["subscription"]["id"])
    _log(world, source, sold["webhookId"])
    stage.step("Alpenblick's subscription waits for its customer; it creates Ben and redeems the voucher")
    pending = {"status": "pending", "customerId": None, "role": "source"}
    source.calls.get(f"/v1/subscriptions/{sale.shared_subscription}", pending)
    profile = {name: sold["customer"][name] for name in ("email", "language", "firstName", "lastName")}
    stage.check("Ben, as the callback tells of him", ben, profile)
    own_ben = source.calls.post("/v1/customers", profile, None, ["id"], brief=True)["id"]
    stage.check_that("Ben's ids", own_ben != sale.customer_id, "a customer of Alpenblick's own", own_ben)
    redeem = {"customerId": own_ben, "voucherCode": sold["voucherCode"]}
    linked = {"id": sale.shared_subscription, "status": "active", "customerId": own_ben}
    source.calls.post("/v1/subscriptions/useCrossClientVoucher", redeem, linked, status=200)
    source.calls.get(f"/v1/customers/{own_ben}/subscriptions", {"items.#": 1, "items.0.id": sale.shared_subscription})

    stage.step("Each merchant has the subscription with its own customer")
    scenes.subscriptions(
        world,
        (source, sale.shared_subscription, {"status": "active", "customerId": own_ben, "role": "source"}),
        (target, sale.shared_subscription, {"status": "active", "customerId": sale.customer_id, "role": "seller"}),
        (target, sale.own_subscription, {"status": "active", "customerId": sale.customer_id, "role": "own"}),
    )
    stage.step("Both payout lists: Quayside keeps 25 % and owes 9.00 EUR; it sees nothing of Tagespost")
    row = {"type": "PAYMENT", "orderId": sale.order_id, "gross": euros(1200), "due": euros(900), "paidStatus": "OPEN"}
    ours, theirs = scenes.payout_lists(world, (source, [row, {"due": euros(792)}]), (target, [row]))
    stage.check("the id of Quayside's payout row", ours[0]["id"], theirs[0]["id"])
    return Second(target, sale)


def _log(world: World, source: Merchant, webhook_id: str) -> None:
    """The callback log shows the delivery; it is written when the receiver has answered."""

    def delivered() -> bool | None:
        items = source.calls.look("/v1/callbacks")["items"]
        return True if items and items[0]["status"] == "delivered" else None

    world.stage.wait("the callback log to show the delivery", delivered)
    source.calls.get("/v1/callbacks", {"items.#": 1, "items.0.id": webhook_id, "items.0.status": "delivered"})
    attempt = {"attemptLog.0.statusCode": 200, "attemptLog.0.answer": "thanks"}
    log = source.calls.get(f"/v1/callbacks/{webhook_id}", attempt)
    world.stage.check("how many attempts the log has", 1, log["attemptLog.#"])


def third(world: World, before: First, now: Second) -> None:
    """After the sale: money comes again, money goes back, and the lists know it."""
    stage, source, target = world.stage, before.source, now.target
    subscription, order = now.sale.shared_subscription, now.sale.order_id
    stage.act("ACT THREE: after the sale", "Quayside serves Ben and tells Tandem; what is Alpenblick's follows.")
    stage.step("Ben paid a second month")
    path = f"/v1/subscriptions/{subscription}/payments"
    target.calls.post(path, {"periodNumber": 2}, {"periodsPaid": 2}, status=200)
    renewed = {"subscription.periodsPaid": 2, "amount": euros(1200)}
    told = scenes.callback(world, "crossClientSubscription.renewed", renewed, [])
    stage.check("the subscription that the callback tells of", subscription, told["subscription"]["id"])
    source.calls.get(f"/v1/subscriptions/{subscription}", {"status": "active", "periodsPaid": 2})

    stage.step("Ben gets the second month's money for Alpenblick back; Quayside he keeps")
    expected = {"positions.1.status": "refunded"}
    refund = target.calls.post(f"/v1/orders/{order}/refund", {"positions": [2]}, expected, status=200)
    stage.check("the status of position 1", "paid", refund["positions.0.status"])
    refunded = {"subscription.id": subscription, "reason": "refund", "amount": euros(-1200)}
    scenes.callback(world, "crossClientSubscription.refunded", refunded, [])
    scenes.subscriptions(
        world,
        (source, subscription, {"status": "refunded", "role": "source", "periodsPaid": 2}),
        (target, subscription, {"status": "refunded", "role": "seller"}),
        (target, now.sale.own_subscription, {"status": "active", "role": "own"}),
    )
    stage.step("Tagespost has paid what it owed for Anna; Alpenblick marks the row")
    anna = source.calls.look(f"/v1/payouts?orderId={before.sale.order_id}")["items.0.id"]
    paid = {"paidStatus": "PAID", "due": euros(792)}
    source.calls.post(f"/v1/payouts/{anna}/mark-paid", None, paid, status=200)

    stage.step("Both payout lists, newest row first")
    rows: list[Json] = [
        {"type": "REFUND", "gross": euros(-1200), "due": euros(-900), "paidStatus": "OPEN", "orderId": order},
        {"type": "PAYMENT", "gross": euros(1200), "due": euros(900), "periodNumber": 2, "orderId": order},
        {"type": "PAYMENT", "gross": euros(1200), "due": euros(900), "periodNumber": 1, "orderId": order},
    ]
    anna_row = {"id": anna, "due": euros(792), "paidStatus": "PAID"}
    ours, theirs = scenes.payout_lists(world, (source, [*rows, anna_row]), (target, rows))
    same = [row["id"] for row in ours[:3]]
    stage.check("the ids of Quayside's payout rows", same, [row["id"] for row in theirs])
    stage.step("Their statements and CSV exports add up to the rows")
    _statements(world, (source, ours), (target, theirs))
    stage.check("how many different callbacks came", 3, world.receiver.count())


def _statements(world: World, *lists: tuple[Merchant, list[Json]]) -> None:
    """Show statements, and hold them and the CSV against the rows of the lists."""
    heads = ("GET /v1/payouts/statement", "month", "role", "partner", "rows", "gross EUR", "due EUR", "open EUR")
    shown = []
    for merchant, rows in lists:
        lines: list[Json] = merchant.calls.look("/v1/payouts/statement")["lines"]
        for line in lines:
            sums = map(text.number, _sums_of(line))
            shown.append((merchant.name, line["month"], line["role"], line["partnerName"], str(line["rows"]), *sums))
        told = {
            (line["partnerClientId"], line["month"]): (line["rows"], *(part["amount"] for part in _sums_of(line)))
            for line in lines
        }
        world.stage.check(f"the sums of {merchant.name}'s statement", _added(rows), told)
        _export(world, merchant, rows)
    world.stage.table(heads, shown, heads[4:])


def _export(world: World, merchant: Merchant, rows: list[Json]) -> None:
    """Hold the CSV against the rows of the list."""
    written = merchant.calls.look("/v1/payouts/export").body
    exported = [(row["id"], int(row["gross"]), int(row["due"])) for row in csv.DictReader(io.StringIO(written))]
    listed = [(row["id"], row["gross"]["amount"], row["due"]["amount"]) for row in rows]
    world.stage.check(f"the rows of {merchant.name}'s CSV", listed, exported)


def _sums_of(line: Json) -> tuple[Json, Json, Json]:
    return line["gross"], line["due"], line["open"]


def _added(rows: list[Json]) -> dict[tuple[str, str], tuple[int, ...]]:
    """Rows, gross, due and open by partner and month."""
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for row in rows:
        partner = row["target" if row["role"] == "source" else "source"]["clientId"]
        due = row["due"]["amount"]
        sum_ = sums[partner, row["createdAt"][:7]]
        for index, part in enumerate((1, row["gross"]["amount"], due, due if row["paidStatus"] == "OPEN" else 0)):
            sum_[index] += part
    return {key: tuple(parts) for key, parts in sums.items()}
