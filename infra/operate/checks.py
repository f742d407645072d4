"""The first half of ``smoke``: checks a deployment from outside and through AWS's own descriptions. It changes nothing.

Each check is one line with the finding. The emulator lacks quotas, metrics and aliases; their checks are skipped there.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from infra.local.demo.text import table
from infra.operate import deliveries, due, moments, queues, status
from infra.operate.stack import Deployment

HTTP_FUNCTIONS = 50
"""Concurrency that the functions of the API need beside purchases."""
_SECONDS = 15
_AWS_ONLY = ("aliases", "concurrency", "alarms", "sweep", "protection")


Finding = tuple[bool, str]
Check = Callable[[Deployment], Finding]


def run(deployment: Deployment) -> int:
    """Print the findings; returns 1 if a check failed."""
    lines = list(results(deployment))
    print("\n".join(table(("check", "", "finding"), lines)), flush=True)
    return 1 if any(verdict == "FAILED" for _, verdict, _ in lines) else 0


def results(deployment: Deployment) -> Iterator[tuple[str, str, str]]:
    """Run the checks one by one."""
    from botocore.exceptions import BotoCoreError, ClientError  # needs the environment

    for name, check in CHECKS.items():
        if deployment.local and name in _AWS_ONLY:
            yield name, "skipped", "not on the emulator"
            continue
        try:
            good, text = check(deployment)
        except (BotoCoreError, ClientError, OSError, KeyError) as error:
            good, text = False, f"cannot be checked: {error!r}"
        yield name, "ok" if good else "FAILED", text


def strangers(of: Deployment) -> Finding:
    """A caller without a key is rejected."""
    code = _status(of, None)
    return code == 401, f"a call without a key is answered with {code}, expected 401"


def operator(of: Deployment) -> Finding:
    """The operator's key works, and with it authorizer, function and table."""
    code = _status(of, of.operator_key)
    return code == 200, f"the operator's call is answered with {code}, expected 200"


def mails(of: Deployment) -> Finding:
    """The sender is a verified identity, and in production the account may send to everyone."""
    ses, sender = of.client("sesv2"), of.parameters["MailSender"]
    identities = (sender, sender.partition("@")[2])
    verified = [name for name in identities if _is_verified(ses, name)]
    if not verified:
        return False, f"neither {' nor '.join(identities)} is a verified identity"
    account = ses.get_account()
    if not account.get("SendingEnabled", True):
        return False, "the account must not send mails at the moment"
    if not account.get("ProductionAccessEnabled"):
        text = "the account is in the sandbox: only verified recipients get mails"
        return not of.production, text
    return True, f"{verified[0]} is verified, and the account has production access"


def aliases(of: Deployment) -> Finding:
    """No rollout is under way: each alias has one version."""
    functions = of.client("lambda")
    split = []
    for name in of.functions:
        alias = functions.get_alias(FunctionName=name, Name="live")
        if alias.get("RoutingConfig", {}).get("AdditionalVersionWeights"):
            split.append(name)
    if split:
        return False, f"a rollout is under way: {', '.join(split)}"
    return True, f"all {len(of.functions)} functions have one live version"


def triggers(of: Deployment) -> Finding:
    """Queues and stream call their functions."""
    off = [f"{of_function} ({mapping['State']})" for of_function, mapping in _mappings(of) if not _is_on(mapping)]
    count = sum(1 for _ in _mappings(of))
    if off or count < 4:
        return False, f"{count} event sources, not enabled: {', '.join(off) or 'none'}; expected 4"
    return True, f"{count} event sources are enabled"


def concurrency(of: Deployment) -> Finding:
    """The account's quota is enough for the workers and the API, beside the reserved part."""
    limits = of.client("lambda").get_account_settings()["AccountLimit"]
    workers = sum(mapping.get("ScalingConfig", {}).get("MaximumConcurrency", 0) for _, mapping in _mappings(of))
    needed = workers + HTTP_FUNCTIONS
    free, all = limits["UnreservedConcurrentExecutions"], limits["ConcurrentExecutions"]
    text = f"{free} of the account's {all} are not reserved; workers ({workers}) and the API need {needed}"
    return free >= needed, text if free >= needed else f"{text}: raise the quota `Concurrent executions`"


def sweep(of: Deployment) -> Finding:
    """The schedule works."""
    now = moments.now()
    answer = of.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="Invocations",
        Dimensions=[{"Name": "FunctionName", "Value": of.outputs["SweepOutboxFunctionName"]}],
        StartTime=now - timedelta(minutes=10),
        EndTime=now,
        Period=600,
        Statistics=["Sum"],
    )
    runs = int(sum(point["Sum"] for point in answer.get("Datapoints", [])))
    return runs > 0, f"it ran {runs} times in ten minutes" + ("" if runs else "; a new stack needs some minutes")


def alarms(of: Deployment) -> Finding:
    """No alarm is raised, and somebody hears them."""
    pages = of.client("cloudwatch").get_paginator("describe_alarms").paginate(AlarmNamePrefix=f"{of.name}-")
    raised = [alarm["AlarmName"] for page in pages for alarm in page["MetricAlarms"] if alarm["StateValue"] == "ALARM"]
    if raised:
        return False, f"raised: {', '.join(raised)}"
    topic = of.parameters.get("AlarmTopicArn")
    if not topic:
        return not of.production, "none is raised; no topic is set, so nobody hears them"
    subscriptions = of.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    confirmed = [one for one in subscriptions if one["SubscriptionArn"].startswith("arn:")]
    return bool(confirmed), f"none is raised; {len(confirmed)} confirmed subscriptions of the topic"


def protection(of: Deployment) -> Finding:
    """The data outlives mistakes."""
    db, missing = of.client("dynamodb"), []
    backups = db.describe_continuous_backups(TableName=of.stack.table)["ContinuousBackupsDescription"]
    if backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] != "ENABLED":
        missing.append("point-in-time recovery")
    if of.production and not db.describe_table(TableName=of.stack.table)["Table"].get("DeletionProtectionEnabled"):
        missing.append("deletion protection")
    data = of.client("cloudformation").describe_stacks(StackName=f"{of.name}-data")["Stacks"][0]
    if not data.get("EnableTerminationProtection"):
        missing.append("termination protection of the data's stack")
    return not missing, f"missing: {', '.join(missing)}" if missing else "the table and its stack are protected"


def work(of: Deployment) -> Finding:
    """Nothing waits for a person."""
    now = moments.now()
    rows = due.rows(of.stack, now)
    found = status.findings(queues.depths(of.stack, now), rows, deliveries.measure(of.stack, now), now)
    return not found, " ".join(found) or "no dead letters, no overdue rows, no undelivered callbacks"


CHECKS: dict[str, Check] = {
    "strangers": strangers,
    "operator": operator,
    "mails": mails,
    "aliases": aliases,
    "triggers": triggers,
    "concurrency": concurrency,
    "sweep": sweep,
    "alarms": alarms,
    "protection": protection,
    "work": work,
}


def _status(of: Deployment, key: str | None) -> int:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    request = urllib.request.Request(f"{of.api}/v1/clients?limit=1", headers=headers)
    # The emulator listens on the loopback address: no proxy of the user's environment may apply.
    opener = urllib.request.build_opener(*([urllib.request.ProxyHandler({})] if of.local else []))
    try:
        with opener.open(request, timeout=_SECONDS) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def _is_verified(ses: Any, identity: str) -> bool:
    try:
        return bool(ses.get_email_identity(EmailIdentity=identity).get("VerifiedForSendingStatus"))
    except ses.exceptions.NotFoundException:
        return False


def _mappings(of: Deployment) -> Iterator[tuple[str, dict[str, Any]]]:
    functions = of.client("lambda")
    for name in of.functions:
        # Event sources belong to the alias; the emulator has none.
        called = name if of.local else f"{name}:live"
        for mapping in functions.list_event_source_mappings(FunctionName=called)["EventSourceMappings"]:
            yield name, mapping


def _is_on(mapping: dict[str, Any]) -> bool:
    return mapping["State"] in ("Enabled", "Updating", "Creating")
