"""The story, act by act."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from dataclasses import dataclass

from infra.local.demo import steps, text
from infra.local.demo.callers import Merchant
from infra.local.demo.receiver import SALES
from infra.local.demo.steps import Json, Sale, Setup


def euros(cents: int) -> Json:
    """An amount of money in the form of the API."""
    return {"amount": cents, "currency": "EUR"}


def monthly(name: str, cents: int) -> Json:
    """An offer of a monthly subscription."""
    period = {"unit": "month", "count": 1}
    return {"name": name, "type": "subscription", "period": period, "renews": True, "price": euros(cents)}


@dataclass(frozen=True)
class First:
    """The results of the first act."""

    company: str
    source: Merchant
    sale: Sale


@dataclass(frozen=True)
class Second:
    """The results of the second act."""

    target: Merchant
    sale: Sale


def first(setup: Setup) -> First:
    """Two merchants of one contracting company."""
    scenario = setup.scenario
    scenario.act(
        "ACT ONE: within one contracting company",
        "Bergverlag owns the magazine Alpenblick and the newspaper Tagespost. Tagespost will sell both in one cart.",
    )
    scenario.step(
        "The operator creates the company, with the module crossClientConnections on, its clients and their keys"
    )
    company = steps.found_company(setup, "Bergverlag")
    source = steps.open_shop(setup, company, "Alpenblick", "en")
    target = steps.open_shop(setup, company, "Tagespost", "de")
    scenario.step("Alpenblick (the source) invites Tagespost (the target), which reads German")
    connection = steps.invite(setup, source, target)["id"]
    steps.see_invitation(source, target, connection)
    scenario.step("Tagespost accepts, and both see that the connection is active")
    steps.accept(setup, source, target, connection)
    scenario.step("Alpenblick shares an offer; Tagespost will keep 20 % of its price, and sees the offer read-only")
    offer = steps.share(source, target, monthly("Alpenblick", 990), 2000)
    scenario.step("Tagespost puts the offer into a cart beside an offer of its own")
    cart = steps.fill_cart(target, monthly("Tagespost", 2490), offer, "Mountains and news")
    scenario.step("Anna buys the cart; a repeated call with the same Idempotency-Key does not sell it twice")
    anna = {"email": "anna@customers.example", "language": "de", "firstName": "Anna"}
    sale = steps.sell(target, cart, anna, euros(3480), "PAYPAL", twice=True)

    scenario.step("Both have Anna's subscription to Alpenblick: one id, a row for each merchant, the same customer")
    active = {"status": "active", "customerId": sale.customer_id, "periodsPaid": 1}
    steps.subscriptions(
        setup,
        (source, sale.shared_subscription, active | {"role": "source"}),
        (target, sale.shared_subscription, active | {"role": "seller"}),
        (target, sale.own_subscription, active | {"role": "own"}),
    )
    scenario.step("Both payout lists: Tagespost keeps 20 % and owes 7.92 EUR; no callback, as they share customers")
    row = {
        "type": "PAYMENT",
        "orderId": sale.order_id,
        "subscriptionId": sale.shared_subscription,
        "gross": euros(990),
        "due": euros(792),
        "paidStatus": "OPEN",
    }
    ours, theirs = steps.payout_lists(setup, (source, [row | {"role": "source"}]), (target, [row | {"role": "target"}]))
    scenario.check("the id of Tagespost's payout row", ours[0]["id"], theirs[0]["id"])
    source.calls.get("/v1/callbacks", {"items.#": 0})
    scenario.step("Alpenblick proposes a price of 10.90 EUR; Tagespost sells at 9.90 EUR until it accepts the terms")
    steps.change_terms(source, target, offer, cart, euros(990), euros(1090))
    return First(company, source, sale)


def second(setup: Setup, source: Merchant) -> Second:
    """Two merchants of two contracting companies."""
    scenario, receiver = setup.scenario, setup.receiver
    scenario.act(
        "ACT TWO: between two contracting companies",
        "Quayside, of Harbour Press, will sell Alpenblick too. The companies share no customers, so Alpenblick gets",
        f"a callback for each sale; its server listens on {receiver.url(SALES)}.",
    )
    scenario.step("The operator creates the other company, its client and a key")
    target = steps.open_shop(setup, steps.found_company(setup, "Harbour Press"), "Quayside", "en")
    scenario.step("Alpenblick invites Quayside, names its callback address and gets a secret for signatures")
    invitation = steps.invite(setup, source, target, {"url": receiver.url(SALES)})
    receiver.trust(SALES, invitation["callback.secret"])
    scenario.step("Quayside accepts")
    steps.accept(setup, source, target, invitation["id"])
    scenario.step("Alpenblick shares an offer, Quayside puts it into a cart and sells it to Ben")
    offer = steps.share(source, target, monthly("Alpenblick Plus", 1200), 2500, brief=True)
    cart = steps.fill_cart(target, monthly("Quayside", 1500), offer, "Sea and mountains", brief=True)
    ben = {"email": "ben@customers.example", "language": "en", "firstName": "Ben", "lastName": "Ashore"}
    sale = steps.sell(target, cart, ben, euros(2700), "CREDIT_CARD")

    scenario.step(
        "Alpenblick's server gets the callback, verifies its signature with the package standardwebhooks and accepts it"
    )
    expected = {"customer.email": ben["email"]}
    sold = steps.callback(setup, "crossClientOrder.created", expected, ["voucherCode"])
    scenario.check("the order of the callback", sale.order_id, sold["order"]["id"])
    scenario.check("the subscription of the callback", sale.shared_subscription, sold["subscription"]["id"])
    _log(setup, source, sold["webhookId"])
    scenario.step("Alpenblick's subscription is pending; Alpenblick creates the customer Ben and redeems the voucher")
    pending = {"status": "pending", "customerId": None, "role": "source"}
    source.calls.get(f"/v1/subscriptions/{sale.shared_subscription}", pending)
    profile = {name: sold["customer"][name] for name in ("email", "language", "firstName", "lastName")}
    scenario.check("Ben's profile in the callback", ben, profile)
    own_ben = source.calls.post("/v1/customers", profile, None, ["id"], brief=True)["id"]
    scenario.check_that("Ben's ids", own_ben != sale.customer_id, "a customer of Alpenblick's own", own_ben)
    redeem = {"customerId": own_ben, "voucherCode": sold["voucherCode"]}
    linked = {"id": sale.shared_subscription, "status": "active", "customerId": own_ben}
    source.calls.post("/v1/subscriptions/useCrossClientVoucher", redeem, linked, status=200)
    source.calls.get(f"/v1/customers/{own_ben}/subscriptions", {"items.#": 1, "items.0.id": sale.shared_subscription})

    scenario.step("Each merchant has the subscription with its own customer")
    steps.subscriptions(
        setup,
        (source, sale.shared_subscription, {"status": "active", "customerId": own_ben, "role": "source"}),
        (target, sale.shared_subscription, {"status": "active", "customerId": sale.customer_id, "role": "seller"}),
        (target, sale.own_subscription, {"status": "active", "customerId": sale.customer_id, "role": "own"}),
    )
    scenario.step("Both payout lists: Quayside keeps 25 % and owes 9.00 EUR; it sees nothing of Tagespost")
    row = {"type": "PAYMENT", "orderId": sale.order_id, "gross": euros(1200), "due": euros(900), "paidStatus": "OPEN"}
    ours, theirs = steps.payout_lists(setup, (source, [row, {"due": euros(792)}]), (target, [row]))
    scenario.check("the id of Quayside's payout row", ours[0]["id"], theirs[0]["id"])
    return Second(target, sale)


def _log(setup: Setup, source: Merchant, webhook_id: str) -> None:
    """Wait until the callback log shows the delivery, which is recorded after the receiver's answer."""

    def delivered() -> bool | None:
        items = source.calls.look("/v1/callbacks")["items"]
        return True if items and items[0]["status"] == "delivered" else None

    setup.scenario.wait("the callback log to show the delivery", delivered)
    source.calls.get("/v1/callbacks", {"items.#": 1, "items.0.id": webhook_id, "items.0.status": "delivered"})
    attempt = {"attemptLog.0.statusCode": 200, "attemptLog.0.answer": "thanks"}
    log = source.calls.get(f"/v1/callbacks/{webhook_id}", attempt)
    setup.scenario.check("the number of attempts in the log", 1, log["attemptLog.#"])


def third(setup: Setup, before: First, now: Second) -> None:
    """After the sale: a renewal, a returned debit, an undone cancellation, a refund, and the payouts of both."""
    scenario, source, target = setup.scenario, before.source, now.target
    subscription, order = now.sale.shared_subscription, now.sale.order_id
    scenario.act("ACT THREE: after the sale", "Quayside serves Ben and reports each change; Alpenblick's rows follow.")
    scenario.step("Ben paid a second month")
    path = f"/v1/subscriptions/{subscription}/payments"
    target.calls.post(path, {"periodNumber": 2}, {"periodsPaid": 2}, status=200)
    renewed = {"subscription.periodsPaid": 2, "amount": euros(1200)}
    data = steps.callback(setup, "crossClientSubscription.renewed", renewed, [])
    scenario.check("the subscription of the callback", subscription, data["subscription"]["id"])
    source.calls.get(f"/v1/subscriptions/{subscription}", {"status": "active", "periodsPaid": 2})

    _returned_debit(setup, source, target, subscription)
    _undone_cancellation(setup, source, target, subscription)
    scenario.step("Quayside refunds Ben's second month of Alpenblick; Ben keeps his subscription to Quayside")
    expected = {"positions.1.status": "refunded"}
    refund = target.calls.post(f"/v1/orders/{order}/refund", {"positions": [2]}, expected, status=200)
    scenario.check("the status of position 1", "paid", refund["positions.0.status"])
    refunded = {"subscription.id": subscription, "reason": "refund", "amount": euros(-1200)}
    steps.callback(setup, "crossClientSubscription.refunded", refunded, [])
    steps.subscriptions(
        setup,
        (source, subscription, {"status": "refunded", "role": "source", "periodsPaid": 2}),
        (target, subscription, {"status": "refunded", "role": "seller"}),
        (target, now.sale.own_subscription, {"status": "active", "role": "own"}),
    )
    scenario.step("Tagespost has paid the amount due for Anna; Alpenblick marks the row as paid")
    anna = source.calls.look(f"/v1/payouts?orderId={before.sale.order_id}")["items.0.id"]
    paid = {"paidStatus": "PAID", "due": euros(792)}
    source.calls.post(f"/v1/payouts/{anna}/mark-paid", None, paid, status=200)

    scenario.step("Both payout lists, newest row first")
    rows: list[Json] = [
        {"type": "REFUND", "gross": euros(-1200), "due": euros(-900), "paidStatus": "OPEN", "orderId": order},
        {"type": "PAYMENT", "gross": euros(1200), "due": euros(900), "periodNumber": 1, "orderId": order},
        {"type": "LOSS", "gross": euros(-1200), "due": euros(-900), "periodNumber": 1, "orderId": order},
        {"type": "PAYMENT", "gross": euros(1200), "due": euros(900), "periodNumber": 2, "orderId": order},
        {"type": "PAYMENT", "gross": euros(1200), "due": euros(900), "periodNumber": 1, "orderId": order},
    ]
    anna_row = {"id": anna, "due": euros(792), "paidStatus": "PAID"}
    ours, theirs = steps.payout_lists(setup, (source, [*rows, anna_row]), (target, rows))
    same = [row["id"] for row in ours[: len(rows)]]
    scenario.check("the ids of Quayside's payout rows", same, [row["id"] for row in theirs])
    scenario.step("Their statements and CSV exports add up to the rows")
    _statements(setup, (source, ours), (target, theirs))
    scenario.check("the number of different callbacks", 7, setup.receiver.count())


def _returned_debit(setup: Setup, source: Merchant, target: Merchant, subscription: str) -> None:
    """The bank takes the first month back, and a second debit succeeds."""
    scenario, path = setup.scenario, f"/v1/subscriptions/{subscription}"
    scenario.step("Ben's bank returns the debit of the first month: the subscription is past due on both sides")
    charge_back = {"kind": "chargeBack"}
    past_due = {"status": "pastDue", "hasAccess": False}
    target.calls.post(f"{path}/payments/1/reverse", charge_back, past_due, status=200)
    returned = {"periodNumber": 1, "reason": "chargeBack", "amount": euros(-1200), "status": "pastDue"}
    steps.callback(setup, "crossClientSubscription.paymentReversed", returned, ["accessEndsAt"])
    source.calls.get(path, past_due)
    scenario.step("Quayside collects the first month again, with success")
    active = {"status": "active", "hasAccess": True, "periodsPaid": 2}
    target.calls.post(f"{path}/payments", {"periodNumber": 1}, active, status=200)
    again = {"periodNumber": 1, "amount": euros(1200), "status": "active"}
    steps.callback(setup, "crossClientSubscription.paidAgain", again, [])
    source.calls.get(path, active)


def _undone_cancellation(setup: Setup, source: Merchant, target: Merchant, subscription: str) -> None:
    """Ben cancels, and thinks again."""
    scenario, path = setup.scenario, f"/v1/subscriptions/{subscription}"
    scenario.step("Ben cancels at the end of his period")
    target.calls.post(f"{path}/cancel", {"at": "endOfPeriod"}, {"status": "cancelled"}, status=200)
    steps.callback(setup, "crossClientSubscription.cancelled", {"subscription.id": subscription}, ["endsAt"])
    source.calls.get(path, {"status": "cancelled"})
    scenario.step("Ben thinks again: Quayside undoes the cancellation")
    undone = {"status": "active", "endsAt": None, "cancelledAt": None}
    target.calls.post(f"{path}/undo-cancellation", None, undone, status=200)
    steps.callback(setup, "crossClientSubscription.cancellationUndone", {"endsAt": None}, [])
    source.calls.get(path, undone)


def _statements(setup: Setup, *lists: tuple[Merchant, list[Json]]) -> None:
    """Show the statements, and compare them and the CSV with the rows of the lists."""
    heads = ("GET /v1/payouts/statement", "month", "role", "partner", "rows", "gross EUR", "due EUR", "open EUR")
    shown = []
    for merchant, rows in lists:
        lines: list[Json] = merchant.calls.look("/v1/payouts/statement")["lines"]
        for line in lines:
            sums = map(text.number, _sums_of(line))
            shown.append((merchant.name, line["month"], line["role"], line["partnerName"], str(line["rows"]), *sums))
        stated = {
            (line["partnerClientId"], line["month"]): (line["rows"], *(part["amount"] for part in _sums_of(line)))
            for line in lines
        }
        setup.scenario.check(f"the sums of {merchant.name}'s statement", _added(rows), stated)
        _export(setup, merchant, rows)
    setup.scenario.table(heads, shown, heads[4:])


def _export(setup: Setup, merchant: Merchant, rows: list[Json]) -> None:
    """Compare the CSV with the rows of the list."""
    written = merchant.calls.look("/v1/payouts/export").body
    exported = [(row["id"], int(row["gross"]), int(row["due"])) for row in csv.DictReader(io.StringIO(written))]
    listed = [(row["id"], row["gross"]["amount"], row["due"]["amount"]) for row in rows]
    setup.scenario.check(f"the rows of {merchant.name}'s CSV", listed, exported)


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
