"""Reads the two templates, and translates SAM to plain CloudFormation with AWS's own translator."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from infra.local import gaps
from infra.local.binaries import binary_of
from infra.local.emulator import REGION
from infra.local.layout import DATA, TEMPLATE
from infra.local.say import Problem

Template = dict[str, Any]


class _NoManagedPolicies:
    """The AWS managed policies by name, which the translator requires; the template uses none."""

    def load(self) -> dict[str, str]:
        return {}


def read(path: Path = TEMPLATE) -> Template:
    """Read a template as it is written."""
    try:
        template = yaml_parse(path.read_text())
    except Exception as error:
        raise Problem(f"{path.name} cannot be read: {_one_line(error)}") from error
    return dict(template)


def read_data() -> Template:
    """Read data.yaml for the emulator."""
    return gaps.bridge(read(DATA))


def to_cloudformation(template: Template, code: dict[str, dict[str, str]]) -> Template:
    """Translate a SAM template for the emulator; `code` has the location of each binary."""
    return gaps.bridge(transformed(gaps.without_rollout(template), code))


def transformed(template: Template, code: dict[str, dict[str, str]]) -> Template:
    """Translate a SAM template as AWS does.

    Raises a `Problem` with the error of the translator.
    """
    os.environ["AWS_DEFAULT_REGION"] = REGION  # where the translator looks for it
    for logical_id, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = code[binary_of(logical_id, resource)]
    try:
        return dict(transform(template, {}, _NoManagedPolicies()))
    except Exception as error:
        cause = getattr(error, "causes", None)
        raise Problem(f"template.yaml cannot be translated: {_one_line(cause[0] if cause else error)}") from error


def _one_line(error: object) -> str:
    return " ".join(str(getattr(error, "message", error)).split())
