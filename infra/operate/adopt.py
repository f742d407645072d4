"""``adopt``: prepares a restored table for the functions, and names the parameter that switches to it.

A restore copies rows, keys and indexes. It leaves out the stream, the expiry of rows, point-in-time recovery, deletion
protection and tags. Without the stream no callback is enqueued within a second, and without expiry nothing is deleted.
"""

from __future__ import annotations

import time
from typing import Any

from infra.local.say import Problem, say
from infra.operate.options import Options
from infra.operate.stack import Stack

EXPIRY = "expiresAt"
"""The attribute with the time of a row's expiry, as in data.yaml."""

_POLL_SECONDS = 5.0
_POLLS = 240
_SAME = ("KeySchema", "AttributeDefinitions")


def run(stack: Stack, options: Options) -> int:
    """Prepare the table; returns 0. Raises a `Problem` if it is not a copy of the stack's table."""
    if options.table == stack.table:
        raise Problem(f"{options.table} is the table that the stack uses already")
    own, other = (_describe(stack, name) for name in (stack.table, options.table))
    if other["TableStatus"] != "ACTIVE":
        raise Problem(f"{options.table} is {other['TableStatus']}; wait until it is ACTIVE")
    found = differences(own, other)
    if found:
        raise Problem(f"{options.table} is no copy of {stack.table}: {'; '.join(found)}")
    _enable_stream(stack, options.table, other)
    _copy_settings(stack, own, other)
    print(
        f"{options.table} is ready. Add TableName={options.table} to parameter_overrides in samconfig.toml and deploy"
    )
    return 0


def differences(own: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """The differences in keys, indexes and encryption of two tables, in words."""
    found = [f"{name} differs" for name in _SAME if _sorted(own[name]) != _sorted(other[name])]
    mine, theirs = (_indexes(table) for table in (own, other))
    found += [f"it lacks the index {name}" for name in sorted(mine.keys() - theirs.keys())]
    found += [f"the index {name} differs" for name in sorted(mine.keys() & theirs.keys()) if mine[name] != theirs[name]]
    keys = [table.get("SSEDescription", {}).get("KMSMasterKeyArn") for table in (own, other)]
    if keys[0] != keys[1]:
        found.append(f"it is encrypted with {keys[1] or 'no key of the account'} instead of {keys[0]}")
    return found


def _enable_stream(stack: Stack, name: str, table: dict[str, Any]) -> None:
    if table.get("StreamSpecification", {}).get("StreamEnabled"):
        return
    stack.dynamodb.update_table(
        TableName=name, StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    )
    for _ in range(_POLLS):
        table = _describe(stack, name)
        if table["TableStatus"] == "ACTIVE" and table.get("LatestStreamArn"):
            say("the stream is on")
            return
        time.sleep(_POLL_SECONDS)
    raise Problem(f"{name} is still {table['TableStatus']}; repeat the command later")


def _copy_settings(stack: Stack, own: dict[str, Any], other: dict[str, Any]) -> None:
    db, name = stack.dynamodb, other["TableName"]
    expiry = db.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    if expiry.get("TimeToLiveStatus") not in ("ENABLED", "ENABLING"):
        db.update_time_to_live(TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": EXPIRY})
        say(f"rows expire by {EXPIRY}")
    db.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
    say("point-in-time recovery is on")
    if own.get("DeletionProtectionEnabled") and not other.get("DeletionProtectionEnabled"):
        db.update_table(TableName=name, DeletionProtectionEnabled=True)
        say("deletion protection is on")
    tags = db.list_tags_of_resource(ResourceArn=own["TableArn"]).get("Tags", [])
    tags = [tag for tag in tags if not tag["Key"].startswith("aws:")]
    if tags:
        db.tag_resource(ResourceArn=other["TableArn"], Tags=tags)
        say(f"it has the tags of {own['TableName']}")


def _describe(stack: Stack, name: str) -> dict[str, Any]:
    return dict(stack.dynamodb.describe_table(TableName=name)["Table"])


def _indexes(table: dict[str, Any]) -> dict[str, Any]:
    indexes = table.get("GlobalSecondaryIndexes", [])
    return {index["IndexName"]: (index["KeySchema"], index["Projection"]) for index in indexes}


def _sorted(members: list[dict[str, str]]) -> list[dict[str, str]]:
    return sorted(members, key=lambda member: member["AttributeName"])
