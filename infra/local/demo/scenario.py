"""Prints the steps, and stops at the first failed check."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import Any, TextIO, TypeVar

from infra.local.demo import text
from infra.local.demo.text import WIDTH

T = TypeVar("T")

WAIT_SECONDS = 90.0
"""Seconds to wait for an effect, longer than the minute sweep needs to recover a lost trigger."""

_FIRST_NEWS, _MORE_NEWS = 2.0, 10.0
_MARGIN = " " * 4
_NAME = 11
_WIDTH = WIDTH - len(_MARGIN) - _NAME


class Failure(Exception):
    """A step did not have its expected effect."""

    def __init__(self, subject: str, expected: str, found: str) -> None:
        super().__init__(subject)
        self.subject, self.expected, self.found = subject, expected, found


class Scenario:
    """Prints the current step and counts the checks."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._colours = out.isatty() and "NO_COLOR" not in os.environ
        self._secrets: list[tuple[str, str]] = []
        self.steps = 0
        self.checks = 0
        self.title = ""

    def act(self, title: str, *introduction: str) -> None:
        """Begin an act."""
        self._print("")
        self._print(self._bold(title))
        for line in introduction:
            self._print(line)

    def step(self, title: str) -> None:
        """Begin a step."""
        self.steps += 1
        self.title = title
        self._print(self._bold(f"{self.steps:2}. {title}"))

    def call(self, name: str, request: str, body: dict[str, Any] | None, answer: str, brief: bool) -> None:
        """Show a call and its answer, in one line if it fits.

        If it is to be brief, it is one line in any case: members of the body that do not fit are left out.
        """
        request, answer = self.harmless(request), f"-> {self.harmless(answer)}"
        parts = [self.harmless(part) for part in text.members(body or {})]
        room = _WIDTH - len(request) - len(answer) - 2 if brief else None
        if parts:
            request += f" {text.braced(parts, room)}"
        if len(request) + 1 + len(answer) <= _WIDTH:
            self._beside(name, [f"{request} {answer}"])
        else:
            self._beside(name, [*text.wrapped(request, _WIDTH), *text.wrapped(answer, _WIDTH, "   ")])

    def show(self, name: str, lines: Sequence[str]) -> None:
        """Show a received mail or callback."""
        self._beside(name, [part for line in lines for part in text.wrapped(self.harmless(line), _WIDTH)])

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str]) -> None:
        """Show a table; the columns in `right` are numbers."""
        for line in text.table(heads, [[text.short_ids(cell) for cell in row] for row in rows], right):
            self._print(f"{_MARGIN}{line}")

    def hide(self, secret: str, visible: int) -> None:
        """Print no more than the first characters of a secret from now on."""
        self._secrets.append((secret, f"{secret[:visible]}…"))

    def harmless(self, line: str) -> str:
        """A line with short ids and without secrets."""
        for secret, shown in self._secrets:
            line = line.replace(secret, shown)
        return text.short_ids(line)

    def check(self, subject: str, expected: Any, found: Any) -> None:
        """Check that a value is the expected one; raises a `Failure` otherwise."""
        self.checks += 1
        if found != expected:
            raise Failure(subject, text.shown(expected), text.shown(found))

    def check_that(self, subject: str, holds: bool, expected: str, found: str) -> None:
        """Check a condition; raises a `Failure` otherwise."""
        self.checks += 1
        if not holds:
            raise Failure(subject, expected, found)

    def wait(self, subject: str, probe: Callable[[], T | None], seconds: float = WAIT_SECONDS) -> T:
        """Wait for the result of `probe`, and print that it waits.

        Raises a `Failure` if it finds nothing within `seconds`.
        """
        began = time.monotonic()
        news = _FIRST_NEWS
        while (found := probe()) is None:
            waited = time.monotonic() - began
            if waited > seconds:
                raise Failure(subject, f"within {seconds:.0f} s", "nothing")
            if waited > news:
                self._print(f"{_MARGIN}… waiting for {subject} ({waited:.0f} s)")
                news += _MORE_NEWS
            time.sleep(0.1)
        self.checks += 1
        return found

    def end(self) -> None:
        """Print that all checks passed."""
        self._print("")
        self._print(self._bold(f"All {self.steps} steps had the expected effect ({self.checks} checks).", 32))

    def fail(self, failure: Failure, remedy: str = "") -> None:
        """Print the failed step and the failure, and what to do about it."""
        self._print("")
        self._print(self._bold(f"FAILED in step {self.steps}" if self.steps else "FAILED before the first step", 31))
        facts = {"step": self.title, "check": failure.subject, "expected": failure.expected, "found": failure.found}
        facts |= {"to do": remedy} if remedy else {}
        for head, value in facts.items():
            lines = text.wrapped(self.harmless(value), WIDTH - 14, "")
            for first, line in zip([head, *[""] * len(lines)], lines, strict=False):
                self._print(f"{_MARGIN}{first:<9} {line}")

    def _beside(self, name: str, lines: list[str]) -> None:
        for label, line in zip([name, *[""] * len(lines)], lines, strict=False):
            self._print(f"{_MARGIN}{label:<{_NAME}}{line}")

    def _bold(self, line: str, colour: int | None = None) -> str:
        if not self._colours:
            return line
        return f"\x1b[1{'' if colour is None else f';{colour}'}m{line}\x1b[0m"

    def _print(self, line: str) -> None:
        print(line, file=self._out, flush=True)
