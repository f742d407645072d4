"""What the person asked for."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

from infra.local.layout import standing_state

KINDS = ("callbacks", "mails", "imports")
"""The queues that have workers."""


@dataclass(frozen=True)
class Options:
    """One command as it was asked for."""

    command: str
    stack_name: str | None
    description: Path
    """The local stack's stack.json; used if no `stack_name` is given."""
    id: str = ""
    client: str | None = None
    queue: str = ""
    only: str | None = None
    dry_run: bool = False
    per_second: int | None = None


def parse(arguments: list[str]) -> Options:
    """Read the arguments; ends with a usage message and status 2 where they make no sense."""
    given = _parser().parse_args(arguments)
    described = os.environ.get("TANDEM_STACK")
    return Options(
        command=given.command,
        stack_name=given.stack_name,
        description=Path(described) if described else standing_state().description,
        **{
            name: getattr(given, name)
            for name in ("id", "client", "queue", "only", "dry_run", "per_second")
            if name in given
        },
    )


def _parser() -> argparse.ArgumentParser:
    where = argparse.ArgumentParser(add_help=False)
    one = where.add_mutually_exclusive_group(required=True)
    one.add_argument("--stack-name", metavar="NAME", help="a stack on AWS, by the usual credentials and region")
    one.add_argument(
        "--local", action="store_true", help="the stack that `make up` left, or the one TANDEM_STACK names"
    )
    parser = argparse.ArgumentParser(
        prog="python3 -m infra.operate",
        description="What waits in Tandem, why something is stuck, and how to set it going again",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser(
        "status", parents=[where], help="queues, dead letters and due rows; exit status 1 if people must look"
    )
    why = commands.add_parser("why", parents=[where], help="why a callback, a mail or an import is where it is")
    why.add_argument("id", metavar="ID", help="cbk_..., mal_... or prm_...; or both ids: cli_...#cbk_...")
    why.add_argument("--client", metavar="ID", help="the client whose it is; in no need if ID names it")
    redrive = commands.add_parser("redrive", parents=[where], help="give dead letters back to their queue")
    redrive.add_argument("queue", choices=KINDS)
    redrive.add_argument("--only", metavar="ID", help="only letters that name this callback, mail, import or client")
    redrive.add_argument("--dry-run", action="store_true", help="only list the letters")
    redrive.add_argument("--max-per-second", dest="per_second", type=_rate, metavar="N", help="1 to 500")
    return parser


def _rate(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 500):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 to 500")
    return int(text)
