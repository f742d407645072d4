"""``why``: explains the state of a callback, a mail or an import in sentences."""

from __future__ import annotations

import re

from infra.local.demo.text import wrapped
from infra.local.say import Problem
from infra.operate import dead_letters, moments, reasons, rows
from infra.operate.options import Options
from infra.operate.reasons import ChunkSeen, Seen
from infra.operate.rows import Row
from infra.operate.stack import Stack

_WIDTH = 115
_MOST_DEAD_LETTERS = 1_000
"""Dead letters searched."""

_KINDS = {"cbk": "callbacks", "mal": "mails", "prm": "imports"}


def run(stack: Stack, options: Options) -> int:
    """Print the explanation. Raises a `Problem` if the id is invalid or unknown."""
    pk = _key(options)
    client, _, id = pk.partition("#")
    try:
        found = {"cbk": _callback, "mal": _mail, "prm": _promise}[id[:3]](stack, pk)
    except (KeyError, TypeError, ValueError) as fault:
        kind = type(fault).__name__
        raise Problem(f"a row of {id} is corrupt ({kind}: {fault}); its worker fails, too") from fault
    if found is None:
        raise Problem(f"{client} has no {id}; does it belong to another client, or is the import older than 90 days?")
    print("\n".join(part for line in found for part in wrapped(line, _WIDTH, "    ")), flush=True)
    return 0


def _key(options: Options) -> str:
    """The partition key: the ids of the client and of the callback, mail or import."""
    client, _, id = options.id.rpartition("#")
    client = client or options.client or ""
    if not re.fullmatch(r"(cbk|mal|prm)_[0-9a-f]{32}", id):
        raise Problem(f"{id!r} is not the id of a callback (cbk_), a mail (mal_) or an import (prm_)")
    if not client:
        raise Problem("name its client with --client cli_...: rows are stored by client")
    if not re.fullmatch(r"cli_[0-9a-f]{32}", client):
        raise Problem(f"{client!r} is not the id of a client (cli_)")
    return f"{client}#{id}"


def _callback(stack: Stack, pk: str) -> list[str] | None:
    row = rows.get(stack, pk, "callback", rows.CALLBACK)
    if row is None:
        return None
    last = rows.beginning_with(stack, pk, "attempt#", rows.ATTEMPT, newest=1)
    endpoint = rows.get(stack, row.get("connectionId") or pk.partition("#")[0], "endpoint", rows.ENDPOINT)
    dead = _dead(stack, pk).get("callback")
    return reasons.callback(row, endpoint, last[0] if last else None, Seen(moments.now(), dead))


def _mail(stack: Stack, pk: str) -> list[str] | None:
    row = rows.get(stack, pk, "mail", rows.MAIL)
    return reasons.mail(row, Seen(moments.now(), _dead(stack, pk).get("mail"))) if row else None


def _promise(stack: Stack, pk: str) -> list[str] | None:
    row = rows.get(stack, pk, "promise", rows.PROMISE)
    if row is None:
        return None
    found = [] if "finishedAt" in row else rows.beginning_with(stack, pk, "chunk#", rows.CHUNK)
    dead, now = _dead(stack, pk) if found else {}, moments.now()
    chunks = [ChunkSeen(chunk, _fault(stack, pk, chunk), Seen(now, dead.get(str(chunk["sk"])))) for chunk in found]
    return reasons.promise(row, chunks, Seen(now, None))


def _fault(stack: Stack, pk: str, chunk: Row) -> str | None:
    """Describe a visible fault in the items of a dead-lettered chunk, without their content."""
    if chunk["status"] != "stuck":
        return None
    sk = str(chunk["sk"]).replace("chunk#", "items#")
    row = rows.get(stack, pk, sk, ["items"])
    if row is None:
        return f"The row {sk} is missing."
    items = row.get("items")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        return f"The member `items` of the row {sk} is not a list of orders."
    return None


def _dead(stack: Stack, pk: str) -> dict[str, str]:
    """The reasons of the dead letters that name rows of a partition, by sort key."""
    queue = stack.queue(_KINDS[pk.partition("#")[2][:3]], dead=True)
    return {
        dead_letter.sk: dead_letter.why
        for dead_letter in dead_letters.all_in(stack, queue, _MOST_DEAD_LETTERS)
        if dead_letter.pk == pk
    }
