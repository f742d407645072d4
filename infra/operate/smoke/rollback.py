"""A rollout that an alarm takes back: CodeDeploy moves a tenth of a function's calls to its previous version, the
function's alarm is set to ALARM, and CodeDeploy must move them back.

`note-mail-events` plays it, since no caller waits for it. The alarm's topic gets a mail that names smoke as the reason.
"""

from __future__ import annotations

import json
import time
from typing import Any

from infra.operate.smoke.world import World

FUNCTION = "NoteMailEventsFunction"
APPLICATION = "ServerlessDeploymentApplication"
"""The name that SAM gives to CodeDeploy's application."""
GROUP = f"{FUNCTION}DeploymentGroup"
ALARM = "NoteMailEventsErrorsAlarm"
CANARY = "CodeDeployDefault.LambdaCanary10Percent5Minutes"
REASON = "smoke: a test of the rollback"
SHIFT_SECONDS, BACK_SECONDS = 120.0, 240.0
_PAUSE = 2.0


def skipped(world: World) -> str | None:
    """The reason why there is nothing to roll back to."""
    if world.local:
        return "the emulator has no CodeDeploy"
    if _previous(world) is None:
        return f"{_name(world)} has no version before the live one; run smoke again after the second deployment"
    return None


def play(world: World) -> None:
    """Start, observe, raise the alarm, observe."""
    deploys, scenario = world.client("codedeploy"), world.scenario
    live, previous = _live(world), _previous(world)
    assert previous
    change = {"Name": _name(world), "Alias": "live", "CurrentVersion": live, "TargetVersion": previous}
    spec = {"version": 0.0, "Resources": [{"it": {"Type": "AWS::Lambda::Function", "Properties": change}}]}
    deployment = deploys.create_deployment(
        applicationName=_physical(world, APPLICATION),
        deploymentGroupName=_physical(world, GROUP),
        deploymentConfigName=CANARY,
        revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": json.dumps(spec)}},
        description=REASON,
    )["deploymentId"]
    scenario.show("rollout", [f"{deployment}: {_name(world)} from version {live} to {previous}"])
    try:
        shifted = scenario.wait("a tenth of the calls on the other version", lambda: _weights(world), SHIFT_SECONDS)
        scenario.check("the weight of the other version", {previous: 0.1}, shifted)
        world.client("cloudwatch").set_alarm_state(
            AlarmName=_physical(world, ALARM), StateValue="ALARM", StateReason=REASON
        )
        scenario.wait("the alias to be moved back", lambda: None if _weights(world) else True, BACK_SECONDS)
        scenario.check("the live version", live, _live(world))
        found = deploys.get_deployment(deploymentId=deployment)["deploymentInfo"]
        scenario.show("rollout", [f"{deployment}: {found['status']}", _message(found)])
        stopped = found["status"] in ("Stopped", "Failed")
        scenario.check_that("the state of the rollout", stopped, "Stopped or Failed", found["status"])
    finally:
        if _weights(world):
            deploys.stop_deployment(deploymentId=deployment, autoRollbackEnabled=True)


def _message(found: dict[str, Any]) -> str:
    return str(
        found.get("rollbackInfo", {}).get("rollbackMessage") or found.get("errorInformation", {}).get("message", "")
    )


def _name(world: World) -> str:
    return world.deployment.outputs[f"{FUNCTION}Name"]


def _physical(world: World, logical: str) -> str:
    answer = world.client("cloudformation").describe_stack_resource(
        StackName=world.deployment.name, LogicalResourceId=logical
    )
    return str(answer["StackResourceDetail"]["PhysicalResourceId"])


def _alias(world: World) -> dict[str, Any]:
    return dict(world.client("lambda").get_alias(FunctionName=_name(world), Name="live"))


def _live(world: World) -> str:
    return str(_alias(world)["FunctionVersion"])


def _weights(world: World) -> dict[str, float] | None:
    time.sleep(_PAUSE)
    return _alias(world).get("RoutingConfig", {}).get("AdditionalVersionWeights") or None


def _previous(world: World) -> str | None:
    """The newest version before the live one."""
    live = int(_live(world))
    pages = world.client("lambda").get_paginator("list_versions_by_function").paginate(FunctionName=_name(world))
    versions = [one["Version"] for page in pages for one in page["Versions"] if one["Version"].isdigit()]
    return max((version for version in versions if int(version) < live), key=int, default=None)
