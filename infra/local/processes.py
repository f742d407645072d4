"""Processes of Linux as /proc shows them: who is alive, who belongs to a group, who runs beneath a folder."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path

PR_SET_PDEATHSIG = 1


def die_with_parent(signum: int) -> None:
    """Ask the kernel to send this process `signum` when the one that started it ends, however it ends."""
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signum, 0, 0, 0)
    if os.getppid() != parent:  # it ended before the kernel knew
        os.kill(os.getpid(), signum)


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat after the name, or None if the process is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (OSError, ValueError):
        return None
    return text.rpartition(")")[2].split()


def start_time(pid: int) -> str | None:
    """When the process started, in clock ticks since boot; with the id it names a process for good."""
    fields = _stat(pid)
    return fields[19] if fields and fields[0] != "Z" else None


def is_alive(pid: int, started: str) -> bool:
    """Whether that very process still runs."""
    return start_time(pid) == started


def _all_pids() -> Iterable[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())


def group_members(group: int) -> list[int]:
    """The living processes of a process group; the dead that nobody has collected do not count."""
    members = []
    for pid in _all_pids():
        fields = _stat(pid)
        if fields and fields[0] != "Z" and int(fields[2]) == group:
            members.append(pid)
    return members


def running_beneath(folder: Path) -> list[int]:
    """The processes whose executable or working directory lies in `folder`: functions of a stack, orphans too."""
    prefix = f"{folder}/"
    found = []
    for pid in _all_pids():
        for link in ("exe", "cwd"):
            try:
                target = os.readlink(f"/proc/{pid}/{link}")
            except OSError:
                continue
            if target.startswith(prefix) and pid != os.getpid():
                found.append(pid)
                break
    return found


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether `condition` came true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.02)
    return True


def end_group(group: int, grace: float) -> None:
    """End a process group: politely for `grace` seconds, then for good. Zero seconds: for good at once."""
    for signum, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
        if patience and group_members(group):
            try:
                os.killpg(group, signum)
            except ProcessLookupError:
                return
            wait_until(lambda: not group_members(group), patience)


def end_beneath(folder: Path) -> None:
    """End what still runs beneath `folder`."""
    for pid in running_beneath(folder):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not running_beneath(folder), 5.0)
