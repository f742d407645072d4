"""Reads and protects the stacks on AWS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3

from infra.local.say import Problem

POLICY = Path(__file__).with_name("stack-policy.json")


class Account:
    """The services of an account in a region that a deployment needs besides SAM."""

    def __init__(self, region: str, session: Any = None) -> None:
        session = session or boto3.Session(region_name=region)
        self.cloudformation = session.client("cloudformation")
        self.dynamodb = session.client("dynamodb")
        self.secretsmanager = session.client("secretsmanager")

    def outputs(self, stack: str) -> dict[str, str]:
        """The outputs of a stack."""
        stacks = self.cloudformation.describe_stacks(StackName=stack)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}

    def secret_version(self, arn: str) -> str:
        """The id of a secret's current version."""
        versions = self.secretsmanager.describe_secret(SecretId=arn)["VersionIdsToStages"]
        return next(str(id) for id, stages in sorted(versions.items()) if "AWSCURRENT" in stages)

    def protect(self, stack: str, policy: bool) -> None:
        """Switch on termination protection, and with `policy` reject replacements and deletions of resources."""
        self.cloudformation.update_termination_protection(StackName=stack, EnableTerminationProtection=True)
        if policy:
            self.cloudformation.set_stack_policy(StackName=stack, StackPolicyBody=POLICY.read_text())

    def table(self, name: str) -> dict[str, str]:
        """The parameters for a table that the data's stack did not create.

        Raises a `Problem` for a table that is not ready.
        """
        table = self.dynamodb.describe_table(TableName=name)["Table"]
        stream = table.get("LatestStreamArn")
        enabled = table.get("StreamSpecification", {}).get("StreamEnabled", False)
        if table["TableStatus"] != "ACTIVE" or not (stream and enabled):
            raise Problem(
                f"the table {name} is {table['TableStatus']} and has {'a' if stream and enabled else 'no'} stream; "
                "run `python3 -m infra.operate adopt` first, see docs/restore.md"
            )
        return {"TableName": name, "TableArn": table["TableArn"], "TableStreamArn": stream}
