"""Runs the command and returns the exit status."""

from __future__ import annotations

import contextlib
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from infra.import_orders import report, superseded
from infra.import_orders.check import check
from infra.import_orders.client import Client, Pace
from infra.import_orders.journal import Begun, Journal
from infra.import_orders.options import Options, api_key, parse
from infra.import_orders.progress import Progress
from infra.import_orders.run import Importer
from infra.import_orders.say import Refused, Stopped, rows
from infra.import_orders.source import Source
from infra.import_orders.state import State

ALL_TAKEN, SOME_FAILED, REFUSED, STOPPED, SUPERSEDED, TERMINATED = 0, 1, 2, 3, 4, 128 + signal.SIGTERM
INTERRUPTED = 128 + signal.SIGINT


class _Terminated(BaseException):
    """The process received SIGTERM."""


def main(arguments: list[str]) -> int:
    """Import a file and return the exit status."""

    def terminate(_: int, __: FrameType | None) -> None:
        raise _Terminated

    signal.signal(signal.SIGTERM, terminate)
    try:
        options = parse(arguments)
        key = api_key(options)
        with contextlib.closing(_source(options)) as source, _journal(options) as journal:
            return _import(options, key, source, journal)
    except Refused as problem:
        _say(str(problem))
        return REFUSED
    except (Stopped, OSError) as problem:
        _say(str(problem))
        return STOPPED
    except KeyboardInterrupt:
        return INTERRUPTED
    except _Terminated:
        return TERMINATED


def _source(options: Options) -> Source:
    return Source(options.file, options.format, options.encoding)


def _say(text: str) -> None:
    print(f"tandem: {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def _journal(options: Options) -> Iterator[Journal]:
    """Open the journal; a dry run has a temporary one."""
    with tempfile.TemporaryDirectory(prefix="tandem-") as folder:
        path = Path(folder) / "dry-run.state" if options.dry_run else options.state
        with contextlib.closing(Journal(path)) as journal:
            yield journal


def _import(options: Options, key: str, source: Source, journal: Journal) -> int:
    progress = Progress(sys.stderr, source.size)
    begun = Begun(source.fingerprint(), source.size, options.url, options.format, options.run, options.encoding)
    state = _resumed(begun, options, source, journal, progress)
    finished_before = state.is_finished(source.size)
    if finished_before and not options.dry_run and state.rows_done:
        progress.say(f"{options.file} was imported before, nothing was sent; use --run NAME to import it again")
    else:
        _check_free(options)
    client = Client(options.url, key, Pace(give_up_after=options.give_up_after), progress.say)
    try:
        progress.begin(state)
        Importer(source, begun.file, journal, state, client, progress, options).run()
    except BaseException as problem:
        progress.show(state, now=True)
        _explain_how_to_resume(progress, problem, options, state)
        raise
    if not finished_before:
        progress.show(state, now=True)
    return _finish(options, source, journal, state, progress)


def _check_free(options: Options) -> None:
    """Raise if a file of an earlier run would be overwritten."""
    for name, path in (("failed", options.failed), ("superseded", options.superseded)):
        if path.exists() and not (options.dry_run and name == "superseded"):
            raise Refused(f"{path} exists from an earlier run; move it, or name another file with --{name}")


def _resumed(begun: Begun, options: Options, source: Source, journal: Journal, progress: Progress) -> State:
    """Rebuild the state from the journal, or begin a new journal."""
    journal.drop_torn_end()
    state = State(source.first)
    for record in journal.records():
        state.apply(record)
    if state.begun is None:  # otherwise the same content was checked before
        check(source, options.allow_suspicious_ids, progress.say)
        journal.append(begun)
        state.apply(begun)
    _check_same(state.begun or begun, begun, options)
    if state.last and not state.is_finished(source.size):
        progress.say(f"resuming at line {state.next.place.line}; {rows(state.rows_sent)} were sent before")
    return state


def _check_same(was: Begun, now: Begun, options: Options) -> None:
    restart = "or start over with another --state"
    if was.version != now.version:
        raise Refused(
            f"the journal {options.state} is from another release of Tandem; resume with that release, {restart}"
        )
    if was.file != now.file:
        raise Refused(
            f"{options.file} has changed since its import began, and the journal {options.state} refers to "
            f"the old content; restore that to resume, {restart}"
        )
    for name, before, given in (
        ("url", was.url, now.url),
        ("format", was.format, now.format),
        ("encoding", was.encoding, now.encoding),
        ("run", was.run, now.run),
    ):
        if before != given:
            raise Refused(
                f"the journal {options.state} was begun with --{name} {before!r}, not {given!r}; use that, {restart}"
            )


def _explain_how_to_resume(progress: Progress, problem: BaseException, options: Options, state: State) -> None:
    if options.dry_run or not state.last:
        return
    word = "once that is fixed, " if isinstance(problem, Refused) else ""
    progress.say(f"stopped; nothing is lost: {word}the same command resumes here (journal: {options.state})")


def _finish(options: Options, source: Source, journal: Journal, state: State, progress: Progress) -> int:
    if state.faults and not options.failed.exists():
        source.check_unchanged()
        report.write_failed(source, journal.records, options.failed)
    progress.say(f"{options.file}: {'dry run, nothing was imported' if options.dry_run else 'imported'}")
    print(report.table(state, options.dry_run), flush=True)
    lost = _report_superseded(options, source, journal, progress) if state.superseded else False
    if not state.faults:
        return SUPERSEDED if lost else ALL_TAKEN
    progress.say(
        f"{rows(state.faults)} failed; they are in {options.failed}, each with the reason. Correct and import that file"
    )
    return SOME_FAILED


def _report_superseded(options: Options, source: Source, journal: Journal, progress: Progress) -> bool:
    """Report the values that were not set; whether another import won."""
    source.check_unchanged()
    losses = list(superseded.losses(source, journal.records))
    if not options.superseded.exists():
        superseded.write(losses, options.superseded)
    for text in superseded.summary(losses, options.superseded):
        progress.say(text)
    return any(loss.later is None for loss in losses)
