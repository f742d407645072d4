"""``data-key``: shows and changes the list of data keys in Secrets Manager. The first key seals, all open.

Functions read the secret when they start. Between two changes all of them must start again: `make deploy` publishes new
versions of the functions when the secret has changed.
"""

from __future__ import annotations

import secrets

from infra.local.say import Problem
from infra.operate import reseal
from infra.operate.options import Options
from infra.operate.sealing import Key, Sealer, keys_of
from infra.operate.stack import Stack

_OCTETS = 48
"""Random octets of a new key."""


def run(stack: Stack, options: Options) -> int:
    """Run one action; returns 0. Raises a `Problem` if the list does not allow it."""
    lines = keys_of(reseal.data_keys(stack))
    changed = lines
    match options.action:
        case "add":
            changed = [*lines, secrets.token_urlsafe(_OCTETS)]
        case "use":
            if len(lines) == 1:
                raise Problem("there is one key only; add one first, and deploy")
            changed = [lines[-1], *lines[:-1]]
        case "remove":
            changed = _without_older(stack, lines)
    if changed != lines:
        stack.secrets.put_secret_value(SecretId=stack.data_key_secret, SecretString="\n".join(changed))
    for number, line in enumerate(changed):
        print(f"{Key(line.encode()).id.hex()}  {'opens' if number else 'seals and opens'}")
    if changed != lines:
        print("Functions have the former keys until they start again: make deploy")
    return 0


def _without_older(stack: Stack, lines: list[str]) -> list[str]:
    older = reseal.count(stack, Sealer.from_secret("\n".join(lines)))
    if older:
        raise Problem(f"{older} values are sealed under an older key; run `reseal` first")
    return lines[:1]
