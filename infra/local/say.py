"""Prints progress and problems on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Problem(Exception):
    """An error that the user must fix; its text is the line that is shown."""


class Interrupted(BaseException):
    """A signal asked the command to stop; not an ``Exception``, so that no handler swallows it."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum


def say(text: str) -> None:
    """Print one line of progress."""
    print(f"tandem: {text}", file=sys.stderr, flush=True)


@contextmanager
def step(text: str, hint: str = "") -> Iterator[None]:
    """Print the start of a step, with a hint at its duration, and its duration if it succeeds."""
    say(f"{text} ..." if not hint else f"{text} ({hint}) ...")
    began = time.monotonic()
    yield
    say(f"{text}: done in {time.monotonic() - began:.1f} s")
