"""Turns a sale into sentences: what was sold, what followed, and what is next. No I/O."""

from __future__ import annotations

from infra.operate import moments, reasons
from infra.operate.reasons import Seen
from infra.operate.rows import Row
from infra.operate.sales import Delivery, Sale


def sale(found: Sale, letters: dict[str, str], seen: Seen) -> list[str]:
    """Explain a sale; `letters` has the reasons of dead letters by partition key."""
    lines = [
        *_order(found, seen),
        *(line for row in found.imports for line in _import(row, seen)),
        *(line for row in found.subscriptions for line in _subscription(row, seen)),
        *(line for row in found.sources for line in _voucher(row)),
        *(line for row in found.payouts for line in _payout(row, seen)),
    ]
    for delivery in found.callbacks:
        of = Seen(seen.now, letters.get(delivery.pk))
        lines += ["", f"{delivery.row['id']} to {delivery.row['clientId']}:"]
        lines += reasons.callback(delivery.row, delivery.endpoint, delivery.attempts, of)
    lines += [f"Not searched, because the list is long: {list}." for list in found.unsearched]
    return [*lines, "", "Next:", *(_next(found, seen) or ["- nothing is open."])]


def _order(found: Sale, seen: Seen) -> list[str]:
    order = found.order
    made = f"bought from {order['cartId']}" if "cartId" in order else "imported"
    lines = [
        f"{order['id']} of {order['clientId']}, {made} {seen.at(order, 'createdAt')}{reasons.of_request(order)}: "
        f"{_money(order['total'])} (minor units) by {order['paymentMethod']}, customer {order['customerId']}"
    ]
    for position in order["positions"]:
        if not found.concerns(position):
            continue
        source = f" of {position['sourceClientId']}" if "sourceClientId" in position else ""
        back = f" {seen.at(position, 'reversedAt')}" if "reversedAt" in position else ""
        subscription = f"; {position['subscriptionId']}" if "subscriptionId" in position else ""
        lines.append(
            f"- position {position['position']}: {position['quantity']} x {position['offerId']}{source}, "
            f"{_money(position['amount'])}, {position['status']}{back}{subscription}"
        )
    return lines


def _import(row: Row, seen: Seen) -> list[str]:
    problem = f" ({row['problem']})" if "problem" in row else ""
    return [f"{row['promiseId']} {row['result']} it{problem} {seen.at(row, 'processedAt')}."]


def _subscription(row: Row, seen: Seen) -> list[str]:
    life = {"active": "active" if "customerId" in row else "pending: its voucher is not redeemed"}.get(
        row["life"], str(row["life"])
    )
    times = (("cancelledAt", "cancelled"), ("endsAt", "ends"), ("endedAt", "ended"))
    dates = "".join(f"{_once(word, life)} {seen.at(row, member)}" for member, word in times if member in row)
    customer = f", customer {row['customerId']}" if "customerId" in row else ""
    paid = f", periods paid: {row['periodsPaid']}, until {seen.at(row, 'paidUntil')}" if "external" not in row else ""
    return [f"{row['id']}, the row of {row['clientId']} ({row['role']}): {life}{dates}{paid}{customer}."]


def _once(word: str, life: str) -> str:
    return "" if word == life else f", {word}"


def _voucher(row: Row) -> list[str]:
    if "voucherHash" not in row:
        return [f"Its voucher, issued to {row['clientId']}, is void: the sale was reversed before the redemption."]
    state = f"was redeemed for {row['customerId']}" if "customerId" in row else "is not redeemed"
    return [f"Its voucher, issued to {row['clientId']}, hash {row['voucherHash']}, {state}."]


def _payout(row: Row, seen: Seen) -> list[str]:
    paid = f", paid {seen.at(row, 'paidAt')}" if "paidAt" in row else ""
    period = f" of period {row['periodNumber']}" if "periodNumber" in row else ""
    return [
        f"{row['id']}: {row['type']}{period} {seen.at(row, 'createdAt')}, gross {_money(row['gross'])}, due to "
        f"{row['sourceClientId']} {_money(row['due'])}, {row['paidStatus']}{paid}."
    ]


def _next(found: Sale, seen: Seen) -> list[str]:
    lines = [line for delivery in found.callbacks for line in _next_attempt(delivery, seen)]
    lines += [
        f"- {row['clientId']} redeems the voucher of {row['id']} "
        "(POST /v1/subscriptions/useCrossClientVoucher), whose code is in the callback."
        for row in found.sources
        if "voucherHash" in row and "customerId" not in row
    ]
    for row in found.subscriptions:
        # The source's row follows the seller's.
        if row["role"] != "source":
            lines += _next_period(row, seen)
    unpaid = sum(row["paidStatus"] == "OPEN" for row in found.payouts)
    if unpaid:
        lines.append(f"- {unpaid} payout {'row is' if unpaid == 1 else 'rows are'} open; the two clients settle them.")
    return lines


def _next_attempt(delivery: Delivery, seen: Seen) -> list[str]:
    row = delivery.row
    match row["status"]:
        case "delivered":
            return []
        case "exhausted" | "held":
            return [f"- {row['clientId']} repairs its receiver and replays {row['id']}."]
        case "inFlight":
            return [f"- a worker delivers {row['id']}; its lease ends {seen.at(row, 'leaseUntil')}."]
        case _:
            due = f" {seen.at(row, 'dueAt')}" if "dueAt" in row else ""
            return [f"- the next attempt to deliver {row['id']} is due{due}."]


def _next_period(row: Row, seen: Seen) -> list[str]:
    if "endsAt" in row and moments.read(str(row["endsAt"])) > seen.now:
        return [f"- {row['id']} ends {seen.at(row, 'endsAt')}."]
    if row["life"] != "active" or not row["renews"] or "external" in row:
        return []
    late = moments.read(str(row["paidUntil"])) < seen.now
    state = "is unpaid since" if late else "is paid until"
    return [f"- {row['id']} {state} {seen.at(row, 'paidUntil')}; {row['clientId']} reports the next payment."]


def _money(value: Row) -> str:
    return f"{value['amount']} {value['currency']}"
