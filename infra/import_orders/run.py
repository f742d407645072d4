"""Imports the file step by step. Each step depends on the state only, so the state may come from a journal or from the
previous step."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlencode

from infra.import_orders.calls import Call, Start, form
from infra.import_orders.client import Answer, Client, Pace, describe
from infra.import_orders.journal import Accepted, Done, Journal, Record, Rejected, Sending
from infra.import_orders.options import Options
from infra.import_orders.progress import Progress
from infra.import_orders.say import Refused, Stopped, one_line
from infra.import_orders.source import Fault, Place, Row, Source, Superseded
from infra.import_orders.state import RESULTS, State

_KEY_IS_KNOWN = 71 * 3600.0
"""Seconds. Tandem stores a key for 72 hours; clocks differ."""
_FIRST_LOOK, _LATER_LOOKS = 0.1, 2.0
"""Seconds between polls of an import."""
_CLOCKS_DIFFER = 60.0
"""Seconds by which the clocks of Tandem and of this machine may differ."""
_PAGE = 100
_MAX_READINGS = 8
"""How often the results are read until the list is complete, which takes milliseconds."""
_TO_READ = ("failed", "updated", "superseded")
"""The results of items that may have failed or not be applied in full: the others found no order, or set nothing."""


class Importer:
    """Imports one file."""

    def __init__(
        self,
        source: Source,
        file: str,
        journal: Journal,
        state: State,
        client: Client,
        progress: Progress,
        options: Options,
    ) -> None:
        self._source, self._file = source, file
        self._journal, self._state = journal, state
        self._client, self._progress, self._options = client, progress, options
        self._pace: Pace = client.pace
        self._formed: tuple[int, Call] | None = None
        self._look = _FIRST_LOOK
        self._warned_known = False

    def run(self) -> None:
        """Continue from the state until the file is done."""
        if not self._state.is_finished(self._source.size):
            self._check_client()
        while not self._state.is_finished(self._source.size):
            self._step()
            # While waiting for an import, the wait shows its counts.
            if not self._state.waiting:
                self._progress.show(self._state)

    def _check_client(self) -> None:
        """Raise if the key belongs to another client, which would get the rest of the file."""
        if self._state.last_promise is not None:
            self._promise(self._state.last_promise)

    def _step(self) -> None:
        state, options = self._state, self._options
        is_full = len(state.waiting) >= options.in_flight or state.has_sent_all(self._source.size)
        if state.unanswered is not None:
            self._send(state.unanswered)
        elif state.to_correct is not None:
            self._announce_rest(*state.to_correct)
        elif state.waiting and is_full:
            self._wait(*state.waiting[0])
        else:
            call = form(self._source, state.next, options.call_size)
            self._announce(call, options.call_size, [])

    def _write(self, record: Record) -> None:
        self._journal.append(record)
        self._state.apply(record)

    # -------------------------------------------------------------------------------------------------- sending

    def _announce(self, call: Call, limit: int, without: list[int]) -> None:
        number = self._state.last + 1
        self._formed = (number, call)
        start, then = call.start, call.then
        key = call.key(self._file, self._options.run)
        self._write(
            Sending(
                number=number,
                offset=start.place.offset,
                line=start.place.line,
                carried=list(start.carried),
                limit=limit,
                without=without,
                rows=len(call.rows),
                key=key,
                at=self._pace.now(),
                then_offset=then.place.offset,
                then_line=then.place.line,
                then_carried=list(then.carried),
                aside=call.aside,
            )
        )

    def _announce_rest(self, refused: Sending, rejected: Rejected) -> None:
        call = self._rebuilt(refused)
        bad = [fault.offset for fault in rejected.rows]
        self._announce(call.without(bad), refused.limit, [*refused.without, *bad])

    def _rebuilt(self, sending: Sending) -> Call:
        """Build the call again as the journal has it."""
        if self._formed is not None and self._formed[0] == sending.number:
            return self._formed[1]
        self._source.check_unchanged()
        start = Start(Place(sending.offset, sending.line), tuple(sending.carried))
        call = form(self._source, start, sending.limit)
        if sending.without:
            call = call.without(sending.without)
        if call.key(self._file, self._options.run) != sending.key:
            raise Refused(
                f"call {sending.number} cannot be built again from {self._source.path} as the journal "
                f"{self._journal.path} has it; resume with the release of Tandem that began it"
            )
        return call

    def _send(self, sending: Sending) -> None:
        self._source.check_unchanged()
        self._check_age(sending)
        call = self._rebuilt(sending)
        dry = self._options.dry_run
        path = "/v1/imports/orders" + ("?dryRun=true" if dry else "")
        answer = self._client.post(path, call.body(), None if dry else sending.key)
        if answer.status == 422:
            self._write(Rejected(sending.number, _refused_rows(call, answer)))
        elif dry and answer.status == 200:
            faults = [_fault(call, line) for line in answer.body.get("items", []) if line.get("result") == "failed"]
            self._write(Done(sending.number, _counts(answer.body), faults))
        elif answer.status == 202 and re.fullmatch(r"prm_[0-9A-Za-z]+", str(answer.body.get("promiseId"))):
            self._write(Accepted(sending.number, answer.body["promiseId"]))
            self._warn_if_known(sending, str(answer.body.get("acceptedAt")))
        else:
            raise Refused(
                f"--url {self._client.url} is not a Tandem API: {path} answered {answer.status} {describe(answer)}"
            )

    def _warn_if_known(self, sending: Sending, accepted_at: str) -> None:
        """Warn that Tandem repeats old answers, because it knows the calls from another journal."""
        match = re.match(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?Z$", accepted_at)
        if match is None or self._warned_known:
            return
        accepted = datetime.strptime(match[1], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
        if sending.at - accepted.timestamp() > _CLOCKS_DIFFER:
            self._warned_known = True
            self._progress.say(
                f"Tandem accepted this file before, at {accepted:%Y-%m-%d %H:%M:%S} UTC, with another journal: nothing "
                "is imported again, and the results are those of that import; use --run NAME to import it again"
            )

    def _check_age(self, sending: Sending) -> None:
        is_known = self._pace.now() - sending.at < _KEY_IS_KNOWN
        if is_known or self._options.send_unanswered:
            return
        raise Refused(
            f"call {sending.number}, of {sending.rows} rows from line {sending.line}, was sent over 71 hours ago, "
            "without an answer. Tandem may have dropped its Idempotency-Key and would accept it again. Check with "
            "GET /v1/imports whether it arrived; --send-unanswered sends it again, which changes nothing unless others "
            "have changed these orders since"
        )

    # -------------------------------------------------------------------------------------------------- waiting

    def _wait(self, sending: Sending, accepted: Accepted) -> None:
        promise = self._promise(accepted.promise)
        stuck = list(_stuck_items(promise))
        is_done = promise.get("state") in ("completed", "completedWithErrors")
        # A dead letter waits for a person, so there is nothing else to wait for.
        if is_done or (stuck and len(stuck) >= promise["counts"].get("pending", 0)):
            self._write(self._done(sending, accepted.promise, [] if is_done else stuck))
            self._look = _FIRST_LOOK
            return
        self._progress.show(self._state, _counts(promise))
        self._pace.sleep(self._look)
        self._look = min(_LATER_LOOKS, self._look * 1.5)

    def _done(self, sending: Sending, promise: str, aside: list[int]) -> Done:
        counts, lines = self._results(promise)
        faults: list[Fault] = []
        superseded: list[Superseded] = []
        if lines or aside:
            call = self._rebuilt(sending)
            faults = [_fault(call, line) for line in lines if line.get("result") == "failed"]
            faults += [_put_aside(call, number, promise) for number in aside]
            superseded = [_superseded(call, line) for line in lines if line.get("result") != "failed"]
        return Done(sending.number, {**counts, "putAside": len(aside)}, faults, superseded)

    def _promise(self, promise: str, **query: str) -> dict[str, Any]:
        path = f"/v1/imports/{promise}"
        answer = self._client.get(f"{path}?{urlencode(query or {'limit': '1'})}")
        if answer.status == 404:
            raise Refused(
                f"this API key cannot read the import {promise} of this file; use a key of the client that "
                "started it (imports are stored for 90 days)"
            )
        if answer.status != 200 or not isinstance(answer.body.get("counts"), dict):
            raise Refused(
                f"--url {self._client.url} is not a Tandem API: {path} answered {answer.status} {describe(answer)}"
            )
        return answer.body

    def _results(self, promise: str) -> tuple[dict[str, int], list[dict[str, Any]]]:
        """The counts, and the items that failed or were not applied in full."""
        for reading in range(_MAX_READINGS):
            counts = _counts(self._promise(promise))
            listed = {name: list(self._lines(promise, name)) for name in _TO_READ if counts[name]}
            # The list may be behind the counts, and an import that was accepted before may change both.
            if all(len(listed.get(name, [])) == counts[name] for name in _TO_READ):
                lines = [line for name in listed for line in listed[name]]
                return counts, [line for line in lines if line.get("result") == "failed" or _left_out(line)]
            self._pace.sleep(_FIRST_LOOK * 2**reading)
        raise Stopped(f"the import {promise} does not list the results of all its items yet")

    def _lines(self, promise: str, result: str) -> Iterator[dict[str, Any]]:
        cursor: dict[str, str] = {}
        while True:
            page = self._promise(promise, result=result, limit=str(_PAGE), **cursor)
            yield from page.get("items", [])
            if not page.get("nextCursor"):
                return
            cursor = {"cursor": page["nextCursor"]}


def _counts(shown: dict[str, Any]) -> dict[str, int]:
    counts = shown.get("counts", {})
    return {name: int(counts.get(name, 0)) for name in (*RESULTS, "failed")}


def _stuck_items(promise: dict[str, Any]) -> Iterator[int]:
    for part in promise.get("stuckItems", []):
        yield from range(part["from"], part["to"] + 1)


def _row(call: Call, number: int) -> Row:
    if not 0 <= number < len(call.rows):
        raise Refused(f"Tandem names item {number} of a call of {len(call.rows)} rows; report this to its operator")
    return call.rows[number]


def _at(call: Call, number: int, code: str, detail: str) -> Fault:
    return Fault(*_row(call, number).place, one_line(code), one_line(detail))


def _fault(call: Call, line: dict[str, Any]) -> Fault:
    error = line.get("error") or {}
    return _at(call, int(line["number"]), str(error.get("code")), str(error.get("detail")))


def _left_out(line: dict[str, Any]) -> list[str]:
    """The members with another value. An item may be superseded by equal values, and loses nothing then."""
    # Earlier releases of Tandem name no members.
    default = ["every member"] if line.get("result") == "superseded" else []
    return [one_line(str(name)) for name in line.get("superseded", default)]


def _superseded(call: Call, line: dict[str, Any]) -> Superseded:
    row = _row(call, int(line["number"]))
    return Superseded(*row.place, row.external or "", _left_out(line), one_line(str(line.get("supersededBy"))))


def _put_aside(call: Call, number: int, promise: str) -> Fault:
    return _at(
        call, number, "put_aside", f"item {number} of {promise} could not be processed; contact the operator of Tandem"
    )


def _refused_rows(call: Call, answer: Answer) -> list[Fault]:
    """The invalid rows: `errors` names items as `items[3]` and their members as `items[3].quantity`."""
    errors: dict[int, list[tuple[str, str]]] = {}
    for error in answer.body.get("errors", []):
        found = re.fullmatch(r"items\[([0-9]+)\]\.?(.*)", str(error.get("field")))
        if found:
            detail = f"{found[2]}: {error.get('detail')}" if found[2] else str(error.get("detail"))
            errors.setdefault(int(found[1]), []).append((str(error.get("code")), detail))
    if answer.body.get("code") != "invalid_fields" or not errors:
        raise Refused(f"Tandem rejected a call without naming a row: {answer.status} {describe(answer)}")
    faults = []
    for number, found_errors in sorted(errors.items()):
        codes = dict.fromkeys(code for code, _ in found_errors)
        faults.append(_at(call, number, " ".join(codes), "; ".join(detail for _, detail in found_errors)))
    return faults
