"""Starts the emulator as a child process, bound to the loopback address and the state folder."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass

from infra.local import processes
from infra.local.guard import Guard
from infra.local.layout import State
from infra.local.say import Problem, step

REGION = "eu-central-1"
ACCESS_KEY_ID = "test"
SECRET_ACCESS_KEY = "test"
"""The emulator's root credentials; calls through the HTTP API act in their account, so the stack lives there."""

_START_SECONDS = 30.0


@dataclass(frozen=True)
class Emulator:
    """A running emulator."""

    endpoint: str
    pid: int


def start(state: State, guard: Guard, functions_call: str | None = None) -> Emulator:
    """Start the emulator and wait until it answers.

    `functions_call` is the AWS address for the functions, by default the emulator's own. TANDEM_PORT selects the port,
    by default a free one. Raises a `Problem` if the port is in use or the emulator does not start.
    """
    port = _port()
    endpoint = f"http://127.0.0.1:{port}"
    log_path = state.logs / "emulator.log"
    with step(f"starting the emulator of AWS on port {port}"):
        with log_path.open("wb") as log:
            child = guard.start(
                [sys.executable, "-u", "-m", "infra.local.host", str(state.function_logs)],
                grace=0,  # its state is discarded, and the functions are in its process group
                stdout=log,
                stderr=subprocess.STDOUT,
                env=_clean_environment(state, port, functions_call or endpoint),
            )
        if not processes.wait_until(lambda: child.poll() is not None or _answers(endpoint), _START_SECONDS):
            raise Problem(f"the emulator did not answer within {_START_SECONDS:.0f} s")
        if child.poll() is not None:
            lines = log_path.read_text(errors="replace").strip().splitlines() or ["no output"]
            raise Problem(f"the emulator ended while it started: {lines[-1].strip()}")
    state.emulator_identity.write_text(f"{child.pid} {processes.start_time(child.pid)}")
    return Emulator(endpoint, child.pid)


def running(state: State) -> int | None:
    """The process id of the emulator of this state folder, if it runs."""
    try:
        pid, started = state.emulator_identity.read_text().split()
    except (OSError, ValueError):
        return None
    return int(pid) if processes.is_alive(int(pid), started) else None


def free_port() -> int:
    """A free port of the loopback address."""
    return _free("0")


def _port() -> int:
    return _free(os.environ.get("TANDEM_PORT", "0"))


def _free(wanted: str) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(wanted)))
        except OSError:
            raise Problem(f"port {wanted} of 127.0.0.1 is in use; leave TANDEM_PORT empty to use a free one") from None
        except (ValueError, OverflowError):
            raise Problem(f"TANDEM_PORT is not a port: {wanted}") from None
        return int(probe.getsockname()[1])


def _answers(endpoint: str) -> bool:
    try:
        with urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _clean_environment(state: State, port: int, functions_call: str) -> dict[str, str]:
    """The environment of the emulator and the functions, without the user's own."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": str(state.folder),
        "TMPDIR": str(state.temporary),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "AWS_ENDPOINT_URL": functions_call,
        "MINISTACK_REGION": REGION,
        # Functions get their roles' credentials, and every call is checked against the roles' policies.
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
    }
