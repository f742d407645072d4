"""The guard: a separate process that ends the children of a command when the command ends.

The command registers each process group that it starts, through a pipe. When the pipe closes, because the command
finished, was interrupted or was killed, the guard ends those groups and all processes beneath the state folder, and
removes the folder if requested. A new child registers itself before it executes its program, so none is missed.

Lines on the pipe: ``end GROUP GRACE`` (end this group at exit, after so many seconds to terminate), ``forget GROUP``
(it has ended), ``keep`` (the stack stays: end nothing).

Not guaranteed: nothing guards the guard. If it is killed, the next command cleans up.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import IO

from infra.local import processes
from infra.local.layout import ROOT
from infra.local.say import Problem


class Guard:
    """The command's side: starts the guard process and the guarded children."""

    def __init__(self, folder: Path, remove_folder: bool) -> None:
        reading, self._pipe = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "infra.local.guard", str(folder), "remove" if remove_folder else "leave"],
            cwd=ROOT,
            stdin=reading,
            start_new_session=True,
        )
        os.close(reading)

    def __enter__(self) -> Guard:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the pipe and wait for the guard; a second signal does not interrupt this."""
        ignored = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
        os.close(self._pipe)
        self._process.wait()
        for number, handler in ignored.items():
            signal.signal(number, handler)

    def send(self, line: str) -> None:
        """Send the guard one line; short writes to a pipe are atomic."""
        os.write(self._pipe, f"{line}\n".encode())

    def start(
        self,
        command: list[str],
        grace: float,
        stdout: IO[bytes] | int | None = None,
        stderr: IO[bytes] | int | None = None,
        stdin: int | None = subprocess.DEVNULL,
        env: dict[str, str] | None = None,
        cwd: Path = ROOT,
    ) -> subprocess.Popen[bytes]:
        """Start `command` in a process group of its own that ends with this command.

        `grace` is the time in seconds between SIGTERM and SIGKILL. Raises a `Problem` if the program does not exist.
        """

        def announce() -> None:
            os.setsid()
            self.send(f"end {os.getpid()} {grace}")

        try:
            return subprocess.Popen(
                command, cwd=cwd, env=env, stdin=stdin, stdout=stdout, stderr=stderr, preexec_fn=announce
            )
        except OSError as error:
            raise Problem(f"{command[0]} cannot be run: {error.strerror}") from error

    def run(self, command: list[str], grace: float = 2.0, **streams: int | IO[bytes] | None) -> tuple[int, bytes]:
        """Run `command` to its end and return its exit status and its captured standard output."""
        child = self.start(command, grace, **streams)  # type: ignore[arg-type]
        output, _ = child.communicate()
        self.send(f"forget {child.pid}")
        return child.returncode, output or b""

    def keep(self) -> None:
        """Stop guarding: end nothing at exit."""
        self.send("keep")


def watch(folder: Path, remove_folder: bool) -> None:
    """The guard's side: read until the pipe closes, then clean up."""
    groups: dict[int, tuple[str | None, float]] = {}
    for line in sys.stdin:
        match line.split():
            case ["end", group, grace]:
                groups[int(group)] = (processes.start_time(int(group)), float(grace))
            case ["forget", group]:
                groups.pop(int(group), None)
            case ["keep"]:
                return
    # The youngest first: users of the stack before the stack.
    for group, (leader_started, grace) in reversed(groups.items()):
        # The number of an empty group may be reused, which the leader's start time shows. While any member lives, even
        # without the leader, the kernel does not reuse the number.
        if processes.start_time(group) in (leader_started, None):
            processes.end_group(group, grace)
    processes.end_beneath(folder)
    if remove_folder:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    watch(Path(sys.argv[1]), sys.argv[2] == "remove")
