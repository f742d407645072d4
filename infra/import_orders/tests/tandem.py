"""A fake Tandem: the import routes as docs/openapi.yaml describes them, on a free port of the loopback address.

Failures can be scripted: each entry of `troubles` meets one POST. To try the command without a stack,
``python3 -m infra.import_orders.tests.tandem`` leaves one up until Ctrl-C; it knows no customer `cus_unknown`.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
import unicodedata
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY = "tdm_0123_secretsecret"
_REQUIRED = ("externalSystemId", "offerId", "invoiceCustomerId", "quantity", "startDate", "paymentMethod")
_KNOWN = (*_REQUIRED, "endDate", "orderDate", "deliveryCustomerId", "discountPercentage", "currentPaymentPeriodPaid")

_MOST_ERRORS = 1_000


@dataclass
class Trouble:
    """A fault of one POST."""

    status: int = 0
    """The status to answer; 0 drops the connection."""
    headers: dict[str, str] = field(default_factory=dict)
    after_work: bool = False
    """Whether the import is accepted before its answer is lost."""
    meanwhile: Callable[[], None] | None = None


@dataclass
class Promise:
    """An accepted import."""

    id: str
    items: list[dict[str, Any]]
    lines: list[dict[str, Any]]
    looks: int = 0

    def counts(self) -> dict[str, int]:
        """The state as answered."""
        counts = dict.fromkeys(("created", "updated", "unchanged", "superseded", "failed"), 0)
        for line in self.lines:
            counts[line["result"]] += 1
        return {**counts, "pending": len(self.items) - len(self.lines)}


class Tandem:
    """The server, a context manager."""

    def __init__(self) -> None:
        self.troubles: deque[Trouble | None] = deque()
        """The fault of each POST; None for a normal answer."""
        self.posts: list[tuple[str | None, int]] = []
        """The Idempotency-Key and the number of items of each POST, in order."""
        self.promises: list[Promise] = []
        self.orders: dict[str, dict[str, Any]] = {}
        self.accepted_at = datetime.now(timezone.utc)
        self.looks_until_done = 1
        self.bad_customers = {"cus_unknown"}
        self.superseded: dict[tuple[int, str], tuple[str, list[str], str]] = {}
        """By the number of the import and the id: the result, the members that are not set, the import that won."""
        self.stuck_items: tuple[int, int] | None = None
        self.on_look: Callable[[], None] | None = None
        self._keys: dict[str, tuple[bytes, Promise]] = {}
        self._lock = threading.Lock()
        tandem = self

        class Handler(_Handler):
            api = tandem

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/base"

    def __enter__(self) -> Tandem:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def forget(self) -> None:
        """Drop every import and key."""
        for kept in (self.posts, self.promises, self.orders, self._keys):
            kept.clear()

    @property
    def imported(self) -> list[str]:
        """The externalSystemIds of all accepted items, in order."""
        return [item["externalSystemId"] for promise in self.promises for item in promise.items]

    def accept(self, body: bytes, key: str | None) -> tuple[int, dict[str, Any], dict[str, str]]:
        """POST without dryRun."""
        refused = _refused(body)
        if refused:
            return *refused, {}
        with self._lock:
            if key is not None and key in self._keys:
                known, promise = self._keys[key]
                if known != body:
                    return 422, {"code": "idempotency_key_reused", "detail": "use a new key"}, {}
                return 202, self.shown(promise), {"Idempotency-Replayed": "true"}
            items = json.loads(body)["items"]
            promise = Promise(f"prm_{len(self.promises):032}", items, [])
            promise.lines = self.decided(items, self.orders)
            for line in promise.lines:
                won = self.superseded.get((len(self.promises), line["externalSystemId"]))
                if won is not None:
                    line["result"], line["superseded"], line["supersededBy"] = won
            if self.stuck_items is not None:
                first, last = self.stuck_items
                promise.lines = [line for line in promise.lines if not first <= line["number"] <= last]
            self.promises.append(promise)
            if key is not None:
                self._keys[key] = (body, promise)
            return 202, self.shown(promise), {"Location": f"/v1/imports/{promise.id}"}

    def dry_run(self, body: bytes) -> tuple[int, dict[str, Any], dict[str, str]]:
        """POST with dryRun."""
        refused = _refused(body)
        if refused:
            return *refused, {}
        items = json.loads(body)["items"]
        would_be = Promise("", items, self.decided(items, dict(self.orders)))
        return 200, {"dryRun": True, "itemCount": len(items), "counts": would_be.counts(), "items": would_be.lines}, {}

    def decided(self, items: list[dict[str, Any]], orders: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
        """The result of each item."""
        lines = []
        for number, item in enumerate(items):
            external, error = _compared(item["externalSystemId"]), None
            if item["invoiceCustomerId"] in self.bad_customers:
                result = "failed"
                error = {"code": "customer_not_found", "detail": f"no customer {item['invoiceCustomerId']}"}
            else:
                before = orders.get(external)
                result = "created" if before is None else "unchanged" if before == item else "updated"
                orders[external] = item
            line = {"number": number, "externalSystemId": external, "result": result, "error": error}
            lines.append({**line, "superseded": [], "supersededBy": None})
        return lines

    def shown(self, promise: Promise) -> dict[str, Any]:
        """The answer for a promise."""
        counts, state = promise.counts(), "completedWithErrors" if promise.counts()["failed"] else "completed"
        stuck: list[dict[str, int]] = []
        if counts["pending"] and self.stuck_items:
            state, stuck = "running", [{"from": self.stuck_items[0], "to": self.stuck_items[1]}]
        if promise.looks < self.looks_until_done:
            state, stuck = "running", []
            counts = {**dict.fromkeys(counts, 0), "pending": len(promise.items)}
        accepted = {"acceptedAt": self.accepted_at.strftime("%Y-%m-%dT%H:%M:%S.5Z")}
        return {"promiseId": promise.id, "state": state, "counts": counts, "stuckItems": stuck} | accepted

    def look(self, id: str, query: dict[str, list[str]]) -> tuple[int, dict[str, Any], dict[str, str]]:
        """GET."""
        promise = next((promise for promise in self.promises if promise.id == id), None)
        if promise is None:
            return 404, {"code": "promise_not_found", "detail": "there is no such import"}, {}
        if self.on_look:
            self.on_look()
        promise.looks += 1
        results, limit = query.get("result"), int(query.get("limit", ["20"])[0])
        lines = [line for line in promise.lines if not results or line["result"] in results]
        first = int(query.get("cursor", ["0"])[0])
        following = first + limit
        cursor = str(following) if following < len(lines) else None
        return 200, {**self.shown(promise), "items": lines[first:following], "nextCursor": cursor}, {}


def _refused(body: bytes) -> tuple[int, dict[str, Any]] | None:
    if len(body) > 2 * 1024 * 1024:
        return 413, {"code": "body_too_large", "detail": "the limit is 2097152 bytes"}
    items = json.loads(body)["items"]
    errors = []
    if not 1 <= len(items) <= 1000:
        errors.append({"field": "items", "code": "wrong_length", "detail": "expected 1 to 1000 entries"})
    seen: dict[str, int] = {}
    for number, item in enumerate(items):
        for field_name, code, detail in _wrong(item):
            errors.append({"field": f"items[{number}].{field_name}", "code": code, "detail": detail})
        external = _compared(str(item.get("externalSystemId")))
        if seen.setdefault(external, number) != number:
            errors.append({"field": f"items[{number}].externalSystemId", "code": "repeated", "detail": "send one"})
    if len(errors) > _MOST_ERRORS:
        more = {"field": "", "code": "more_errors", "detail": f"{len(errors) - _MOST_ERRORS} more"}
        errors = [*errors[:_MOST_ERRORS], more]
    return (422, {"code": "invalid_fields", "detail": "see errors", "errors": errors}) if errors else None


def _wrong(item: dict[str, Any]) -> list[tuple[str, str, str]]:
    wrong = [(name, "required", "this field is required") for name in _REQUIRED if item.get(name) is None]
    wrong += [(name, "unknown_field", "this field is not known") for name in item if name not in _KNOWN]
    quantity = item.get("quantity")
    if quantity is not None and (isinstance(quantity, bool) or not isinstance(quantity, int)):
        wrong.append(("quantity", "not_an_integer", "expected a whole number from 1 to 10000, found a string"))
    return wrong


def _compared(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip())


class _Handler(BaseHTTPRequestHandler):
    api: Tandem
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Log nothing."""

    def do_GET(self) -> None:
        """Answer GET."""
        parts = urlsplit(self.path)
        if self._may() and parts.path.startswith("/base/v1/imports/"):
            self._answer(*self.api.look(parts.path.rpartition("/")[2], parse_qs(parts.query)))

    def do_POST(self) -> None:
        """Answer POST."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self._may():
            return
        dry, key = "dryRun=true" in self.path, self.headers.get("Idempotency-Key")
        self.api.posts.append((key, len(json.loads(body)["items"])))
        trouble = self.api.troubles.popleft() if self.api.troubles else None
        plain = None
        if trouble is None or trouble.after_work:
            plain = self.api.dry_run(body) if dry else self.api.accept(body, key)
        if trouble is not None and trouble.meanwhile is not None:
            trouble.meanwhile()
        if trouble is not None and trouble.status:
            self._answer(trouble.status, {"message": "no"}, trouble.headers)
        elif trouble is None and plain is not None:
            self._answer(*plain)
        else:
            self.close_connection = True

    def _may(self) -> bool:
        may = self.headers.get("Authorization") == f"Bearer {KEY}"
        if not may:
            self._answer(403, {"message": "Forbidden"}, {})
        return may

    def _answer(self, status: int, shown: dict[str, Any], headers: dict[str, str]) -> None:
        raw = json.dumps(shown).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json", "Content-Length": str(len(raw))}.items():
            self.send_header(name, value)
        with contextlib.suppress(ConnectionError):  # the command was killed meanwhile
            self.end_headers()
            self.wfile.write(raw)


if __name__ == "__main__":
    with Tandem() as standing, contextlib.suppress(KeyboardInterrupt):
        print(f"export TANDEM_API_KEY={KEY}\npython3 -m infra.import_orders FILE --url {standing.url}", flush=True)
        time.sleep(86_400)
