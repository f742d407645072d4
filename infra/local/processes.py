"""Inspects and ends Linux processes by /proc: by id, by process group, and beneath a folder."""

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
    """Ask the kernel to send this process `signum` when its parent ends."""
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signum, 0, 0, 0)
    if os.getppid() != parent:  # the parent ended before the call
        os.kill(os.getpid(), signum)


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat after the name, or None if the process is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (OSError, ValueError):
        return None
    return text.rpartition(")")[2].split()


def start_time(pid: int) -> str | None:
    """When the process started, in clock ticks since boot; with the id, it identifies a process uniquely."""
    fields = _stat(pid)
    return fields[19] if fields and fields[0] != "Z" else None


def is_alive(pid: int, started: str) -> bool:
    """Whether that process still runs."""
    return start_time(pid) == started


def _all_pids() -> Iterable[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())


def group_members(group: int) -> list[int]:
    """The living processes of a process group, without zombies."""
    members = []
    for pid in _all_pids():
        fields = _stat(pid)
        if fields and fields[0] != "Z" and int(fields[2]) == group:
            members.append(pid)
    return members


def running_beneath(folder: Path) -> list[int]:
    """The processes whose executable or working directory is in `folder`: functions of a stack, orphans too."""
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
    """Wait up to `seconds` for `condition`; returns whether it became true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.02)
    return True


def end_group(group: int, grace: float) -> None:
    """End a process group: SIGTERM, and SIGKILL after `grace` seconds. Zero seconds: SIGKILL at once."""
    for signum, limit in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
        if limit and group_members(group):
            try:
                os.killpg(group, signum)
            except ProcessLookupError:
                return
            wait_until(lambda: not group_members(group), limit)


def end_beneath(folder: Path) -> None:
    """Kill the processes that run beneath `folder`."""
    for pid in running_beneath(folder):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not running_beneath(folder), 5.0)
