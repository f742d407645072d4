"""The callers of the API: the operator and the merchants, each with its key."""

from __future__ import annotations

import http.client
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from infra.local.demo import text
from infra.local.demo.scenario import Failure, Scenario

_SECONDS = 35.0
"""The API itself times out after 30."""

_SECRETS = {"apiKey": 10, "callback.secret": 10, "secret": 10}
"""Secret members of answers, with the number of characters that may be printed."""


@dataclass(frozen=True)
class Answer:
    """An answer of the API."""

    status: int
    headers: dict[str, str]
    body: Any

    def __getitem__(self, path: str) -> Any:
        return text.pick(self.body, path)


@dataclass(frozen=True)
class _Expectation:
    """The expected answer of a call, and the members to show."""

    status: int
    expected: dict[str, Any]
    shows: Sequence[str] = ()
    brief: bool = False


class Caller:
    """A caller of the public API with a key, without any other access to the stack."""

    def __init__(self, name: str, key: str, api_url: str, scenario: Scenario) -> None:
        self.name = name
        self.scenario = scenario
        self._key = key
        self._api = urlsplit(api_url)

    def get(self, path: str, expected: dict[str, Any] | None = None) -> Answer:
        """Send a GET request; see `post`."""
        return self._play("GET", path, None, _Expectation(200, expected or {}), {})

    def post(
        self,
        path: str,
        body: dict[str, Any] | None = None,
        expected: dict[str, Any] | None = None,
        shows: Sequence[str] = (),
        status: int = 201,
        key: str | None = None,
        brief: bool = False,
    ) -> Answer:
        """Send a POST request; check the answer's status and the members that `expected` names by dotted paths.

        Those are shown after the members in `shows`. Every call carries an idempotency key, a new one unless
        `key` is given. With `brief` the call is shown in one line, with a shortened body.
        """
        headers = {"idempotency-key": key or str(uuid.uuid4())}
        return self._play("POST", path, body, _Expectation(status, expected or {}, shows, brief), headers)

    def put(self, path: str, body: dict[str, Any], expected: dict[str, Any], shows: Sequence[str] = ()) -> Answer:
        """Send a PUT request that creates; see `post`."""
        return self._play("PUT", path, body, _Expectation(201, expected, shows), {"idempotency-key": str(uuid.uuid4())})

    def patch(self, path: str, body: dict[str, Any], expected: dict[str, Any]) -> Answer:
        """Send a PATCH request; see `post`."""
        return self._play("PATCH", path, body, _Expectation(200, expected), {"idempotency-key": str(uuid.uuid4())})

    def delete(self, path: str) -> Answer:
        """Send a DELETE request; see `post`."""
        return self._play("DELETE", path, None, _Expectation(200, {}), {})

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Answer:
        """Send a request without showing it, whatever its answer."""
        return self._call(method, path, body, {} if method == "GET" else {"idempotency-key": str(uuid.uuid4())})

    def look(self, path: str) -> Answer:
        """Send a GET request without showing it, to poll for a change or to fill a table."""
        answer = self._call("GET", path, None, {})
        if answer.status != 200:
            raise Failure(f"the answer to GET {path}", "200", _all_of(answer))
        return answer

    def _play(
        self, method: str, path: str, body: dict[str, Any] | None, expectation: _Expectation, headers: dict[str, str]
    ) -> Answer:
        answer = self._call(method, path, body, headers)
        good = answer.status == expectation.status
        essence = _essence(answer, [*expectation.shows, *expectation.expected]) if good else str(answer.status)
        self.scenario.call(self.name, f"{method} {path}", body, essence, expectation.brief)
        self.scenario.check_that(
            f"the answer to {method} {path}", good, f"status {expectation.status}", _all_of(answer)
        )
        for member, value in expectation.expected.items():
            self.scenario.check(f"{member} in the answer to {method} {path}", value, answer[member])
        return answer

    def _call(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
        kind = http.client.HTTPSConnection if self._api.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._api.hostname or "", self._api.port, timeout=_SECONDS)
        headers = {"authorization": f"Bearer {self._key}"} | headers
        if body is not None:
            headers["content-type"] = "application/json"
        data = None if body is None else json.dumps(body)
        try:
            connection.request(method, self._api.path + path, data, headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise Failure(
                f"the answer to {method} {path}", "an HTTP response", f"{error or type(error).__name__}"
            ) from error
        finally:
            connection.close()
        named = {name.lower(): value for name, value in response.getheaders()}
        is_json = named.get("content-type", "").split(";")[0].endswith("json")
        try:
            answer = Answer(response.status, named, json.loads(content) if is_json else content.decode())
        except ValueError as error:
            raise Failure(
                f"the answer to {method} {path}", named.get("content-type", ""), repr(content[:200])
            ) from error
        for member, visible in _SECRETS.items():
            if answer[member]:
                self.scenario.hide(answer[member], visible)
        return answer


@dataclass
class Merchant:
    """A client of Tandem: a merchant with a name, an address for mail, and its own key."""

    id: str
    name: str
    email: str
    language: str
    calls: Caller


def _essence(answer: Answer, members: Sequence[str]) -> str:
    parts = [str(answer.status), *(text.named(answer.body, path) for path in members)]
    if "idempotency-replayed" in answer.headers:
        parts.append(f"Idempotency-Replayed: {answer.headers['idempotency-replayed']}")
    return "  ".join(parts)


def _all_of(answer: Answer) -> str:
    return f"{answer.status}  {text.plain(answer.body)}"
