"""The guard: a process of its own that ends what a command started when the command goes away.

The command holds the writing end of a pipe and, through it, tells the guard about each process group it starts. When
the pipe closes, because the command finished, was interrupted or was killed outright, the guard ends all those groups
and whatever else runs beneath the state folder, and removes the folder if it was told to. A new child tells the guard
about itself before it becomes another program, so there is no moment at which nobody knows of it.

Lines on the pipe: ``end GROUP GRACE`` (end this group, with so many seconds to go politely), ``forget GROUP`` (it is
done), ``keep`` (the stack stays: end nothing any more).

Not guaranteed: nothing guards the guard. Who kills it outright leaves the cleaning to the next command.
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
    """The command's side: starts the guard process and the children that it watches over."""

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
        """Let the guard do its work and wait for it; a second signal does not cut this short."""
        ignored = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
        os.close(self._pipe)
        self._process.wait()
        for number, handler in ignored.items():
            signal.signal(number, handler)

    def tell(self, line: str) -> None:
        """Send the guard one line; short writes to a pipe are never torn."""
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

        `grace` is how many seconds the group gets to end politely. Raises a `Problem` if there is no such program.
        """

        def announce() -> None:
            os.setsid()
            self.tell(f"end {os.getpid()} {grace}")

        try:
            return subprocess.Popen(
                command, cwd=cwd, env=env, stdin=stdin, stdout=stdout, stderr=stderr, preexec_fn=announce
            )
        except OSError as error:
            raise Problem(f"{command[0]} cannot be run: {error.strerror}") from error

    def run(self, command: list[str], grace: float = 2.0, **streams: int | IO[bytes] | None) -> tuple[int, bytes]:
        """Run `command` to its end and give its exit status and what it wrote to a captured standard output."""
        child = self.start(command, grace, **streams)  # type: ignore[arg-type]
        output, _ = child.communicate()
        self.tell(f"forget {child.pid}")
        return child.returncode, output or b""

    def keep(self) -> None:
        """From here on nothing is to be ended."""
        self.tell("keep")


def watch(folder: Path, remove_folder: bool) -> None:
    """The guard's side: listen until the pipe closes, then clean up."""
    groups: dict[int, tuple[str | None, float]] = {}
    for line in sys.stdin:
        match line.split():
            case ["end", group, grace]:
                groups[int(group)] = (processes.start_time(int(group)), float(grace))
            case ["forget", group]:
                groups.pop(int(group), None)
            case ["keep"]:
                return
    # The youngest first: what uses the stack before the stack.
    for group, (leader_started, grace) in reversed(groups.items()):
        # Once a group is empty its number may go to somebody else's; the leader's start tells. While anybody of the
        # group lives, also without the leader, the kernel does not give the number away.
        if processes.start_time(group) in (leader_started, None):
            processes.end_group(group, grace)
    processes.end_beneath(folder)
    if remove_folder:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    watch(Path(sys.argv[1]), sys.argv[2] == "remove")
