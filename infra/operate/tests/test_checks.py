"""The checks of a deployment."""

from __future__ import annotations

import unittest
import unittest.mock
from typing import Any

from infra.operate import checks
from infra.operate.stack import Deployment
from infra.operate.tests.case import Sqs, output_of, stack

SENDER = "tandem@example.com"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:tandem-on-call"


class NotFound(Exception):
    """The identity does not exist."""


class Account:
    """A fake account in which all is well."""

    def __init__(self) -> None:
        self.exceptions = unittest.mock.Mock(NotFoundException=NotFound)
        self.identities = {"example.com": True}
        self.ses: dict[str, Any] = {"SendingEnabled": True, "ProductionAccessEnabled": True}
        self.mappings = {"deliver": 100, "import": 20, "mails": 5, "relay": None}
        self.state = "Enabled"
        self.free = 798
        self.weights: dict[str, float] = {}
        self.runs = 9.0
        self.raised: list[str] = []
        self.subscription = "arn:aws:sns:::1"
        self.protected = True

    def get_email_identity(self, EmailIdentity: str) -> dict[str, Any]:
        if EmailIdentity not in self.identities:
            raise NotFound
        return {"VerifiedForSendingStatus": self.identities[EmailIdentity]}

    def get_account(self) -> dict[str, Any]:
        return self.ses

    def get_alias(self, FunctionName: str, Name: str) -> dict[str, Any]:
        return {"RoutingConfig": {"AdditionalVersionWeights": self.weights}} if self.weights else {}

    def list_event_source_mappings(self, FunctionName: str) -> dict[str, Any]:
        name, _, alias = FunctionName.partition(":")
        assert alias == "live"
        if name not in self.mappings:
            return {"EventSourceMappings": []}
        most = self.mappings[name]
        scaling = {"ScalingConfig": {"MaximumConcurrency": most}} if most else {}
        return {"EventSourceMappings": [{"State": self.state} | scaling]}

    def get_account_settings(self) -> dict[str, Any]:
        return {"AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": self.free}}

    def get_metric_statistics(self, **_: Any) -> dict[str, Any]:
        return {"Datapoints": [{"Sum": self.runs}] if self.runs else []}

    def get_paginator(self, _: str) -> Any:
        alarms = [{"AlarmName": name, "StateValue": "ALARM"} for name in self.raised]
        page = {"MetricAlarms": [*alarms, {"AlarmName": "tandem-Other", "StateValue": "INSUFFICIENT_DATA"}]}
        return unittest.mock.Mock(paginate=lambda **_: [page])

    def list_subscriptions_by_topic(self, TopicArn: str) -> dict[str, Any]:
        return {"Subscriptions": [{"SubscriptionArn": self.subscription}]}

    def describe_continuous_backups(self, TableName: str) -> dict[str, Any]:
        status = "ENABLED" if self.protected else "DISABLED"
        return {
            "ContinuousBackupsDescription": {"PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": status}}
        }

    def describe_table(self, TableName: str) -> dict[str, Any]:
        return {"Table": {"DeletionProtectionEnabled": self.protected}}

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        assert StackName == "tandem-data"
        return {"Stacks": [{"EnableTerminationProtection": self.protected}]}


class Checks(unittest.TestCase):
    """A deployment in production."""

    def setUp(self) -> None:
        self.account = Account()
        self.codes: dict[str | None, int] = {None: 401, "key": 200}
        code = unittest.mock.patch.object(checks, "_status", lambda _, key: self.codes[key])
        quiet = unittest.mock.patch.dict(checks.CHECKS, work=lambda _: (True, "no dead letters"))
        for patch in (code, quiet):
            patch.start()
            self.addCleanup(patch.stop)

    def failed(self, local: bool = False, **parameters: str) -> dict[str, str]:
        given = {"Stage": "production", "MailSender": SENDER, "AlarmTopicArn": TOPIC} | parameters
        names = ("deliver", "import", "mails", "relay", "carts")
        outputs = {f"{name}FunctionName": name for name in names} | {"SweepOutboxFunctionName": "sweep"}
        deployment = Deployment(
            stack=stack(Sqs()),
            outputs=outputs,
            parameters=given,
            api="https://api.example",
            operator_key="key",
            client=lambda _: self.account,
            name="tandem",
            local=local,
        )
        codes: list[int] = []
        output = output_of(lambda: codes.append(checks.run(deployment)))
        found = {line.split()[0]: line for line in output.splitlines() if " FAILED " in line}
        self.assertEqual(codes, [1 if found else 0])
        return found

    def test_a_good_deployment_passes_every_check(self) -> None:
        self.assertEqual(self.failed(), {})

    def test_each_defect_fails_its_check_only(self) -> None:
        for name, defect in (
            ("strangers", lambda a: self.codes.update({None: 200})),
            ("operator", lambda a: self.codes.update({"key": 500})),
            ("mails", lambda a: a.identities.update({"example.com": False})),
            ("mails", lambda a: a.identities.clear()),
            ("mails", lambda a: a.ses.update(ProductionAccessEnabled=False)),
            ("mails", lambda a: a.ses.update(SendingEnabled=False)),
            ("aliases", lambda a: a.weights.update({"2": 0.1})),
            ("triggers", lambda a: setattr(a, "state", "Disabled")),
            ("triggers", lambda a: a.mappings.pop("relay")),
            ("concurrency", lambda a: setattr(a, "free", 174)),
            ("sweep", lambda a: setattr(a, "runs", 0)),
            ("alarms", lambda a: a.raised.append("tandem-ApiErrorsAlarm")),
            ("alarms", lambda a: setattr(a, "subscription", "PendingConfirmation")),
            ("protection", lambda a: setattr(a, "protected", False)),
        ):
            self.account, self.codes = Account(), {None: 401, "key": 200}
            defect(self.account)
            self.assertEqual(list(self.failed()), [name])

    def test_the_sandbox_and_silent_alarms_are_fine_in_dev(self) -> None:
        self.account.ses.update(ProductionAccessEnabled=False)
        self.assertEqual(self.failed(Stage="dev", AlarmTopicArn=""), {})

    def test_a_check_that_cannot_run_fails(self) -> None:
        with unittest.mock.patch.object(self.account, "get_account", side_effect=OSError("no route")):
            self.assertIn("cannot be checked: OSError('no route')", self.failed()["mails"])
