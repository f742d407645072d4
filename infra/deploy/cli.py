"""The command line of ``package`` and ``deploy``."""

from __future__ import annotations

import argparse

from infra.deploy.packages import ARCHITECTURES
from infra.deploy.settings import STAGES
from infra.local import environment
from infra.local.say import Problem, say

FAILED = 2


def main(arguments: list[str]) -> int:
    """Run one command: 0, 2 for a problem, 130 after Ctrl-C."""
    options = _options(arguments)
    try:
        environment.ensure()
        if not environment.running_inside():
            environment.enter("infra.deploy", arguments)
        return _run(options)
    except Problem as problem:
        say(str(problem))
        return FAILED
    except KeyboardInterrupt:
        return 130


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m infra.deploy", description="Builds and deploys Tandem")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    package = commands.add_parser("package", help="build all functions into dist/")
    package.add_argument("--architecture", choices=sorted(ARCHITECTURES), default="arm64")
    package.add_argument("--tools", required=True, metavar="FOLDER", help="folder of cargo-lambda")
    deploy = commands.add_parser("deploy", help="deploy the packages in dist/")
    deploy.add_argument("--stage", choices=STAGES, required=True)
    deploy.add_argument("--yes", action="store_true", help="do not ask before a change set is executed")
    return parser.parse_args(arguments)


def _run(options: argparse.Namespace) -> int:
    from botocore.exceptions import BotoCoreError, ClientError  # needs the environment

    from infra.deploy import deploy, package

    if options.command == "package":
        package.run(options.architecture, options.tools)
        return 0
    try:
        deploy.run(options.stage, ask=not options.yes)
    except (BotoCoreError, ClientError) as error:
        raise Problem(f"AWS answered: {error}") from error
    return 0
