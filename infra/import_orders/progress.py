"""Shows progress on standard error: one updated line on a terminal, a line every ten seconds elsewhere."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from typing import TextIO

from infra.import_orders.say import number
from infra.import_orders.state import FAULTS, RESULTS, State

_ON_TERMINAL, _ELSEWHERE = 0.2, 10.0
"""Seconds between two lines."""


class Progress:
    """Shows the progress."""

    def __init__(self, out: TextIO, size: int) -> None:
        self._out = out
        self._size = max(size, 1)
        self._is_terminal = out.isatty()
        self._every = _ON_TERMINAL if self._is_terminal else _ELSEWHERE
        self._began = self._shown = time.monotonic()
        self._done_before: int | None = None
        self._has_line = False
        self._said = ""

    def say(self, text: str) -> None:
        """Print a message on its own line."""
        self._clear()
        print(f"tandem: {text}", file=self._out, flush=True)

    def begin(self, state: State) -> None:
        """Start to measure the rate."""
        self._began, self._done_before = time.monotonic(), state.rows_done

    def show(self, state: State, running: Mapping[str, int] | None = None, *, now: bool = False) -> None:
        """Show the state if it is time; `running` has the counts of the oldest import so far."""
        clock = time.monotonic()
        if not now and clock - self._shown < self._every:
            return
        self._shown = clock
        if self._is_terminal:
            self._clear()
            width = shutil.get_terminal_size().columns - 1
            print(self._line(state, running)[:width], end="", file=self._out, flush=True)
            self._has_line = True
        elif (line := self._line(state, running)) != self._said:
            self._said = line
            self.say(line)

    def _clear(self) -> None:
        if self._has_line:
            print("\r\x1b[K", end="", file=self._out)
            self._has_line = False

    def _line(self, state: State, running: Mapping[str, int] | None) -> str:
        results = state.results + type(state.results)(dict(running or {}))
        done = results.total()
        seconds = max(time.monotonic() - self._began, 0.001)
        rate = (done - (self._done_before or 0)) / seconds
        parts = ", ".join(f"{name} {number(results[name])}" for name in (*RESULTS, *FAULTS) if results[name])
        # Relative to the rows read, because a row that was only sent is not imported yet.
        share = 100 * state.next.place.offset * done // (self._size * max(state.rows_read, 1))
        return (
            f"{share} %, {number(round(rate))} rows/s: read {number(state.rows_read)}, sent {number(state.rows_sent)}, "
            f"done {number(done)}{f' ({parts})' if parts else ''}"
        )
