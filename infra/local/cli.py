"""The commands: up, down, status, run, build, and exec for programs that need only the Python environment."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
from pathlib import Path
from types import FrameType
from typing import Any

from infra.local import binaries, emulator, environment, faults, processes
from infra.local.guard import Guard
from infra.local.layout import FAILED_RUN_LOGS, LOCAL, ROOT, RUN_PREFIX, State, run_state, standing_state, venv_python
from infra.local.say import Interrupted, Problem, say, step


def main(arguments: list[str]) -> int:
    """Run one command and return its exit status: 0, 1 for a problem, 128 + N after signal N."""
    options = _options(arguments)
    _stop_on_signals()
    try:
        if options.needs_environment:
            if not getattr(options, "packages", None) and options.command is not execute:
                binaries.cargo()  # fail before the packages are installed
            environment.ensure()
            if not environment.running_inside():
                environment.enter("infra.local", arguments)
        return int(options.command(options))
    except Problem as problem:
        say(str(problem))
        return 1
    except Interrupted as interrupted:
        say(f"stopped by {signal.Signals(interrupted.signum).name}")
        return 128 + interrupted.signum


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m infra.local", description="Tandem's local stack")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, function, text in (
        ("up", up, "start the stack and keep it running"),
        ("down", down, "stop the stack"),
        ("status", status, "show whether the stack runs, and its addresses"),
        ("run", run, "run a command against a stack of its own: run -- COMMAND ..."),
        ("build", build, "build and package the functions"),
        ("exec", execute, "run a command in the Python environment only: exec -- COMMAND ..."),
    ):
        sub = commands.add_parser(name, help=text)
        sub.set_defaults(command=function, needs_environment=function not in (down, status))
        if name in ("up", "run"):
            sub.add_argument("--packages", type=Path, help="folder of ready-made BINARY.zip packages to use")
        if name == "run":
            sub.add_argument(
                "--faults", action="store_true", help="inject the faults of faults.yaml into calls of the functions"
            )
            sub.add_argument("--canaries", action="store_true", help="afterwards, search the logs for callers' texts")
        if name in ("run", "exec"):
            sub.add_argument("words", nargs="+", metavar="COMMAND")
    return parser.parse_args(arguments)


def _stop_on_signals() -> None:
    def stop(signum: int, _: FrameType | None) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # only once; the clean-up follows
        raise Interrupted(signum)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    # Ends this command too if make, or the shell in between, is killed.
    processes.die_with_parent(signal.SIGTERM)


def up(options: argparse.Namespace) -> int:
    """Start the stack unless it runs."""
    state = standing_state()
    with environment.lock("stack"):
        if emulator.running(state):
            say("the stack already runs, nothing was changed; stop it with `make down`")
            _show(_read(state))
            return 0
        _remove(state)
        with Guard(state.folder, remove_folder=False) as guard:
            description = _bring_up(state, guard, options.packages)
            guard.keep()
    _show(description)
    return 0


def down(_: argparse.Namespace) -> int:
    """Stop the stack."""
    _remove_orphaned_runs()
    with environment.lock("stack"):
        was_up = _remove(standing_state())
    say("the stack has stopped" if was_up else "no stack was running")
    return 0


def status(_: argparse.Namespace) -> int:
    """Show whether the stack runs; the exit status is 1 if it does not."""
    state = standing_state()
    if not (emulator.running(state) and state.description.exists()):
        say("no stack is running; start one with `make up`")
        return 1
    _show(_read(state))
    return 0


def run(options: argparse.Namespace) -> int:
    """Run a command against a stack of its own and return the command's exit status."""
    _remove_orphaned_runs()
    state = run_state()
    with Guard(state.folder, remove_folder=True) as guard:
        try:
            code = _run_on_own_stack(state, guard, options)
        except Problem:
            _keep_logs(state)
            raise
        if code != 0:
            _keep_logs(state)
    return code


def _run_on_own_stack(state: State, guard: Guard, options: argparse.Namespace) -> int:
    from infra.local import canaries  # needs the environment

    proxy = faults.reserve() if options.faults else None
    _bring_up(state, guard, options.packages, proxy)
    say(f"running: {' '.join(options.words)}")
    env = _inside() | {"TANDEM_STACK": str(state.description)}
    code = guard.start(options.words, grace=5.0, stdin=None, env=env).wait()
    if proxy:
        faults.report(proxy)
    if code == 0 and options.canaries:
        canaries.search(state)
    return code if code >= 0 else 128 - code


def build(_: argparse.Namespace) -> int:
    """Build and package the functions, as `up` and `run` do."""
    from infra.local import translate

    with Guard(LOCAL / "build", remove_folder=True) as guard:
        _build(binaries.named_in(translate.read()), guard)
    return 0


def execute(options: argparse.Namespace) -> int:
    """Run a command of the Python environment in place of this process."""
    os.execvpe(options.words[0], options.words, _inside())


def _bring_up(state: State, guard: Guard, ready_made: Path | None, proxy: faults.Proxy | None = None) -> dict[str, Any]:
    from infra.local import deploy, translate  # these need the environment

    state.create()
    template = translate.read()
    names = binaries.named_in(template)
    packages = binaries.ready_made(ready_made, names) if ready_made else _build(names, guard)
    running = emulator.start(state, guard, proxy.endpoint if proxy else None)
    if proxy:
        faults.start(proxy, running.endpoint, state, guard)
    description = deploy.deploy(running, packages, template, state)
    description["faults"] = proxy is not None
    state.description.write_text(json.dumps(description, indent=2) + "\n")
    return description


def _build(names: list[str], guard: Guard) -> list[binaries.Package]:
    with environment.lock("build"):
        executables = binaries.build(names, guard)
        with step("packaging them"):
            return binaries.pack(executables)


def _inside() -> dict[str, str]:
    """The user's environment with the virtual environment's programs first."""
    return dict(os.environ) | {"PATH": f"{venv_python().parent}{os.pathsep}{os.environ.get('PATH', '')}"}


def _read(state: State) -> dict[str, Any]:
    return dict(json.loads(state.description.read_text()))


def _show(description: dict[str, Any]) -> None:
    """Print the addresses of the stack; stack.json also has the names of functions and queues."""
    shown = {key: value for key, value in description.items() if not key.endswith(("FunctionName", "QueueName"))}
    print(json.dumps(shown, indent=2), flush=True)


def _remove(state: State) -> bool:
    """End the processes of this state and remove it; returns whether an emulator ran."""
    pid = emulator.running(state)
    if pid:
        processes.end_group(pid, grace=0)
    processes.end_beneath(state.folder)
    state.description.unlink(missing_ok=True)
    shutil.rmtree(state.folder, ignore_errors=True)
    return pid is not None


def _remove_orphaned_runs() -> None:
    """Clean up after runs that were killed together with their guards."""
    for folder in LOCAL.glob(f"{RUN_PREFIX}*"):
        pid = folder.name.removeprefix(RUN_PREFIX)
        if pid.isdigit() and processes.start_time(int(pid)) is None:
            _remove(State(folder, folder / "stack.json"))


def _keep_logs(state: State) -> None:
    """Keep the logs of a failed run, whose state folder is removed."""
    if any(state.logs.glob("*.log")):
        shutil.rmtree(FAILED_RUN_LOGS, ignore_errors=True)
        shutil.copytree(state.logs, FAILED_RUN_LOGS)
        say(f"the logs of the emulator and the functions are in {FAILED_RUN_LOGS.relative_to(ROOT)}")
