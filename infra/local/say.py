"""What the commands tell the person: progress on standard error, one line for a problem."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Problem(Exception):
    """Something the person has to put right; its text is the one line that is shown."""


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
    """Announce a step, with a hint at how long it may take, and tell how long it took once it worked."""
    say(f"{text} ..." if not hint else f"{text} ({hint}) ...")
    began = time.monotonic()
    yield
    say(f"{text}: done in {time.monotonic() - began:.1f} s")
