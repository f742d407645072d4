"""Runs the emulator with five changes that tests of the whole system need.

1. Each function's log lines are written to a file immediately, also if it fails to start. The emulator keeps lines in
   memory and drops those of a function that never became ready.
2. A call does not wait for log lines. The emulator waits up to 50 ms after each answer for a first line to return.
3. A function's event is sent at once. The emulator sends its head and body separately, and the kernel delays the
   second part by 40 ms.
4. Plain http on the loopback address counts as encrypted transport; otherwise the queues' policy would deny every call.
5. Policies may use `dynamodb:LeadingKeys`, which the emulator does not support.

requirements.txt pins the emulator's version; a change that no longer fits it fails at the start.
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
    """A function's output, copied line by line into a file."""

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
    """Copy the output of each function to FUNCTION-NAME.log in `folder`."""
    worker = lambda_runtime.ProvidedWorker
    pump = worker._pump_output

    def copying_pump(self: Any, stream: BinaryIO, lines: queue.Queue[str]) -> None:
        pump(self, _Copied(stream, folder / f"{self.func_name}.log"), lines)

    worker._pump_output = copying_pump


def do_not_wait_for_logs() -> None:
    """Answer as soon as the function answers; later log lines go with the next answer."""
    worker = lambda_runtime.ProvidedWorker
    drain = worker._drain_stderr

    def drain_now(self: Any, *_: float, **__: float) -> str:
        return str(drain(self))

    worker._drain_stderr_bounded = drain_now


def send_events_at_once() -> None:
    """Disable Nagle's algorithm in the servers that send events to functions."""
    worker = lambda_runtime.ProvidedWorker
    build = worker._build_handler_class

    def without_nagle(self: Any, *arguments: Any) -> Any:
        handler = build(self, *arguments)
        handler.disable_nagle_algorithm = True
        return handler

    worker._build_handler_class = without_nagle


def trust_loopback() -> None:
    """Make `aws:SecureTransport` true for every request."""
    pin = app.pin_request_origin
    app.pin_request_origin = lambda source_ip, _secure: pin(source_ip, True)


def support_leading_keys() -> None:
    """Add `dynamodb:LeadingKeys` to the context of policies; absent for a request without keys, as on AWS."""
    context = iam_actions.dynamodb_service_context

    def with_leading_keys(body: bytes) -> dict[str, Any]:
        keys = leading_keys.named_in(body, _partition_key)
        return dict(context(body)) | ({"dynamodb:LeadingKeys": keys} if keys else {})

    iam_actions.dynamodb_service_context = with_leading_keys


def _partition_key(table: str, index: str | None) -> str:
    known = dynamodb._tables.get(table)
    return str(dynamodb._resolve_index_keys(known, index)[0]) if known else ""


def main(arguments: list[str]) -> None:
    """Patch the emulator and run it."""
    keep_logs_in(Path(arguments[0]))
    do_not_wait_for_logs()
    send_events_at_once()
    trust_loopback()
    support_leading_keys()
    sys.argv = ["ministack"]
    app.main()


if __name__ == "__main__":
    main(sys.argv[1:])
