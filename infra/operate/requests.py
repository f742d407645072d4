"""Finds the log lines of a request: by CloudWatch Logs Insights on AWS, in the functions' files of the local stack."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from infra.local.say import Problem

LOOKED_BACK = 7 * 86_400
"""Seconds. Logs Insights charges for the logs of this time."""
_MOST = 1_000
"""Lines shown; a request has a few, an import some dozens."""
_LEADS = ("ord", "prm", "rpl", "sub", "cbk", "con", "mal", "pay", "cus")
"""The kinds of ids, those with the longest story first."""
_HIDDEN = ("level", "message", "span", "request", "ids")


@dataclass(frozen=True)
class Line:
    """A line of a function's log."""

    at: str
    """Empty if the log has no times."""
    function: str
    members: dict[str, Any]


class Log(Protocol):
    """The logs of all functions."""

    def lines(self, request: str) -> list[Line]:
        """The lines that name a request, the oldest first."""


@dataclass(frozen=True)
class Insights:
    """The log groups of a stack on AWS."""

    client: Any
    groups: list[str]

    def lines(self, request: str) -> list[Line]:
        """Run a query, which takes some seconds."""
        now = int(time.time())
        started = self.client.start_query(
            logGroupNames=self.groups,
            startTime=now - LOOKED_BACK,
            endTime=now,
            queryString=query(request),
            limit=_MOST,
        )
        while True:
            answer = self.client.get_query_results(queryId=started["queryId"])
            if answer["status"] == "Complete":
                return [line for row in answer["results"] for line in _of_row(row)]
            if answer["status"] not in ("Scheduled", "Running"):
                raise Problem(f"the query of the logs ended: {answer['status']}")
            time.sleep(1)


@dataclass(frozen=True)
class Files:
    """The log files of the local stack, which have no times."""

    folder: Path

    def lines(self, request: str) -> list[Line]:
        """Read all files."""
        found = []
        for path in sorted(self.folder.glob("*.log")):
            with path.open(errors="replace") as log:
                found += [line for text in log if request in text for line in _parsed("", path.stem, text)]
        named = [line for line in found if line.members.get("request") == request]
        return sorted(named, key=lambda line: "ids" not in line.members)


def query(request: str) -> str:
    """The query for the lines of a request."""
    return f'fields @timestamp, @log, @message | filter request = "{request}" | sort @timestamp asc'


def _of_row(row: list[dict[str, str]]) -> Iterator[Line]:
    cells = {cell["field"]: cell["value"] for cell in row}
    function = cells.get("@log", "").rpartition("/")[2]
    return _parsed(cells.get("@timestamp", ""), function, cells.get("@message", ""))


def _parsed(at: str, function: str, text: str) -> Iterator[Line]:
    """A line that is JSON; others are of the platform."""
    try:
        members = json.loads(text)
    except ValueError:
        return
    if isinstance(members, dict):
        yield Line(at, function, members)


def sentences(lines: list[Line]) -> list[str]:
    """A sentence for each line: its message, members and ids. Logs have no personal data."""
    found = []
    for line in lines:
        members = ", ".join(f"{name} {value}" for name, value in line.members.items() if name not in _HIDDEN)
        ids = f": {line.members['ids']}" if line.members.get("ids") else ""
        at = f"{line.at} " if line.at else ""
        found.append(f"- {at}{line.function} {line.members.get('message', '')} ({members}){ids}")
    return found


def lead(lines: list[Line]) -> str | None:
    """The id whose story has the most of what followed; None if no line names one."""
    texts = " ".join(str(value) for line in lines for value in line.members.values())
    ids = re.findall(r"\b[a-z]{3}_[0-9a-f]{32}\b", texts)
    known = [id for id in ids if id[:3] in _LEADS]
    return min(known, key=lambda id: _LEADS.index(id[:3]), default=None)
