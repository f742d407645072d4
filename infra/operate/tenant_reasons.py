"""Turns the rows of customers, connections and replays into sentences. No I/O, and no personal data."""

from __future__ import annotations

from collections import Counter

from infra.operate import moments
from infra.operate.reasons import Seen, of_request
from infra.operate.rows import Row


def erased(row: Row, seen: Seen) -> list[str]:
    """Explain an erased customer."""
    return [
        f"{row['customerId']} of {row['companyId']} was erased {seen.at(row, 'erasedAt')} at the request of "
        f"{row['askedBy']}. Orders, subscriptions and payout rows remain, without personal data."
    ]


def customer(row: Row, bought: dict[str, list[Row]], subscribed: dict[str, list[Row]], seen: Seen) -> list[str]:
    """Explain a customer; `bought` and `subscribed` have the orders and subscriptions by client."""
    changed = f", last changed {seen.at(row, 'updatedAt')}" if row["updatedAt"] != row["createdAt"] else ""
    lines = [f"{row['id']} of {row['companyId']}, created {seen.at(row, 'createdAt')}{changed}"]
    return [*lines, *purchases(bought, subscribed, seen)]


def purchases(bought: dict[str, list[Row]], subscribed: dict[str, list[Row]], seen: Seen) -> list[str]:
    """List the orders and subscriptions of a customer by client."""
    lines = []
    for client in sorted({*bought, *subscribed}):
        lines.append(f"At {client}:")
        for row in bought.get(client, []):
            total = row["total"]
            lines.append(
                f"- {row['id']} {seen.at(row, 'createdAt')}: {total['amount']} {total['currency']} (minor units)"
            )
        for row in subscribed.get(client, []):
            lines.append(f"- {row['id']} ({row['role']}) of {row['orderId']}: {row['life']}")
    return (
        [*lines, "Next: `why` of an order explains its payments and callbacks."] if lines else ["Nothing was bought."]
    )


def connection(row: Row, history: list[Row], mail: Row | None, seen: Seen) -> list[str]:
    """Explain a connection, without its endpoint."""
    access = "on" if row["offersAccess"] else "off"
    blocked = f" by the {row['blockedBy']} {seen.at(row, 'blockedAt')}" if "blockedBy" in row else ""
    if "otherBlockedAt" in row:
        other = "target" if row["blockedBy"] == "source" else "source"
        blocked += f" and by the {other} {seen.at(row, 'otherBlockedAt')}"
    lines = [
        f"{row['id']}: source {row['source']['clientId']}, target {row['target']['clientId']}, created "
        f"{seen.at(row, 'createdAt')}: {row['status']}{blocked}, offersAccess {access}"
    ]
    lines += [f"- {seen.at(entry, 'at')}: {entry['action']} by the {entry['by']}" for entry in history]
    if mail is not None:
        lines.append(f"The mail of the invitation was {mail['status']} {seen.at(mail, 'at')}.")
    if row["status"] == "invited":
        lines.append("Next: the target accepts or declines, or the source withdraws.")
    return lines


def callbacks(rows: list[Row], cut: bool, seen: Seen) -> list[str]:
    """Count the newest callbacks of a connection, and list those that are not delivered."""
    if not rows:
        return ["No callbacks."]
    states = Counter(str(row["status"]) for row in rows)
    counted = ", ".join(f"{count} {status}" for status, count in sorted(states.items()))
    lines = [f"Callbacks{' (the newest)' if cut else ''}: {counted}."]
    for row in rows:
        if row["status"] != "delivered":
            due = f", next attempt {seen.at(row, 'dueAt')}" if row["status"] in ("waiting", "postponed") else ""
            lines.append(
                f"- {row['id']} {row['event']}: {row['status']}, attempts so far: {row.get('attempts', 0)}{due}"
            )
    return lines


def replay(row: Row, letter: str | None, seen: Seen) -> list[str]:
    """Explain a replay."""
    where = f" of {row['connectionId']}" if "connectionId" in row else ""
    since = f" created since {seen.at(row, 'since')}" if "since" in row else ""
    lines = [
        f"replay of all undelivered callbacks{where}{since}, accepted {seen.at(row, 'acceptedAt')}{of_request(row)}: "
        f"{row['found']} found, {row['replayed']} replayed, {row['skipped']} skipped"
    ]
    if "doneAt" in row:
        return [*lines, f"It was done {seen.at(row, 'doneAt')}; no action is needed."]
    member = "leaseUntil" if row["status"] == "inFlight" else "dueAt"
    if member in row:
        due = f"Its next step is due {seen.at(row, member)}."
        late = (seen.now - moments.read(str(row[member]))).total_seconds() > 120
        lines.append(due + (" No worker has taken it; see `status`." if late else ""))
    return [*lines, *([f"A dead letter names it ({letter}). The workers' log has the details."] if letter else [])]
