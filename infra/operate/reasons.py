"""From rows to sentences: where a callback, a mail or an import stands, and what it waits for.

Nothing here reads anything, so that each sentence can be tested.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from infra.operate import moments
from infra.operate.rows import Row

_SOON = timedelta(minutes=2)
"""A row that is due is taken up within this time: the sweep comes each minute."""

_STUCK = {
    "unreadable": "its rows, or rows that it needs, cannot be read",
    "tooManyTries": "eight workers in a row died over it",
}


@dataclass(frozen=True)
class Seen:
    """When it was looked, and why a dead letter that names the row is there; None if there is none."""

    now: datetime
    dead_letter: str | None

    def at(self, row: Row, member: str) -> str:
        """A time of a row."""
        return moments.told(str(row[member]), self.now)


def callback(row: Row, endpoint: Row | None, last: Row | None, seen: Seen) -> list[str]:
    """A callback, its endpoint's row if that is disabled, and its last attempt."""
    lines = [f"callback {row['event']}, committed {seen.at(row, 'createdAt')}, attempts so far: {row['attempts']}"]
    match row["status"]:
        case "delivered":
            lines.append(f"It was delivered {seen.at(row, 'deliveredAt')}; nothing is to be done.")
        case "exhausted":
            lines.append(
                f"All attempts failed; the last one ended {seen.at(row, 'exhaustedAt')}. It waits for the client to "
                "replay it (POST /v1/callbacks/replay); the client was told by mail."
            )
        case "held":
            lines.append(f"It was put aside {seen.at(row, 'heldAt')}, because its endpoint was disabled or removed.")
            lines.append(_held(endpoint))
        case "inFlight":
            lines.append(_leased(row, seen))
        case "waiting":
            attempts = (
                "nobody has tried yet"
                if row["step"] == 0
                else f"failed attempts since it was made or replayed: {row['step']}"
            )
            lines.append(
                f"Its next attempt is due {seen.at(row, 'dueAt')}; {attempts}. {_late(row, 'dueAt', seen)}".rstrip()
            )
        case other:
            lines.append(_unknown(other, row, seen))
    if last is not None and row["status"] != "delivered":
        came = f"status {last['statusCode']}" if "statusCode" in last else last.get("error", "no answer")
        lines.append(f"Attempt {last['number']}, {seen.at(last, 'at')}: {came}.")
    return [*lines, *_endpoint(endpoint or {}, seen), *_letter(row, seen)]


def _unknown(status: str, row: Row, seen: Seen) -> str:
    """A state that a newer release has."""
    return f"It is {status}." + (f" A worker looks at it {seen.at(row, 'dueAt')}." if "dueAt" in row else "")


def _endpoint(row: Row, seen: Seen) -> list[str]:
    """An endpoint of which there is something to tell: one that does well has no row."""
    if "disabledAt" in row:
        return [f"Its endpoint is disabled since {seen.at(row, 'disabledAt')}: {row.get('reason', 'no reason given')}."]
    if "failingSince" not in row:
        return []
    until = row.get("circuit", {}).get("until")
    pause = f" Its callbacks wait until {moments.told(str(until), seen.now)}; then one is tried." if until else ""
    does = "fails" if row.get("failures", 1) else "takes long to answer"
    return [f"Its endpoint {does} since {seen.at(row, 'failingSince')}.{pause}"]


def _held(endpoint: Row | None) -> str:
    if endpoint is not None and "disabledAt" in endpoint:
        return "It waits until the client enables the endpoint and replays it."
    return "The endpoint is not disabled now; it waits for the client to replay it (POST /v1/callbacks/replay)."


def mail(row: Row, seen: Seen) -> list[str]:
    """A mail, whoever gets it."""
    about = row.get("kind", {}).get("about", "unknown")
    lines = [f"mail {about}, committed {seen.at(row, 'createdAt')}, tries so far: {row['tries']}"]
    match row["status"]:
        case "sent":
            lines.append(f"The mail service took it {seen.at(row, 'at')}; nothing is to be done.")
        case "failed":
            lines.append(
                f"It was given up {seen.at(row, 'at')}; the log of send-mails tells what the mail service said."
            )
        case "inFlight":
            lines.append(_leased(row, seen))
        case "waiting":
            lines.append(f"Its next try is due {seen.at(row, 'dueAt')}. {_late(row, 'dueAt', seen)}".rstrip())
        case other:
            lines.append(_unknown(other, row, seen))
    return [*lines, *_letter(row, seen)]


@dataclass(frozen=True)
class ChunkSeen:
    """A chunk of an import: its row, whether its items look like items, and whether a dead letter names it."""

    row: Row
    items_fault: str | None
    seen: Seen

    @property
    def number(self) -> int:
        """0 for the first."""
        return int(str(self.row["sk"]).partition("#")[2])


def promise(row: Row, chunks: list[ChunkSeen], seen: Seen) -> list[str]:
    """An import and its chunks; those that are done or wait as they should are only counted."""
    counts = ", ".join(f"{count} {name}" for name, count in row["counts"].items() if count) or "no results yet"
    lines = [
        f"import of {row['items']} items in {row['chunks']} chunks, accepted {seen.at(row, 'acceptedAt')}: {counts}"
    ]
    if "finishedAt" in row:
        return [*lines, f"It was completed {seen.at(row, 'finishedAt')}; nothing is to be done."]
    states = Counter(str(chunk.row["status"]) for chunk in chunks)
    words = {"done": "done", "inFlight": "with a worker", "waiting": "waiting", "stuck": "put aside"}
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
            reason = _STUCK.get(row["reason"], str(row["reason"]))
            fault = f" {chunk.items_fault}" if chunk.items_fault else " The log of process-imports names the row."
            return [
                f"{head} was put aside {seen.at(row, 'stuckAt')}, because {reason}.{fault}",
                *_stuck_letter(seen),
            ]
        case "inFlight":
            return [f"{head}, try {row['tries']}: {_leased(row, seen)}", *_letter(row, seen)]
        case "waiting" if late := _late(row, "dueAt", seen):
            return [f"{head} is due since {seen.at(row, 'dueAt')}. {late}", *_letter(row, seen)]
    return []


def _stuck_letter(seen: Seen) -> list[str]:
    if seen.dead_letter:
        return ["    Its message is in the dead-letter queue. Mend the cause, then redrive it."]
    return [
        "    Its message is not in the dead-letter queue. It gets there within minutes, unless it was deleted or has "
        "expired there: then the client sends these items again."
    ]


def _leased(row: Row, seen: Seen) -> str:
    if moments.read(str(row["leaseUntil"])) > seen.now:
        return f"A worker has it; its lease ends {seen.at(row, 'leaseUntil')}, and another worker may begin then."
    return (
        f"A worker had it and did not come back: its lease ended {seen.at(row, 'leaseUntil')}. "
        f"{_late(row, 'leaseUntil', seen) or 'The sweep hands it to another worker within a minute.'}"
    )


def _late(row: Row, member: str, seen: Seen) -> str:
    """What is said of a row that nobody took up in time; nothing of one that is not late."""
    if seen.now - moments.read(str(row[member])) < _SOON:
        return ""
    if seen.dead_letter:
        return "Nobody takes it up, because its workers fail on it."
    return "Nobody takes it up: its queue is long, or the sweep or the workers stand still; see `status`."


def _letter(row: Row, seen: Seen) -> list[str]:
    if not seen.dead_letter:
        return []
    if row["status"] in ("delivered", "sent", "done"):
        return ["A dead letter names it, from before; a redrive does nothing to it and clears the queue."]
    return [f"A dead letter names it ({seen.dead_letter}). The log of the workers tells more."]
