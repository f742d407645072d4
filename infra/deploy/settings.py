"""Reads samconfig.toml: the stack, the region and the parameters of each stage."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.local.layout import ROOT
from infra.local.say import Problem

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

STAGES = ("dev", "staging", "production")
SAMCONFIG = ROOT / "samconfig.toml"

_OURS = ("Stage", "Architecture", "Release")
"""Parameters that `deploy` sets."""


@dataclass(frozen=True)
class Settings:
    """The settings of a stage."""

    stage: str
    stack: str
    region: str
    parameters: dict[str, str]
    tags: dict[str, str]

    @property
    def data_stack(self) -> str:
        """The stack of the table, the key and the secrets."""
        return f"{self.stack}-data"


def read(stage: str, path: Path = SAMCONFIG) -> Settings:
    """Read a stage's settings. Raises a `Problem` that names the missing or invalid setting."""
    try:
        content = tomllib.loads(path.read_text())
    except OSError:
        raise Problem(f"{path.name} is missing; copy {path.name}.example and edit it") from None
    except ValueError as error:
        raise Problem(f"{path.name} is not TOML: {error}") from None
    shared = content.get("default", {}).get("global", {}).get("parameters", {})
    given = shared | content.get(stage, {}).get("deploy", {}).get("parameters", {})
    if stage not in content:
        raise Problem(f"{path.name} has no section [{stage}.deploy.parameters]")
    for name in ("stack_name", "region"):
        if not isinstance(given.get(name), str) or not given[name]:
            raise Problem(f"{path.name}: [{stage}.deploy.parameters] lacks {name}")
    parameters = _pairs(given.get("parameter_overrides", []), f"{path.name}: parameter_overrides of {stage}")
    for name in _OURS:
        if name in parameters:
            raise Problem(f"{path.name}: `make deploy` sets {name} by itself; remove it from parameter_overrides")
    if not parameters.get("MailSender"):
        raise Problem(f"{path.name}: parameter_overrides of {stage} lacks MailSender")
    if stage == "production" and not parameters.get("AlarmTopicArn"):
        raise Problem(f"{path.name}: production needs AlarmTopicArn, the SNS topic of the people on call")
    tags = _pairs(given.get("tags", []), f"{path.name}: tags of {stage}")
    return Settings(
        stage=stage,
        stack=given["stack_name"],
        region=given["region"],
        parameters=parameters,
        tags={"application": "tandem", "stage": stage} | tags,
    )


def _pairs(given: Any, name: str) -> dict[str, str]:
    """NAME=VALUE pairs, as a list or in one text, as SAM reads them."""
    words = shlex.split(given) if isinstance(given, str) else given
    if not isinstance(words, list) or not all(isinstance(word, str) and "=" in word for word in words):
        raise Problem(f'{name} must be a list of "NAME=VALUE"')
    pairs = [word.partition("=") for word in words]
    return {key: value for key, _, value in pairs}
