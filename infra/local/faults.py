"""Injects AWS faults with a proxy between the functions and the emulator.

`faults.yaml` has the rules. Only the functions' calls go through the proxy; deployment and tests call the emulator.
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local import emulator, processes
from infra.local.guard import Guard
from infra.local.layout import State
from infra.local.say import Problem, say, step

RULES = Path(__file__).with_name("faults.yaml")

_START_SECONDS = 30.0
_LEAST = 50
"""The minimum of faults in a run; with fewer, the calls bypassed the proxy."""


@dataclass(frozen=True)
class Proxy:
    """A running proxy."""

    endpoint: str


def reserve() -> Proxy:
    """Reserve the address of the proxy, which the emulator needs at its start."""
    return Proxy(f"http://127.0.0.1:{emulator.free_port()}")


def start(proxy: Proxy, upstream: str, state: State, guard: Guard) -> None:
    """Start the proxy and wait until it answers. Raises a `Problem` if it does not start."""
    port = proxy.endpoint.rpartition(":")[2]
    log_path = state.logs / "faults.log"
    words = [sys.executable, "-m", "infra.local.proxy", "--upstream", upstream]
    words += ["--host", "127.0.0.1", "--port", port, "--config", str(RULES)]
    with step(f"starting the proxy that injects faults on port {port}"), log_path.open("wb") as log:
        child = guard.start(words, grace=0, stdout=log, stderr=subprocess.STDOUT)
        if not processes.wait_until(lambda: child.poll() is not None or _answers(proxy), _START_SECONDS):
            raise Problem(f"the proxy that injects faults did not answer within {_START_SECONDS:.0f} s")
        if child.poll() is not None:
            lines = log_path.read_text(errors="replace").strip().splitlines() or ["no output"]
            raise Problem(f"the proxy that injects faults ended while it started: {lines[-1].strip()}")


def report(proxy: Proxy) -> None:
    """Print the injected faults. Raises a `Problem` if there were too few, or none of a rule."""
    stats = _ask(proxy, "stats")
    faulted, total = stats["requests"]["faulted"], stats["requests"]["total"]
    kinds: Counter[str] = Counter()
    for rule in stats["by_rule"]:
        # The description of an error has its code, that of a delay its last duration.
        kind, _, code = str(rule["describe"]).partition(":")
        kinds[code if kind == "error" else kind] += rule["fired"]
    say(f"{faulted} of {total} calls of the functions had a fault:")
    say(", ".join(f"{count} {kind}" for kind, count in kinds.most_common()))
    if faulted < _LEAST:
        raise Problem(f"only {faulted} calls had a fault; the functions bypass the proxy")
    never = [str(rule["describe"]) for rule in stats["by_rule"] if not rule["fired"]]
    if never:
        raise Problem(f"these rules of {RULES.name} never fired: {', '.join(never)}")


def _answers(proxy: Proxy) -> bool:
    try:
        return bool(_ask(proxy, "health"))
    except OSError:
        return False


def _ask(proxy: Proxy, path: str) -> Any:
    with urllib.request.urlopen(f"{proxy.endpoint}/_microburst/{path}", timeout=10) as answer:
        return json.load(answer)
