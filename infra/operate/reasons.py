"""Turns rows into sentences: the state of a callback, a mail or an import, and the reason why it waits.

No I/O, so that each sentence can be tested.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from infra.operate import moments
from infra.operate.rows import Row

_SOON = timedelta(minutes=2)
"""A worker takes a due row within this time: the sweep runs each minute."""

_MAX_ATTEMPTS = 30
"""Attempts shown: three schedules."""

_DEAD_LETTER_REASONS = {
    "unreadable": "its row, or a row that it needs, is corrupt",
    "tooManyTries": "eight workers in a row died while handling it",
}


@dataclass(frozen=True)
class Seen:
    """The time of the look-up, and the reason of the dead letter that names the row; None without a dead letter."""

    now: datetime
    dead_letter: str | None

    def at(self, row: Row, member: str) -> str:
        """Format a time of the row."""
        return moments.relative(str(row[member]), self.now)


def callback(row: Row, endpoint: Row | None, attempts: list[Row], seen: Seen) -> list[str]:
    """Explain a callback, from its row, its endpoint's row and its attempts."""
    begun = row.get("attempts", 0)
    lines = [
        f"callback {row['event']}, committed {seen.at(row, 'createdAt')}{of_request(row)}, attempts so far: {begun}"
    ]
    match row["status"]:
        case "delivered":
            lines.append(f"It was delivered {seen.at(row, 'deliveredAt')}; no action is needed.")
        case "exhausted":
            lines.append(
                f"All attempts failed; the last one ended {seen.at(row, 'exhaustedAt')}. The client was notified by "
                "mail and must replay it (POST /v1/callbacks/replay)."
            )
        case "held":
            lines.append(f"It is held since {seen.at(row, 'heldAt')}, because its endpoint was disabled or removed.")
            lines.append(_held(endpoint))
        case "inFlight":
            lines.append(_leased(row, seen))
        case "waiting" | "postponed":
            lines.append(_waiting(row, seen))
        case other:
            lines.append(_unknown(other, row, seen))
    return [*lines, *_attempts(attempts, seen), *endpoint_state(endpoint or {}, seen), *_dead_letter(row, seen)]


def of_request(row: Row) -> str:
    """Name the request from which a row follows; rows of earlier releases do not have it."""
    return f" by the request {row['request']}" if "request" in row else ""


def _waiting(row: Row, seen: Seen) -> str:
    step = row.get("step")
    failed = f"failed attempts since it was created or replayed: {step}" if step else "no attempt was made yet"
    postponed = "It is postponed, because its endpoint is paused. " if row["status"] == "postponed" else ""
    late = _late(row, "dueAt", seen)
    return f"{postponed}Its next attempt is due {seen.at(row, 'dueAt')}; {failed}. {late}".rstrip()


def _attempts(attempts: list[Row], seen: Seen) -> list[str]:
    lines = [f"({len(attempts) - _MAX_ATTEMPTS} earlier attempts)"] if len(attempts) > _MAX_ATTEMPTS else []
    for row in attempts[-_MAX_ATTEMPTS:]:
        came = f"status {row['statusCode']}" if "statusCode" in row else row.get("error", "no answer")
        took = f", {row['durationMs']} ms" if "durationMs" in row else ""
        lines.append(f"Attempt {row['number']}, {seen.at(row, 'at')}: {came}{took}.")
    return lines


def _unknown(status: str, row: Row, seen: Seen) -> str:
    """Explain a state of a newer release."""
    return f"It is {status}." + (f" A worker looks at it {seen.at(row, 'dueAt')}." if "dueAt" in row else "")


def endpoint_state(row: Row, seen: Seen) -> list[str]:
    """Explain an endpoint that is disabled, fails or is slow; a healthy endpoint has no row."""
    if "disabledAt" in row:
        reason = row.get("reason", "no reason given")
        return [f"Its endpoint has been disabled since {seen.at(row, 'disabledAt')}: {reason}."]
    if "failingSince" not in row:
        return []
    until = row.get("circuit", {}).get("until")
    pause = f" Its callbacks wait until {moments.relative(str(until), seen.now)}; then one is sent." if until else ""
    problem = "failing" if row.get("failures", 1) else "slow"
    return [f"Its endpoint has been {problem} since {seen.at(row, 'failingSince')}.{pause}"]


def _held(endpoint: Row | None) -> str:
    if endpoint is not None and "disabledAt" in endpoint:
        return "The client must enable the endpoint and replay it."
    return "The endpoint is enabled again; the client must replay it (POST /v1/callbacks/replay)."


def mail(row: Row, seen: Seen) -> list[str]:
    """Explain a mail, without its recipient."""
    about = row.get("kind", {}).get("about", "unknown")
    lines = [f"mail {about}, committed {seen.at(row, 'createdAt')}{of_request(row)}, tries so far: {row['tries']}"]
    match row["status"]:
        case "sent":
            lines.append(f"The mail service accepted it {seen.at(row, 'at')}; no action is needed.")
        case "failed":
            lines.append(
                f"It failed for good {seen.at(row, 'at')}; the log of send-mails has the mail service's answer."
            )
        case "cancelled":
            lines.append(f"Its warning no longer held {seen.at(row, 'at')}, so it was not sent; no action is needed.")
        case "inFlight":
            lines.append(_leased(row, seen))
        case "waiting":
            lines.append(f"Its next try is due {seen.at(row, 'dueAt')}. {_late(row, 'dueAt', seen)}".rstrip())
        case other:
            lines.append(_unknown(other, row, seen))
    return [*lines, *_dead_letter(row, seen)]


@dataclass(frozen=True)
class ChunkSeen:
    """A chunk of an import: its row, a visible fault of its items, and the dead letter that names it."""

    row: Row
    items_fault: str | None
    seen: Seen

    @property
    def number(self) -> int:
        """0 for the first."""
        return int(str(self.row["sk"]).partition("#")[2])


def promise(row: Row, chunks: list[ChunkSeen], seen: Seen) -> list[str]:
    """Explain an import and its chunks; healthy chunks are only counted."""
    counts = ", ".join(f"{count} {name}" for name, count in row["counts"].items() if count) or "no results yet"
    lines = [
        f"import of {row['items']} items in {row['chunks']} chunks, accepted {seen.at(row, 'acceptedAt')}"
        f"{of_request(row)}: {counts}"
    ]
    if "retryOf" in row:
        lines.append(f"It repeats the failed items of {row['retryOf']}.")
    if "finishedAt" in row:
        return [*lines, f"It was completed {seen.at(row, 'finishedAt')}; no action is needed."]
    states = Counter(str(chunk.row["status"]) for chunk in chunks)
    words = {"done": "done", "inFlight": "with a worker", "waiting": "waiting", "stuck": "dead-lettered"}
    lines.append("Chunks: " + ", ".join(f"{states[name]} {word}" for name, word in words.items() if states[name]) + ".")
    for chunk in chunks:
        lines += _chunk(chunk, int(row["items"]))
    return lines


def _chunk(chunk: ChunkSeen, items: int) -> list[str]:
    row, seen = chunk.row, chunk.seen
    first = chunk.number * 25
    head = f"{row['sk']} (items {first} to {min(first + 25, items) - 1})"
    match row["status"]:
        case "stuck":
            reason = _DEAD_LETTER_REASONS.get(row["reason"], str(row["reason"]))
            fault = f" {chunk.items_fault}" if chunk.items_fault else " The log of process-imports names the row."
            return [
                f"{head} became a dead letter {seen.at(row, 'stuckAt')}, because {reason}.{fault}",
                *_chunk_letter(seen),
            ]
        case "inFlight":
            return [f"{head}, try {row['tries']}: {_leased(row, seen)}", *_dead_letter(row, seen)]
        case "waiting" if late := _late(row, "dueAt", seen):
            return [f"{head} is due since {seen.at(row, 'dueAt')}. {late}", *_dead_letter(row, seen)]
        case "waiting" if row.get("postponed"):
            times = "once" if row["postponed"] == 1 else f"{row['postponed']} times"
            why = "because DynamoDB throttles the table"
            return [f"{head} was postponed {times}, {why}; it is due {seen.at(row, 'dueAt')}."]
    return []


def _chunk_letter(seen: Seen) -> list[str]:
    if seen.dead_letter:
        return ["    Its message is in the dead-letter queue. Fix the cause, then redrive it."]
    return [
        "    Its message is not in the dead-letter queue. It arrives there within minutes, unless it was deleted or "
        "expired: then the client must import these items again."
    ]


def _leased(row: Row, seen: Seen) -> str:
    if moments.read(str(row["leaseUntil"])) > seen.now:
        return f"A worker holds it; its lease ends {seen.at(row, 'leaseUntil')}, and another worker may take it then."
    return (
        f"A worker held it and did not finish: its lease ended {seen.at(row, 'leaseUntil')}. "
        f"{_late(row, 'leaseUntil', seen) or 'The sweep hands it to another worker within a minute.'}"
    )


def _late(row: Row, member: str, seen: Seen) -> str:
    """Explain why no worker has taken a late row; empty for a row in time."""
    if seen.now - moments.read(str(row[member])) < _SOON:
        return ""
    if seen.dead_letter:
        return "No worker takes it, because its workers fail."
    return "No worker has taken it: its queue is long, or the sweep or the workers do not run; see `status`."


def _dead_letter(row: Row, seen: Seen) -> list[str]:
    if not seen.dead_letter:
        return []
    if row["status"] in ("delivered", "sent", "cancelled", "done"):
        return ["An old dead letter names it; a redrive has no effect on it and clears the queue."]
    return [f"A dead letter names it ({seen.dead_letter}). The workers' log has the details."]
