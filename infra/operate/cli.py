"""Dispatches the commands and returns the exit status."""

from __future__ import annotations

import os
import sys

from infra.local import environment
from infra.local.say import Problem, say
from infra.operate.options import Options, parse

FAILED = 2


def main(arguments: list[str]) -> int:
    """Run one command: 0, 1 if `status` found something for a person to check, 2 for a problem, 130 after Ctrl-C."""
    try:
        options = parse(arguments)
        environment.ensure()
        if not environment.running_inside():
            environment.enter("infra.operate", arguments)
        return _run(options)
    except Problem as problem:
        say(str(problem))
        return FAILED
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of a pipe closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _run(options: Options) -> int:
    from botocore.exceptions import BotoCoreError, ClientError  # needs the environment

    from infra.operate import adopt, data_key, export_person, redrive, reseal, smoke, stack, status, usage, why

    try:
        if options.command == "smoke":
            return smoke.run(stack.deployment(options), options)
        target = stack.of(options)
        match options.command:
            case "status":
                return status.run(target)
            case "why":
                return why.run(target, options)
            case "adopt":
                return adopt.run(target, options)
            case "export-person":
                return export_person.run(target, options)
            case "reseal":
                return reseal.run(target, options)
            case "data-key":
                return data_key.run(target, options)
            case "usage":
                return usage.run(target, options)
            case _:
                return redrive.run(target, options)
    except (BotoCoreError, ClientError) as error:
        raise Problem(f"AWS answered: {error}") from error
