"""HTTP to Tandem, with patience: what may pass is tried again, with the same Idempotency-Key."""

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
_MOST_PAUSE = 60.0
_FIRST_PAUSE = 0.5
_PASSING = (429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Pace:
    """Time and chance, which tests replace."""

    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    uniform: Callable[[float, float], float] = random.uniform
    give_up_after: float = 600.0
    """Seconds without one answer that helps."""


@dataclass(frozen=True)
class Answer:
    """What Tandem answered."""

    status: int
    body: dict[str, Any]


@dataclass(frozen=True)
class _Trouble:
    """Why there is no answer that helps."""

    text: str
    retry_after: float | None = None


class Client:
    """Calls as one client, whose API key nothing shows."""

    def __init__(self, url: str, key: str, pace: Pace, say: Callable[[str], None]) -> None:
        self.url = url
        self._key = key
        self.pace = pace
        self._say = say
        handlers: list[urllib.request.BaseHandler] = [_NoRedirects()]
        if urlsplit(url).scheme == "http":  # a loopback address, where no proxy leads
            handlers.append(urllib.request.ProxyHandler({}))
        self._opener = urllib.request.build_opener(*handlers)

    def get(self, path: str) -> Answer:
        """Read something."""
        return self._with_patience(urllib.request.Request(self.url + path))

    def post(self, path: str, body: bytes, idempotency_key: str | None) -> Answer:
        """Send something; also answers what was refused with 422."""
        request = urllib.request.Request(self.url + path, data=body, method="POST")
        request.add_header("Content-Type", "application/json")
        if idempotency_key is not None:
            request.add_header("Idempotency-Key", idempotency_key)
        return self._with_patience(request)

    def _with_patience(self, request: urllib.request.Request) -> Answer:
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
            self._say(f"{outcome.text}; trying again in {pause:.1f} s")
            self.pace.sleep(pause)

    def _pause(self, trouble: _Trouble, tries: int) -> float:
        """Anything up to a growing bound, so that callers do not all come back at once; at least what was asked for."""
        pause = self.pace.uniform(0, min(_MOST_PAUSE, _FIRST_PAUSE * 2 ** min(tries, 10)))
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
            told = f": {_told(body)}" if body else ""
            return _Trouble(f"Tandem answered {status}{told}", self._retry_after(headers.get("Retry-After")))
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
    """A redirect is an answer like any other: what follows it would lose the body, or show the key to another host."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _object(raw: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(raw)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _judged(answer: Answer) -> Answer:
    """The answer, unless nobody but the person can help."""
    status, told = answer.status, _told(answer.body)
    if status < 300 or status in (404, 422):
        return answer
    if status == 401:
        raise Refused(f"Tandem takes no call without a key (401 {told}); check TANDEM_API_KEY or --key-file")
    if status == 403:
        raise Refused(
            f"Tandem does not let this API key in (403 {told}); "
            "use a client's key that is not revoked and has the scope imports:write"
        )
    if status < 400:
        raise Refused(f"--url leads elsewhere (the answer is a redirect, {status}); name the API itself")
    raise Refused(f"Tandem refused the call: {status} {told}")


def _told(body: dict[str, Any]) -> str:
    """What an answer says for people: a problem's detail, or the gateway's message."""
    parts = [body.get("code"), body.get("detail") or body.get("message")]
    told = ": ".join(one_line(str(part)) for part in parts if part)
    if body.get("requestId"):
        told += f" (request {one_line(str(body['requestId']))})"
    return told


def _advice(trouble: _Trouble) -> str:
    if trouble.retry_after:
        return f"it asks to be left alone for {trouble.retry_after:.0f} s"
    return "try again later"


def told(answer: Answer) -> str:
    """What an answer says for people."""
    return _told(answer.body)
