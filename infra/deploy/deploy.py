"""``deploy``: deploys the data's stack, protects it, and deploys the functions' stack with its outputs."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from infra.deploy import packages, settings
from infra.deploy.settings import Settings
from infra.deploy.stacks import Account
from infra.local import translate
from infra.local.layout import DATA, ROOT, TEMPLATE
from infra.local.say import Problem, say

Run = Callable[[list[str]], int]

_NO_CHANGES = ["--no-fail-on-empty-changeset"]


def run(stage: str, ask: bool) -> None:
    """Deploy a stage. Raises a `Problem` with the failed step."""
    chosen = settings.read(stage)
    if not shutil.which("sam"):
        raise Problem("the AWS SAM CLI is missing; install it, for example: pipx install aws-sam-cli")
    functions = packages.names()
    architecture = packages.architecture(packages.DIST, functions)
    account = Account(chosen.region)
    parameters = deploy(chosen, account, architecture, functions, ask, _sam)
    say(f"{stage} is deployed: {account.outputs(chosen.stack)['ApiUrl']}")
    if "TableName" in chosen.parameters:
        say(f"it uses the table {parameters['TableName']}, named in samconfig.toml")


def deploy(
    chosen: Settings, account: Account, architecture: str, functions: list[str], ask: bool, sam: Run
) -> dict[str, str]:
    """Deploy both stacks, and return the parameters of the second."""
    given = chosen.parameters | {"Stage": chosen.stage}
    _step(sam, chosen, chosen.data_stack, DATA, given, ask)
    account.protect(chosen.data_stack, policy=True)
    # A parameter of samconfig.toml adopts a table, a key or a secret that the data's stack did not create.
    given = account.outputs(chosen.data_stack) | given | {"Architecture": architecture}
    if "TableName" in chosen.parameters:
        given |= account.table(chosen.parameters["TableName"])
    # Functions read the data keys when they start.
    secrets = {"data key": account.secret_version(given["DataKeySecretArn"])}
    given["Release"] = packages.digest(packages.DIST, functions, given | secrets)
    _step(sam, chosen, chosen.stack, TEMPLATE, given, ask)
    if chosen.stage == "production":
        account.protect(chosen.stack, policy=False)
    return given


def _step(sam: Run, chosen: Settings, stack: str, template: Path, given: dict[str, str], ask: bool) -> None:
    known = translate.read(template)["Parameters"]
    parameters = [f"{name}={value}" for name, value in sorted(given.items()) if name in known]
    words = ["sam", "deploy", "--config-env", chosen.stage, "--template-file", str(template), "--stack-name", stack]
    words += ["--region", chosen.region, "--capabilities", "CAPABILITY_IAM", *_NO_CHANGES]
    words += ["--confirm-changeset" if ask else "--no-confirm-changeset"]
    words += ["--tags", *(f"{name}={value}" for name, value in chosen.tags.items())]
    words += ["--parameter-overrides", *parameters]
    if sam(words) != 0:
        raise Problem(f"the deployment of {stack} failed: SAM's error is above")


def _sam(words: list[str]) -> int:
    return subprocess.run(words, cwd=ROOT, check=False).returncode
