"""Parses the command line, and reads the API key from the environment or a file: arguments are visible to all users."""

from __future__ import annotations

import argparse
import ipaddress
import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from infra.import_orders import encodings
from infra.import_orders.say import Refused

MAX_ITEMS = 1_000
_FORMATS = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}


@dataclass(frozen=True)
class Options:
    """The options of one run."""

    file: Path
    url: str
    format: str
    state: Path
    failed: Path
    superseded: Path
    key_file: Path | None
    dry_run: bool
    in_flight: int
    call_size: int
    give_up_after: float
    run: str
    send_unanswered: bool
    encoding: str
    allow_suspicious_ids: bool


def parse(arguments: list[str]) -> Options:
    """Parse the arguments; invalid ones print the usage and exit with status 2."""
    given = _parser().parse_args(arguments)
    file: Path = given.file
    format = given.format or _FORMATS.get(file.suffix.lower())
    if format is None:
        raise Refused(f"{file} ends neither in .csv nor in .jsonl; name its format with --format csv or --format jsonl")
    word = ("dry-run" if given.dry_run else "failed") + (f".{given.run}" if given.run else "")
    state = f"{file.name}.{given.run}.state" if given.run else f"{file.name}.state"
    options = Options(
        file=file,
        url=_url(given.url),
        format=format,
        state=given.state or file.with_name(state),
        failed=given.failed or file.with_name(f"{file.stem}.{word}.{format}"),
        superseded=given.superseded
        or file.with_name(f"{file.stem}.superseded{f'.{given.run}' if given.run else ''}.csv"),
        key_file=given.key_file,
        dry_run=given.dry_run,
        in_flight=given.in_flight,
        call_size=given.call_size,
        give_up_after=given.give_up_after,
        run=given.run or "",
        send_unanswered=given.send_unanswered,
        encoding=given.encoding,
        allow_suspicious_ids=given.allow_suspicious_ids,
    )
    if len({path.resolve() for path in (options.file, options.state, options.failed, options.superseded)}) < 4:
        raise Refused("FILE, --state, --failed and --superseded must be different files")
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 -m infra.import_orders",
        description="Import a file of orders into Tandem. The same command resumes where the last one stopped.",
        epilog="The API key, with the scope imports:write, comes from the environment variable TANDEM_API_KEY or "
        "--key-file. Exit status: 0 all rows were imported, 1 some failed (see the file of failed rows), "
        "2 the command or the file must be corrected first, 3 stopped midway: run it again, 4 no row failed, but "
        "another import, accepted later, set other values, 130 stopped by Ctrl-C.",
    )
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help="CSV with a header line, or JSON lines")
    add("--url", required=True, help="the API's address, the output ApiUrl of the deployed stack")
    add("--format", choices=["csv", "jsonl"], help="the format of FILE; by default, from its extension")
    add(
        "--encoding",
        type=_encoding,
        default=encodings.UTF_8,
        help="the encoding of FILE, such as latin-1, cp1252, utf-16; default utf-8",
    )
    add("--allow-suspicious-ids", action="store_true", help="also import ids such as 1.2E+15 and #N/A")
    add("--state", type=Path, help="the journal to resume from; default FILE.state")
    add("--failed", type=Path, help="the file for failed rows; default FILE with .failed before its extension")
    add("--superseded", type=Path, help="the report of values that were not set; default FILE.superseded.csv")
    add("--key-file", type=Path, help="a file with the API key only")
    add("--dry-run", action="store_true", help="only show the result that each row would have; nothing is imported")
    add(
        "--in-flight",
        type=_whole(1, 64),
        default=4,
        metavar="N",
        help="concurrent imports; default 4",
    )
    add("--call-size", type=_whole(1, MAX_ITEMS), default=MAX_ITEMS, metavar="N", help="rows per call; default 1000")
    add(
        "--give-up-after",
        type=_whole(1, 86_400),
        default=600,
        metavar="SECONDS",
        help="give up without a usable answer for so long; default 600",
    )
    add(
        "--run",
        type=_name,
        metavar="NAME",
        help="import a file again that was imported before, under a new name",
    )
    add("--send-unanswered", action="store_true", help="repeat a call whose answer was lost over 72 hours ago")
    return parser


class _whole:
    """A whole number within bounds, as an argument's type."""

    def __init__(self, least: int, most: int) -> None:
        self._least, self._most = least, most

    def __call__(self, text: str) -> int:
        if not (text.isascii() and text.isdigit() and self._least <= int(text) <= self._most):
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {self._least} to {self._most}")
        return int(text)


def _name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,50}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a name of 1 to 50 letters, digits, - and _")
    return text


def _encoding(text: str) -> str:
    name = encodings.known(text)
    if name is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a supported encoding; use utf-8, latin-1, cp1252 or utf-16")
    return name


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
        parts.port  # noqa: B018 - reading it raises for an invalid one
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment or parts.username:
        raise Refused(
            f"--url {text} is not the address of an API; expected an address like https://a1b2c3d4e5.execute-api.REGION.amazonaws.com"
        )
    if parts.scheme == "http" and not _is_loopback(host):
        raise Refused(f"--url {text} would send the API key unencrypted; use https")
    return text.rstrip("/").removesuffix("/v1")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def api_key(options: Options) -> str:
    """Read the API key, from the file if one is named."""
    if options.key_file is not None:
        where = str(options.key_file)
        try:
            key = options.key_file.read_text(encoding="utf-8-sig").strip()
        except (OSError, UnicodeError) as error:
            raise Refused(f"the key file {where} cannot be read: {error}") from None
    else:
        where = "TANDEM_API_KEY"
        key = os.environ.get(where, "").strip()
    if not key:
        raise Refused("no API key; set the environment variable TANDEM_API_KEY or name a file with --key-file")
    # Also excludes line breaks, because the error about an invalid header would show the key.
    if not re.fullmatch(r"[!-~]+", key):
        raise Refused(f"{where} has no API key: it must be one word such as tdm_..., without spaces or line breaks")
    return key
