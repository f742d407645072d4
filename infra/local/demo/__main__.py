"""Plays the story against the stack that TANDEM_STACK names; the exit status is 0 only if all of it went well."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from infra.local.demo import acts, importing
from infra.local.demo.cast import Caller
from infra.local.demo.mailbox import Mailbox
from infra.local.demo.receiver import Receiver
from infra.local.demo.scenes import World
from infra.local.demo.stage import Failure, Stage


def main() -> int:
    """Give the exit status: 0, 1 if a step failed, 130 if somebody interrupted."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # terminals that cannot show every letter of a mail
    stage = Stage(sys.stdout)
    try:
        play(stage, _stack())
    except Failure as failure:
        stage.fail(failure)
        return 1
    except (LookupError, TypeError, ValueError) as error:
        stage.fail(Failure("the form of an answer", "the members that the step needs", repr(error)))
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # whoever read along has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def play(stage: Stage, stack: dict[str, Any]) -> None:
    """Play all acts; raises a `Failure` at the first thing that is not as it should be."""
    operator = Caller("operator", stack["operatorKey"], stack["apiUrl"], stage)
    stage.hide(stack["operatorKey"], 4)
    with Receiver() as receiver:
        world = World(stage, stack, operator, Mailbox(stack["sentMailsUrl"]), receiver)
        first = acts.first(world)
        second = acts.second(world, first.source)
        acts.third(world, first, second)
        importing.fourth(world, first, second)
    stage.end()


def _stack() -> dict[str, Any]:
    path = os.environ.get("TANDEM_STACK")
    if not path:
        raise Failure("the environment variable TANDEM_STACK", "the path of a stack.json", "nothing; use `make demo`")
    try:
        return dict(json.loads(Path(path).read_text()))
    except (OSError, ValueError) as error:
        raise Failure("the file that TANDEM_STACK names", "a stack.json", str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
