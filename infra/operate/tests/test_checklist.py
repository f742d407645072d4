"""docs/aws-checklist.md names all checks and steps of `smoke`, and only commands, outputs and alarms that exist."""

from __future__ import annotations

import re
import shlex
import unittest

import boto3
from botocore import xform_name
from botocore.exceptions import UnknownServiceError

from infra.local import layout, translate
from infra.operate import checks
from infra.operate.options import parse
from infra.operate.smoke import script

TEXT = (layout.ROOT / "docs/aws-checklist.md").read_text()
CODE = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL))
BLOCKS = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
COMMANDS = [*CODE, *(line for block in BLOCKS for line in block.splitlines())]
GLOBAL = {"query", "output", "region", "profile"}
"""Options of the AWS CLI that every command has."""
CUSTOM = {("logs", "tail"): {"follow", "since"}}
"""Commands of the AWS CLI that are no operation of a service."""


class Commands(unittest.TestCase):
    """Each command of the page."""

    def test_operate_accepts_its_arguments(self) -> None:
        found = [command for command in COMMANDS if command.startswith("python3 -m infra.operate ")]
        self.assertGreater(len(found), 4)
        for command in found:
            parse(shlex.split(command)[3:])  # exits with the usage otherwise

    def test_make_has_the_targets(self) -> None:
        targets = set(re.findall(r"^([a-z-]+):", (layout.ROOT / "Makefile").read_text(), re.MULTILINE))
        found = {shlex.split(command)[1] for command in COMMANDS if command.startswith("make ")}
        self.assertTrue(found and found <= targets, found - targets)

    def test_the_aws_cli_has_the_commands_and_options(self) -> None:
        found = [part for command in COMMANDS for part in re.findall(r"(?:^|\$\()(aws .*)", command)]
        self.assertGreater(len(found), 10)
        for command in found:
            self.assertIsNone(problem(command), command)

    def test_a_wrong_command_is_noticed(self) -> None:
        self.assertEqual(problem("aws sqs send-massage --queue-url x"), "no operation send-massage")
        self.assertEqual(problem("aws sqs send-message --queue x"), "no option queue")
        self.assertEqual(problem("aws skqs send-message"), "no service skqs")

    def test_outputs_parameters_and_alarms_are_the_templates(self) -> None:
        template = translate.read()
        names = {name for section in ("Outputs", "Parameters", "Resources") for name in template[section]}
        used = set(re.findall(r"\$\(output (\w+)\)", TEXT))
        used |= {word for word in CODE if re.fullmatch(r"[A-Z]\w+(Alarm|Arn|Days|Schedule|Budget)", word)}
        self.assertGreater(len(used), 10)
        self.assertEqual(used - names, set())


class Smoke(unittest.TestCase):
    """The machine's part."""

    def test_the_page_lists_each_check_and_step_in_order(self) -> None:
        table = TEXT.split("| check or step |")[1].split("\n\n")[0]
        rows = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
        listed = [name.strip("`") for row in rows for name in row.split(", ")]
        names = [*checks.CHECKS, *(step.name for step in script.STEPS)]
        self.assertEqual(sorted(listed), sorted(names))


def problem(command: str) -> str | None:
    """The reason why the AWS CLI would reject a command."""
    # The rest of the line is the shell's.
    words = re.sub(r"\$\([^)]*\)", "x", re.sub(r'"[^"]*"', "x", command)).split(")")[0]
    _, service, operation, *rest = shlex.split(words)
    options = {word.removeprefix("--") for word in rest if word.startswith("--")} - GLOBAL
    allowed = CUSTOM.get((service, operation))
    if allowed is None:
        try:
            model = boto3.Session("a", "b", region_name="eu-central-1").client(service).meta.service_model
        except UnknownServiceError:
            return f"no service {service}"
        operations = {xform_name(name, "-"): name for name in model.operation_names}
        if operation not in operations:
            return f"no operation {operation}"
        shape = model.operation_model(operations[operation]).input_shape
        allowed = {xform_name(member, "-") for member in shape.members} if shape else set()
    wrong = sorted(options - allowed)
    return f"no option {wrong[0]}" if wrong else None
