"""``why``: where a callback, a mail or an import stands, in sentences."""

from __future__ import annotations

import re

from infra.local.demo.text import wrapped
from infra.local.say import Problem
from infra.operate import letters, moments, reasons, rows
from infra.operate.options import Options
from infra.operate.reasons import ChunkSeen, Seen
from infra.operate.rows import Row
from infra.operate.stack import Stack

_WIDTH = 115
_MOST_LETTERS = 1_000
"""Dead letters that are looked through."""

_KINDS = {"cbk": "callbacks", "mal": "mails", "prm": "imports"}


def run(stack: Stack, options: Options) -> int:
    """Print why it is where it is. Raises a `Problem` if there is no such thing."""
    pk = _key(options)
    client, _, id = pk.partition("#")
    try:
        found = {"cbk": _callback, "mal": _mail, "prm": _promise}[id[:3]](stack, pk)
    except (KeyError, TypeError, ValueError) as fault:
        kind = type(fault).__name__
        raise Problem(f"a row of {id} is not as it should be ({kind}: {fault}); its worker fails on it, too") from fault
    if found is None:
        raise Problem(f"{client} has no {id}; is it another client's, or an import of more than 90 days ago?")
    print("\n".join(part for line in found for part in wrapped(line, _WIDTH, "    ")), flush=True)
    return 0


def _key(options: Options) -> str:
    """The partition key: the tenant's id and the thing's."""
    client, _, id = options.id.rpartition("#")
    client = client or options.client or ""
    if not re.fullmatch(r"(cbk|mal|prm)_[0-9a-f]{32}", id):
        raise Problem(f"{id!r} is no id of a callback (cbk_), a mail (mal_) or an import (prm_)")
    if not client:
        raise Problem("name the client whose it is by --client cli_...: rows are kept by client")
    if not re.fullmatch(r"cli_[0-9a-f]{32}", client):
        raise Problem(f"{client!r} is no id of a client (cli_)")
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
    """What can be seen to be wrong with the items of a chunk that is stuck, without telling what they hold."""
    if chunk["status"] != "stuck":
        return None
    sk = str(chunk["sk"]).replace("chunk#", "items#")
    row = rows.get(stack, pk, sk, ["items"])
    if row is None:
        return f"The row {sk} is gone."
    items = row.get("items")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        return f"The member `items` of the row {sk} is no list of orders."
    return None


def _dead(stack: Stack, pk: str) -> dict[str, str]:
    """The sort keys of the rows of a partition that dead letters name, and why the letters are there."""
    queue = stack.queue(_KINDS[pk.partition("#")[2][:3]], dead=True)
    return {letter.sk: letter.why for letter in letters.all_in(stack, queue, _MOST_LETTERS) if letter.pk == pk}
