"""Runs the emulator, with five changes that a test of a whole system needs.

1. Every line that a function writes goes into a file of its own at once, also what it writes when it fails to start;
   the emulator keeps lines in memory and forgets those of a function that never got ready.
2. A call does not wait for log lines. The emulator waits up to 50 ms for a first line after each answer, to give it
   back with the answer; here the files have it.
3. A function's event leaves at once. The emulator sends head and body of it apart, and the kernel holds the second part
   back for 40 ms.
4. Plain http on the loopback address counts as encrypted transport, or the queues' policy would refuse everybody.
5. Policies may ask which partition keys a request names; the emulator knows no `dynamodb:LeadingKeys`.

The emulator's version is pinned in requirements.txt; a change that no longer fits it stops the start.
"""

from __future__ import annotations

import queue
import sys
from pathlib import Path
from typing import Any, BinaryIO

from ministack import app
from ministack.core import iam_actions, lambda_runtime
from ministack.services import dynamodb

from infra.local import leading_keys


class _Copied:
    """A function's output that also goes, line by line, into a file."""

    def __init__(self, stream: BinaryIO, path: Path) -> None:
        self._stream = stream
        self._file = path.open("ab", buffering=0)

    def readline(self) -> bytes:
        line = self._stream.readline()
        self._file.write(line)
        return line

    def close(self) -> None:
        self._stream.close()
        self._file.close()


def keep_logs_in(folder: Path) -> None:
    """Copy what each function writes to FUNCTION-NAME.log in `folder`."""
    worker = lambda_runtime.ProvidedWorker
    pump = worker._pump_output

    def copying_pump(self: Any, stream: BinaryIO, lines: queue.Queue[str]) -> None:
        pump(self, _Copied(stream, folder / f"{self.func_name}.log"), lines)

    worker._pump_output = copying_pump


def do_not_wait_for_logs() -> None:
    """Answer as soon as the function has; later lines go with the next answer."""
    worker = lambda_runtime.ProvidedWorker
    drain = worker._drain_stderr

    def drain_now(self: Any, *_: float, **__: float) -> str:
        return str(drain(self))

    worker._drain_stderr_bounded = drain_now


def send_events_at_once() -> None:
    """Switch Nagle's algorithm off for the servers that functions get their events from."""
    worker = lambda_runtime.ProvidedWorker
    build = worker._build_handler_class

    def without_nagle(self: Any, *arguments: Any) -> Any:
        handler = build(self, *arguments)
        handler.disable_nagle_algorithm = True
        return handler

    worker._build_handler_class = without_nagle


def trust_loopback() -> None:
    """Let `aws:SecureTransport` be true for every request."""
    pin = app.pin_request_origin
    app.pin_request_origin = lambda source_ip, _secure: pin(source_ip, True)


def know_leading_keys() -> None:
    """Let the conditions of policies see `dynamodb:LeadingKeys`; a request that names no key has none, as on AWS."""
    context = iam_actions.dynamodb_service_context

    def with_leading_keys(body: bytes) -> dict[str, Any]:
        keys = leading_keys.named_in(body, _partition_key)
        return dict(context(body)) | ({"dynamodb:LeadingKeys": keys} if keys else {})

    iam_actions.dynamodb_service_context = with_leading_keys


def _partition_key(table: str, index: str | None) -> str:
    known = dynamodb._tables.get(table)
    return str(dynamodb._resolve_index_keys(known, index)[0]) if known else ""


def main(arguments: list[str]) -> None:
    """Change the emulator, then be it."""
    keep_logs_in(Path(arguments[0]))
    do_not_wait_for_logs()
    send_events_at_once()
    trust_loopback()
    know_leading_keys()
    sys.argv = ["ministack"]
    app.main()


if __name__ == "__main__":
    main(sys.argv[1:])
