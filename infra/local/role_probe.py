"""Probes the role of each function: which calls it may make on rows of API keys, and on other rows.

`TANDEM_STACK` names the stack's description. The output is JSON: for each function the allowed calls on rows of API
keys (`keys`) and on other rows (`others`). Nothing is written: every write has a condition that no row meets.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

Call = Callable[[], Any]

_NOBODY = "00000000000000000000000000000000"
_MET_BY_NO_ROW = {"ConditionExpression": "attribute_exists(pk) AND attribute_not_exists(pk)"}


def main() -> None:
    """Probe all roles and print the result."""
    stack = json.loads(Path(os.environ["TANDEM_STACK"]).read_text())
    account = _Account(stack)
    json.dump({name: account.allowed(role) for name, role in account.roles().items()}, sys.stdout)


class _Account:
    """The stack's account, with its root credentials."""

    def __init__(self, stack: dict[str, Any]) -> None:
        self._stack = stack
        self._root = boto3.Session(stack["awsAccessKeyId"], stack["awsSecretAccessKey"], region_name=stack["region"])

    def roles(self) -> dict[str, str]:
        """The role name of each function, by the function's logical name without `Function`."""
        resources = self._client(self._root, "cloudformation").describe_stack_resources(
            StackName=self._stack["stackName"]
        )["StackResources"]
        named = {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources}
        functions = [name.removesuffix("Function") for name in named if name.endswith("Function")]
        return {function: named[f"{function}Role"] for function in functions}

    def allowed(self, role: str) -> dict[str, list[str]]:
        """The calls that a role may make."""
        arn = self._client(self._root, "iam").get_role(RoleName=role)["Role"]["Arn"]
        # The emulator lets the root user assume a role that trusts only Lambda.
        credentials = self._client(self._root, "sts").assume_role(RoleArn=arn, RoleSessionName="probe")["Credentials"]
        session = boto3.Session(
            credentials["AccessKeyId"],
            credentials["SecretAccessKey"],
            credentials["SessionToken"],
            region_name=self._stack["region"],
        )
        table = self._client(session, "dynamodb")
        return {
            "keys": _allowed(_calls(table, self._stack["tableName"], f"key#{_NOBODY}", f"cli_{_NOBODY}#keys")),
            "others": _allowed(_calls(table, self._stack["tableName"], f"off_{_NOBODY}", f"cli_{_NOBODY}#offers")),
        }

    def _client(self, session: Any, service: str) -> Any:
        config = Config(retries={"max_attempts": 1}, proxies={})
        return session.client(service, endpoint_url=self._stack["awsEndpoint"], config=config)


def _calls(table: Any, name: str, partition: str, collection: str) -> dict[str, Call]:
    key = {"pk": {"S": partition}, "sk": {"S": "nothing"}}

    def query(value: str, **index: str) -> Any:
        part = f"{index.get('IndexName', '')}pk"
        return table.query(
            TableName=name,
            KeyConditionExpression="#pk = :pk",
            ExpressionAttributeNames={"#pk": part},
            ExpressionAttributeValues={":pk": {"S": value}},
            **index,
        )

    def transact(**action: Any) -> Any:
        return table.transact_write_items(TransactItems=[action])

    put = {"TableName": name, "Item": key, **_MET_BY_NO_ROW}
    at = {"TableName": name, "Key": key, **_MET_BY_NO_ROW}
    update = at | {"UpdateExpression": "SET a = :a", "ExpressionAttributeValues": {":a": {"S": "a"}}}
    return {
        "GetItem": lambda: table.get_item(TableName=name, Key=key),
        "BatchGetItem": lambda: table.batch_get_item(RequestItems={name: {"Keys": [key]}}),
        "Query": lambda: query(partition),
        "Query gsi1": lambda: query(collection, IndexName="gsi1"),
        "Query gsi2": lambda: query(collection, IndexName="gsi2"),
        "Scan": lambda: table.scan(TableName=name, Limit=1),
        "PutItem": lambda: table.put_item(**put),
        "UpdateItem": lambda: table.update_item(**update),
        "DeleteItem": lambda: table.delete_item(**at),
        "TransactWriteItems Put": lambda: transact(Put=put),
        "TransactWriteItems Update": lambda: transact(Update=update),
        "TransactWriteItems Delete": lambda: transact(Delete=at),
        "TransactWriteItems ConditionCheck": lambda: transact(ConditionCheck=at),
    }


def _allowed(calls: dict[str, Call]) -> list[str]:
    return [name for name, call in calls.items() if _is_allowed(call)]


def _is_allowed(call: Call) -> bool:
    try:
        call()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "AccessDeniedException":
            return False
        if code not in ("ConditionalCheckFailedException", "TransactionCanceledException"):
            raise
    return True


if __name__ == "__main__":
    main()
