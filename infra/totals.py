"""Runs a command, passes its output on, and ends with one line: the totals of all test runs in the output.

    python3 -m infra.totals make test-steps

Counts the results of `cargo test` and of Python's unittest. The exit status is the command's.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import BinaryIO

from infra.local import processes

_CARGO = re.compile(r"test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored;")
_UNITTEST_COUNT = re.compile(r"Ran (\d+) tests? in ")
_UNITTEST_RESULT = re.compile(r"(?:OK|FAILED)(?: \((.*)\))?$")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Totals:
    """The sums over the test runs in an output that is read line by line."""

    def __init__(self) -> None:
        self.passed = self.failed = self.skipped = 0
        self._unittest_ran: int | None = None

    def read(self, line: str) -> None:
        """Add the result that this line reports, if it reports one."""
        line = _COLOUR.sub("", line).strip()
        if cargo := _CARGO.match(line):
            self._add(*(int(count) for count in cargo.groups()))
        elif count := _UNITTEST_COUNT.match(line):
            self._unittest_ran = int(count[1])
        elif self._unittest_ran is not None and (result := _UNITTEST_RESULT.match(line)):
            details = dict(part.split("=") for part in (result[1] or "").split(", ") if part)
            failed = sum(int(details.get(kind, 0)) for kind in ("failures", "errors", "unexpected successes"))
            skipped = int(details.get("skipped", 0))
            # An error outside of a test counts as a failure, but not among those that ran.
            self._add(max(0, self._unittest_ran - failed - skipped), failed, skipped)
            self._unittest_ran = None

    def _add(self, passed: int, failed: int, skipped: int) -> None:
        self.passed += passed
        self.failed += failed
        self.skipped += skipped

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def run(command: list[str], out: BinaryIO) -> int:
    """Run the command, write its output and the totals to `out`, and give its exit status."""
    child = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,  # one pipe keeps the order of the lines
        preexec_fn=lambda: processes.die_with_parent(signal.SIGTERM),
    )
    # The terminal interrupts the whole group; the command cleans up, and this process waits for it.
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    terminated = signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    try:
        totals = _pass_on(child, out)
        status = child.wait()
    finally:
        signal.signal(signal.SIGINT, previous)
        signal.signal(signal.SIGTERM, terminated)
    out.write(f"{totals}\n".encode())
    out.flush()
    return status if status >= 0 else 128 - status


def _pass_on(child: subprocess.Popen[bytes], out: BinaryIO) -> Totals:
    totals, line = Totals(), b""
    assert child.stdout
    with child.stdout as pipe:
        # Not line by line: the name of a test is shown when the test starts.
        while chunk := os.read(pipe.fileno(), 65536):
            out.write(chunk)
            out.flush()
            *whole, line = (line + chunk).split(b"\n")
            for text in whole:
                totals.read(text.decode(errors="replace"))
    totals.read(line.decode(errors="replace"))
    if line:
        out.write(b"\n")
    return totals


if __name__ == "__main__":
    if sys.stdout.isatty():
        os.environ.setdefault("CARGO_TERM_COLOR", "always")
    sys.exit(run(sys.argv[1:], sys.stdout.buffer))
