"""Parses the command line."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass, fields
from pathlib import Path

from infra.local.layout import standing_state

WORK_QUEUES = ("callbacks", "mails", "imports")
"""The queues that have workers."""
DATA_KEY_ACTIONS = ("show", "add", "use", "remove")
"""Show the keys; add one that opens; seal with the last one; remove all but the one that seals."""
FAILURE_QUEUES = ("triggers", "mail-events")
"""The queues of events that did not reach their function."""


@dataclass(frozen=True)
class Options:
    """One command with its options."""

    command: str
    stack_name: str | None
    description: Path
    """stack.json of the local stack; used without `stack_name`."""
    id: str = ""
    client: str | None = None
    queue: str = ""
    only: str | None = None
    dry_run: bool = False
    per_second: int | None = None
    table: str = ""
    scan: bool = False
    action: str = ""
    checks_only: bool = False
    in_production: bool = False
    receiver_url: str | None = None
    receiver_port: int = 0
    sales: int = 0
    minutes: int = 0


_OWN = tuple(member.name for member in fields(Options) if member.name not in ("command", "stack_name", "description"))
"""The options that not every command has."""


def parse(arguments: list[str]) -> Options:
    """Parse the arguments; invalid ones print the usage and exit with status 2."""
    given = _parser().parse_args(arguments)
    described = os.environ.get("TANDEM_STACK")
    return Options(
        command=given.command,
        stack_name=given.stack_name,
        description=Path(described) if described else standing_state().description,
        **{name: getattr(given, name) for name in _OWN if name in given},
    )


def _parser() -> argparse.ArgumentParser:
    where = argparse.ArgumentParser(add_help=False)
    one = where.add_mutually_exclusive_group(required=True)
    one.add_argument("--stack-name", metavar="NAME", help="a stack on AWS, with the standard credentials and region")
    one.add_argument("--local", action="store_true", help="the stack of `make up`, or the one that TANDEM_STACK names")
    parser = argparse.ArgumentParser(
        prog="python3 -m infra.operate",
        description="Shows waiting work in Tandem, explains why it waits, and redrives dead letters",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser(
        "status", parents=[where], help="show queues, dead letters and due rows; exit status 1 if a person must act"
    )
    why = commands.add_parser("why", parents=[where], help="explain what happened to a row, and what is next")
    why.add_argument(
        "id",
        metavar="ID",
        help="ord_, sub_, cus_, con_, cbk_, pay_, prm_, rpl_, mal_, a voucher's hash, or a request id",
    )
    why.add_argument("--client", metavar="ID", help="the client that owns it; found by itself if absent")
    export = commands.add_parser(
        "export-person", parents=[where], help="print all that is kept about a customer, as JSON"
    )
    export.add_argument("id", metavar="CUSTOMER_ID", help="cus_...")
    export.add_argument(
        "--scan", action="store_true", help="read the whole table, to find every row about the customer"
    )
    redrive = commands.add_parser("redrive", parents=[where], help="move dead letters back to their queue")
    redrive.add_argument("queue", choices=(*WORK_QUEUES, *FAILURE_QUEUES))
    redrive.add_argument("--only", metavar="ID", help="only the dead letters of this callback, mail, import or client")
    redrive.add_argument("--dry-run", action="store_true", help="only list the dead letters")
    redrive.add_argument("--max-per-second", dest="per_second", type=_rate, metavar="N", help="1 to 500")
    data_key = commands.add_parser("data-key", parents=[where], help="show or change the keys that seal values")
    data_key.add_argument("action", choices=DATA_KEY_ACTIONS)
    again = commands.add_parser("reseal", parents=[where], help="seal all values under the newest data key")
    again.add_argument("--dry-run", action="store_true", help="only count; exit status 1 if values are left")
    usage = commands.add_parser("usage", parents=[where], help="show the clients that send the most requests")
    usage.add_argument("--minutes", type=_minutes, default=60, metavar="N", help="of the last N minutes (60)")
    _smoke(commands.add_parser("smoke", parents=[where], help="check a deployment and play a story on it"))
    adopt = commands.add_parser("adopt", parents=[where], help="prepare a restored table for the functions")
    adopt.add_argument("table", metavar="TABLE", help="the restored table")
    return parser


def _smoke(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--checks-only", action="store_true", help="change nothing, play nothing")
    parser.add_argument("--in-production", action="store_true", help="also play if the stage is production")
    parser.add_argument(
        "--receiver-url",
        metavar="URL",
        help="the public https address that forwards to --receiver-port of this machine; without it, steps with "
        "callbacks are skipped on AWS",
    )
    parser.add_argument(
        "--receiver-port", type=int, default=8400, metavar="PORT", help="where smoke receives callbacks (8400)"
    )
    parser.add_argument(
        "--sales", type=int, default=500, metavar="N", help="sales whose callbacks are held and replayed (500)"
    )


def _minutes(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 1_440):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 1440")
    return int(text)


def _rate(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 500):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 500")
    return int(text)
