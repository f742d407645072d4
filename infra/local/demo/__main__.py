"""Runs the demo against the stack that TANDEM_STACK names; the exit status is 0 only if all checks pass."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from infra.local.demo import acts, importing
from infra.local.demo.callers import Caller
from infra.local.demo.mailbox import Mailbox
from infra.local.demo.receiver import Receiver
from infra.local.demo.scenario import Failure, Scenario
from infra.local.demo.steps import Setup


def main() -> int:
    """Return the exit status: 0, 1 if a step failed, 130 after Ctrl-C."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # for terminals that cannot show every character of a mail
    scenario = Scenario(sys.stdout)
    try:
        play(scenario, stack_description())
    except Failure as failure:
        scenario.fail(failure)
        return 1
    except (LookupError, TypeError, ValueError) as error:
        scenario.fail(Failure("the form of an answer", "the members that the step needs", repr(error)))
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of a pipe closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def play(scenario: Scenario, stack: dict[str, Any]) -> None:
    """Play all acts; raises a `Failure` at the first failed check."""
    operator = Caller("operator", stack["operatorKey"], stack["apiUrl"], scenario)
    scenario.hide(stack["operatorKey"], 4)
    with Receiver() as receiver:
        setup = Setup(scenario, stack, operator, Mailbox(stack["sentMailsUrl"]), receiver)
        first = acts.first(setup)
        second = acts.second(setup, first.source)
        acts.third(setup, first, second)
        importing.fourth(setup, first, second)
    scenario.end()


def stack_description() -> dict[str, Any]:
    """The description of the stack. Raises a `Failure` if there is none."""
    path = os.environ.get("TANDEM_STACK")
    if not path:
        raise Failure("the environment variable TANDEM_STACK", "the path of a stack.json", "nothing; use `make demo`")
    try:
        return dict(json.loads(Path(path).read_text()))
    except (OSError, ValueError) as error:
        raise Failure("the file that TANDEM_STACK names", "a stack.json", str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
