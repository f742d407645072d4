"""HTTP to Tandem. Transient failures are retried with the same Idempotency-Key."""

from __future__ import annotations

import email.utils
import http.client
import json
import random
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import urlsplit

from infra.import_orders.say import Refused, Stopped, one_line

_TIMEOUT = 60.0
"""Seconds; the gateway answers within 30."""
_MAX_PAUSE = 60.0
_FIRST_PAUSE = 0.5
_PASSING = (429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Pace:
    """Clock and random numbers, which tests replace."""

    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    uniform: Callable[[float, float], float] = random.uniform
    give_up_after: float = 600.0
    """Seconds without a usable answer."""


@dataclass(frozen=True)
class Answer:
    """An answer of Tandem."""

    status: int
    body: dict[str, Any]


@dataclass(frozen=True)
class _Trouble:
    """The reason why there is no usable answer."""

    text: str
    retry_after: float | None = None


class Client:
    """Calls the API as one client. Nothing prints its API key."""

    def __init__(self, url: str, key: str, pace: Pace, say: Callable[[str], None]) -> None:
        self.url = url
        self._key = key
        self.pace = pace
        self._say = say
        handlers: list[urllib.request.BaseHandler] = [_NoRedirects()]
        if urlsplit(url).scheme == "http":  # a loopback address, which no proxy reaches
            handlers.append(urllib.request.ProxyHandler({}))
        self._opener = urllib.request.build_opener(*handlers)

    def get(self, path: str) -> Answer:
        """Send a GET request."""
        return self._with_retries(urllib.request.Request(self.url + path))

    def post(self, path: str, body: bytes, idempotency_key: str | None) -> Answer:
        """Send a POST request; also returns a 422 answer."""
        request = urllib.request.Request(self.url + path, data=body, method="POST")
        request.add_header("Content-Type", "application/json")
        if idempotency_key is not None:
            request.add_header("Idempotency-Key", idempotency_key)
        return self._with_retries(request)

    def _with_retries(self, request: urllib.request.Request) -> Answer:
        request.add_unredirected_header("Authorization", f"Bearer {self._key}")
        request.add_header("Accept", "application/json")
        request.add_header("User-Agent", "tandem-import-orders")
        began, tries = self.pace.monotonic(), 0
        while True:
            outcome = self._once(request)
            if isinstance(outcome, Answer):
                return _judged(outcome)
            pause = self._pause(outcome, tries)
            tries += 1
            if self.pace.monotonic() - began + pause > self.pace.give_up_after:
                raise Stopped(f"Tandem cannot be used now: {outcome.text}; {_advice(outcome)}")
            self._say(f"{outcome.text}; retrying in {pause:.1f} s")
            self.pace.sleep(pause)

    def _pause(self, trouble: _Trouble, tries: int) -> float:
        """A random pause below a growing bound, so that callers spread out; at least the requested one."""
        pause = self.pace.uniform(0, min(_MAX_PAUSE, _FIRST_PAUSE * 2 ** min(tries, 10)))
        return max(pause, trouble.retry_after or 0.0)

    def _once(self, request: urllib.request.Request) -> Answer | _Trouble:
        try:
            with self._opener.open(request, timeout=_TIMEOUT) as answer:
                return self._read(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                try:
                    return self._read(error.code, error.headers, error.read())
                except (OSError, http.client.HTTPException):
                    return _Trouble(f"the answer {error.code} broke off")
        except urllib.error.URLError as error:
            if isinstance(error.reason, ssl.SSLCertVerificationError):
                raise Refused(f"{self.url} cannot be trusted: {one_line(error.reason.verify_message)}") from None
            return _Trouble(f"no connection to {self.url}: {one_line(str(error.reason))}")
        except (OSError, http.client.HTTPException) as error:
            return _Trouble(f"the connection broke off: {one_line(str(error)) or type(error).__name__}")

    def _read(self, status: int, headers: Message, raw: bytes) -> Answer | _Trouble:
        body = _object(raw)
        if status in _PASSING:
            detail = f": {_describe_body(body)}" if body else ""
            return _Trouble(f"Tandem answered {status}{detail}", self._retry_after(headers.get("Retry-After")))
        if status < 300 and body is None:
            return _Trouble(f"the answer {status} is no JSON object")
        return Answer(status, body or {})

    def _retry_after(self, text: str | None) -> float | None:
        """Seconds from now; the header holds seconds or a date."""
        if text is None:
            return None
        if text.strip().isascii() and text.strip().isdigit():
            return float(text)
        try:
            date = email.utils.parsedate_to_datetime(text)
        except (ValueError, TypeError, OverflowError):
            return None
        return max(0.0, date.timestamp() - self.pace.now())


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Rejects redirects: following one would lose the body, or send the key to another host."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _object(raw: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(raw)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _judged(answer: Answer) -> Answer:
    """Return the answer, or raise `Refused` if only the user can fix the cause."""
    status, detail = answer.status, _describe_body(answer.body)
    if status < 300 or status in (404, 422):
        return answer
    if status == 401:
        raise Refused(f"Tandem requires a key (401 {detail}); check TANDEM_API_KEY or --key-file")
    if status == 403:
        raise Refused(
            f"Tandem does not accept this API key (403 {detail}); "
            "use a client's key that is not revoked and has the scope imports:write"
        )
    if status < 400:
        raise Refused(f"--url redirects elsewhere ({status}); use the address of the API itself")
    raise Refused(f"Tandem rejected the call: {status} {detail}")


def _describe_body(body: dict[str, Any]) -> str:
    """The readable part of an answer: a problem's detail, or the gateway's message."""
    parts = [body.get("code"), body.get("detail") or body.get("message")]
    detail = ": ".join(one_line(str(part)) for part in parts if part)
    if body.get("requestId"):
        detail += f" (request {one_line(str(body['requestId']))})"
    return detail


def _advice(trouble: _Trouble) -> str:
    if trouble.retry_after:
        return f"it asks to wait for {trouble.retry_after:.0f} s"
    return "try again later"


def describe(answer: Answer) -> str:
    """The readable part of an answer."""
    return _describe_body(answer.body)
