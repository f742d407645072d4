"""The HTTP server of a merchant, which verifies each callback before it accepts it."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from types import TracebackType
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

SALES = "/tandem"
"""The path for callbacks about the partner's sales."""
EVENTS = "/events"
"""The path for a merchant's own events."""


@dataclass(frozen=True)
class Received:
    """A received callback."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    fault: str | None
    """The reason why the signature was rejected; None if it is valid."""

    @property
    def content(self) -> dict[str, Any]:
        """The parsed body."""
        return dict(json.loads(self.body))


class Receiver:
    """Listens on a port of the loopback address, a free one if it is 0, in a thread that ends with the process."""

    def __init__(self, port: int = 0) -> None:
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Receiver:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def url(self, path: str) -> str:
        """The callback URL of one of the server's paths."""
        return f"http://127.0.0.1:{self._server.server_port}{path}"

    def fault_of(self, path: str, headers: Mapping[str, str], body: bytes) -> str | None:
        """The reason to reject a callback; None if it has a valid, recent signature with the path's secret."""
        return self._server.fault_of(path, headers, body)

    def trust(self, path: str, secret: str) -> None:
        """Accept callbacks to a path that are signed with this secret."""
        self._server.secrets[path] = secret

    def reject(self, status: int | None) -> None:
        """Answer all calls with this status from now on; None to accept those with a valid signature again."""
        self._server.rejects_with = status

    def find(self, event: str) -> Received | None:
        """The first callback of a type, or one with a rejected signature."""
        for received in list(self._server.received):
            if received.fault or received.content.get("type") == event:
                return received
        return None

    def all(self) -> list[Received]:
        """All received callbacks, in order."""
        return list(self._server.received)

    def total(self) -> int:
        """How many calls came, repeated ones included."""
        return len(self._server.received)

    def count(self) -> int:
        """The number of different callbacks; a repeated one has the same id."""
        return len({received.headers.get("webhook-id") for received in self._server.received})


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self.secrets: dict[str, str] = {}
        self.received: list[Received] = []
        self.rejects_with: int | None = None

    def server_bind(self) -> None:
        # Skips the look-up of the host name in the base class, which can be slow.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def fault_of(self, path: str, headers: Mapping[str, str], body: bytes) -> str | None:
        if path not in self.secrets:
            return "no secret was agreed on yet"
        try:
            Webhook(self.secrets[path]).verify(body, dict(headers))
        except (WebhookVerificationError, ValueError) as error:
            return str(error) or type(error).__name__
        return None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log nothing: an aborted request is sent again."""


class _Handler(BaseHTTPRequestHandler):
    timeout = 10

    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, _Server)
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        fault = server.fault_of(self.path, headers, body)
        server.received.append(Received(self.path, headers, body, fault))
        rejected = server.rejects_with or (400 if fault else None)
        answer = b"refused" if rejected else b"thanks"
        self.send_response(rejected or 200)
        self.send_header("content-type", "text/plain")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: the demo prints the callbacks."""
