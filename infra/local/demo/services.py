"""The operator's calls to AWS of a restore, on the local stack."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config

from infra.local.demo.scenario import Failure
from infra.local.layout import ROOT

_SECONDS = 60.0


class Services:
    """Backs up, restores and switches the table of the stack."""

    def __init__(self, stack: Mapping[str, str]) -> None:
        session = boto3.Session(stack["awsAccessKeyId"], stack["awsSecretAccessKey"], region_name=stack["region"])
        config = Config(proxies={})

        def client(name: str) -> Any:
            return session.client(name, endpoint_url=stack["awsEndpoint"], config=config)

        self._tables, self._stacks = client("dynamodb"), client("cloudformation")
        self._name, self._endpoint = stack["stackName"], stack["awsEndpoint"]
        self._table = stack["tableName"]
        self._restored = f"{self._table}-restored"

    def back_up(self) -> str:
        """Keep the present state of the table."""
        answer = self._tables.create_backup(TableName=self._table, BackupName="before")
        return str(answer["BackupDetails"]["BackupArn"])

    def restore(self, backup: str) -> None:
        """Restore the state to a new table."""
        self._tables.restore_table_from_backup(BackupArn=backup, TargetTableName=self._restored)
        self._tables.get_waiter("table_exists").wait(TableName=self._restored, WaiterConfig={"Delay": 1})

    def adopt(self) -> list[str]:
        """Run the operator's command, and return what it prints."""
        command = [sys.executable, "-m", "infra.operate", "adopt", self._restored, "--local"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failure("`infra.operate adopt`", "exit status 0", done.stderr)
        return [*done.stderr.splitlines(), *done.stdout.splitlines()]

    def switch(self) -> None:
        """Update the stack of the functions with the parameters of the restored table, as `make deploy` does."""
        table = self._tables.describe_table(TableName=self._restored)["Table"]
        changed = {
            "TableName": self._restored,
            "TableArn": table["TableArn"],
            "TableStreamArn": table["LatestStreamArn"],
        }
        parameters = [
            {"ParameterKey": name, "ParameterValue": changed[name]}
            if name in changed
            else {"ParameterKey": name, "UsePreviousValue": True}
            for name in (one["ParameterKey"] for one in self._stack()["Parameters"])
        ]
        self._stacks.update_stack(
            StackName=self._name, UsePreviousTemplate=True, Parameters=parameters, Capabilities=["CAPABILITY_IAM"]
        )
        deadline = time.monotonic() + _SECONDS
        while (status := self._stack()["StackStatus"]).endswith("IN_PROGRESS") and time.monotonic() < deadline:
            time.sleep(0.2)
        if status != "UPDATE_COMPLETE":
            raise Failure("the update of the stack", "UPDATE_COMPLETE", status)

    def _stack(self) -> dict[str, Any]:
        return dict(self._stacks.describe_stacks(StackName=self._name)["Stacks"][0])
