"""The play of ``smoke``: how it reports its steps, and its rollback. `played_smoke.py` plays it on the local stack."""

from __future__ import annotations

import contextlib
import io
import logging
import unittest
import unittest.mock
from collections.abc import Callable
from pathlib import Path
from typing import Any

from infra.local import translate
from infra.local.binaries import named_in
from infra.local.demo.callers import Merchant
from infra.local.demo.scenario import Failure, Scenario
from infra.operate import checks, smoke
from infra.operate.options import Options, parse
from infra.operate.smoke import play, rollback, script, story, world
from infra.operate.smoke.play import Step
from infra.operate.smoke.world import Tenant, World
from infra.operate.stack import Deployment
from infra.operate.tests.case import Sqs, stack


def deployment(client: Callable[[str], Any] = lambda _: None, local: bool = False, stage: str = "dev") -> Deployment:
    """A stack on AWS."""
    outputs = {"NoteMailEventsFunctionName": "tandem-note-mail-events"}
    parameters = {"Stage": stage}
    return Deployment(stack(Sqs()), outputs, parameters, "https://api.example", "key", client, "tandem", local)


class Playing(unittest.TestCase):
    """The verdicts of steps, and the output."""

    def setUp(self) -> None:
        self.out = io.StringIO()
        self.played: list[str] = []

    def step(self, name: str, error: Exception | None = None, **members: Any) -> Step:
        def act(_: World) -> None:
            self.played.append(name)
            if error:
                raise error

        return Step(name, f"The title of {name}", act, f"look at {name}", **members)

    def run_steps(self, *steps: Step) -> int:
        with world.opened(deployment(), Scenario(self.out), Options("smoke", "tandem", Path())) as opened:
            return play.run(opened, steps)

    def test_a_failed_step_names_itself_the_finding_and_the_remedy(self) -> None:
        code = self.run_steps(self.step("sale", Failure("the purchase", "201", "503")))
        self.assertEqual(code, 1)
        for line in ("step      The title of sale", "expected  201", "found     503", "to do     look at sale"):
            self.assertIn(line, self.out.getvalue())

    def test_steps_that_need_a_failed_one_are_skipped_and_others_run(self) -> None:
        code = self.run_steps(
            self.step("sale", ValueError("no JSON")),
            self.step("refund", needs=("sale",)),
            self.step("again", needs=("refund",)),
            self.step("clean"),
        )
        self.assertEqual((code, self.played), (1, ["sale", "clean"]))
        self.assertIn("it needs the step `sale`", self.out.getvalue())
        self.assertRegex(self.out.getvalue(), r"passed +1  clean\nskipped +2  refund, again\nfailed +1  sale\n$")

    def test_a_skipped_step_says_why_and_has_not_passed(self) -> None:
        code = self.run_steps(self.step("rollback", skipped=lambda _: "one version"))
        self.assertEqual((code, self.played), (0, []))
        self.assertRegex(self.out.getvalue(), r"SKIPPED +one version\n")
        self.assertRegex(self.out.getvalue(), r"passed +0\nskipped +1  rollback\nfailed +0\n$")

    def test_without_a_receiver_all_steps_with_callbacks_are_skipped(self) -> None:
        with world.opened(deployment(), Scenario(self.out), Options("smoke", "tandem", Path())) as opened:
            self.assertIsNone(opened.receiver)
            skipped = [step.name for step in script.STEPS if step.name != "rollback" and step.skipped(opened)]
        after = [step.name for step in script.STEPS if "callback" in step.needs]
        self.assertEqual((skipped, after), (["callback"], ["after", "replay"]))

    def test_callbacks_go_to_the_given_address_and_arrive_at_the_port(self) -> None:
        options = Options("smoke", "tandem", Path(), receiver_url="https://smoke.example/")
        with world.opened(deployment(), Scenario(self.out), options) as opened:
            self.assertEqual(opened.receiver_url, "https://smoke.example/tandem")
            assert opened.receiver
            port = int(opened.receiver.url("").rpartition(":")[2])
            taken = Options("smoke", "tandem", Path(), receiver_url="https://smoke.example", receiver_port=port)
            with self.assertRaises(Failure), world.opened(deployment(), Scenario(self.out), taken):
                self.fail("the port is taken")

    def test_each_step_needs_only_earlier_ones_and_the_last_cleans(self) -> None:
        names = [step.name for step in script.STEPS]
        for number, step in enumerate(script.STEPS):
            self.assertLessEqual(set(step.needs), set(names[:number]), step.name)
        self.assertEqual((names[-1], script.STEPS[-1].needs), ("clean", ()))

    def test_production_is_checked_and_not_played_unless_asked(self) -> None:
        with unittest.mock.patch.object(checks, "run", lambda _: 0):
            for arguments, played in (([], False), (["--in-production"], True), (["--checks-only"], False)):
                options = parse(["smoke", "--stack-name", "tandem", *arguments])
                with (
                    unittest.mock.patch.object(play, "run", return_value=0) as run,
                    contextlib.redirect_stdout(self.out),
                ):
                    self.assertEqual(smoke.run(deployment(stage="production"), options), 0)
                self.assertEqual(run.called, played, arguments)
        self.assertIn("skipped: the story, because the stage is production", self.out.getvalue())


class Mails(unittest.TestCase):
    """The fate of an invitation's mail, on AWS."""

    def fate(self, wanted: Callable[[World], None], *statuses: str | None) -> str:
        """Play a step while the connection shows these statuses, one after the other."""
        answers = [{"invitationMail.status": status} for status in statuses]
        calls = unittest.mock.Mock(look=unittest.mock.Mock(side_effect=answers))
        calls.post.return_value = {"id": "con_1", "apiKey": "tdm_1", "keyId": "1"}
        source = Tenant(Merchant("cli_1", "source", "x@y.example", "en", calls), "cco_1", "1")
        operator = unittest.mock.Mock(post=calls.post)
        of = World(deployment(), Scenario(io.StringIO()), operator, None, "", 1, "smoke")
        of.tenants |= {"source": source, "sister": source}
        of.connections["sister"], of.companies["first"] = "con_1", "cco_1"
        with unittest.mock.patch("time.sleep"):
            try:
                wanted(of)
            except Failure as failure:
                return failure.found
        return "passed"

    def test_a_sent_mail_is_sent_and_a_bounced_one_first_sent(self) -> None:
        self.assertEqual(self.fate(story.mail, None, None, "sent"), "passed")
        self.assertEqual(self.fate(story.bounce, None, "sent", "sent", "bounced"), "passed")

    def test_another_fate_fails_at_once(self) -> None:
        self.assertEqual(self.fate(story.mail, None, "bounced"), "bounced")
        self.assertEqual(self.fate(story.bounce, "sent", "complained"), "complained")


class Account:
    """A fake account with CodeDeploy."""

    def __init__(self) -> None:
        self.versions = ["$LATEST", "3", "7", "12"]
        self.live = "12"
        self.weights: dict[str, float] = {}
        self.rolls_back = True
        self.stopped: list[str] = []
        self.spec = ""

    def get_alias(self, FunctionName: str, Name: str) -> dict[str, Any]:
        assert (FunctionName, Name) == ("tandem-note-mail-events", "live")
        routing = {"RoutingConfig": {"AdditionalVersionWeights": dict(self.weights)}} if self.weights else {}
        return {"FunctionVersion": self.live} | routing

    def get_paginator(self, name: str) -> Any:
        assert name == "list_versions_by_function"
        page = {"Versions": [{"Version": version} for version in self.versions]}
        return unittest.mock.Mock(paginate=lambda **_: [page])

    def describe_stack_resource(self, StackName: str, LogicalResourceId: str) -> dict[str, Any]:
        return {"StackResourceDetail": {"PhysicalResourceId": f"{StackName}-{LogicalResourceId}"}}

    def create_deployment(self, **given: Any) -> dict[str, str]:
        self.spec = given["revision"]["appSpecContent"]["content"]
        self.weights = {"7": 0.1}
        return {"deploymentId": "d-1"}

    def set_alarm_state(self, AlarmName: str, StateValue: str, StateReason: str) -> None:
        assert (AlarmName, StateValue) == ("tandem-NoteMailEventsErrorsAlarm", "ALARM")
        if self.rolls_back:
            self.weights = {}

    def get_deployment(self, deploymentId: str) -> dict[str, Any]:
        rolled = {"rollbackMessage": "the alarm is raised"}
        return {"deploymentInfo": {"status": "Stopped", "rollbackInfo": rolled}}

    def stop_deployment(self, deploymentId: str, autoRollbackEnabled: bool) -> None:
        self.stopped.append(deploymentId)


class RollingBack(unittest.TestCase):
    """A rollout that an alarm takes back."""

    def setUp(self) -> None:
        self.account, self.out = Account(), io.StringIO()
        for name, value in (("_PAUSE", 0.0), ("BACK_SECONDS", 0.2)):
            patch = unittest.mock.patch.object(rollback, name, value)
            patch.start()
            self.addCleanup(patch.stop)

    def world(self, local: bool = False) -> World:
        of = deployment(lambda _: self.account, local)
        return World(of, Scenario(self.out), unittest.mock.Mock(), None, "", 1, "smoke")

    def test_the_alias_returns_to_the_live_version(self) -> None:
        rollback.play(self.world())
        self.assertIn('"CurrentVersion": "12", "TargetVersion": "7"', self.account.spec)
        self.assertIn("the alarm is raised", self.out.getvalue())
        self.assertEqual(self.account.stopped, [])

    def test_a_rollout_that_nothing_takes_back_fails_and_is_stopped(self) -> None:
        self.account.rolls_back = False
        with self.assertRaises(Failure):
            rollback.play(self.world())
        self.assertEqual(self.account.stopped, ["d-1"])

    def test_a_first_deployment_has_nothing_to_roll_back_to(self) -> None:
        self.account.versions, self.account.live = ["$LATEST", "1"], "1"
        self.assertIn("no version before the live one", rollback.skipped(self.world()) or "")
        self.assertIn("no CodeDeploy", rollback.skipped(self.world(local=True)) or "")

    def test_the_transformed_template_has_the_resources_by_these_names(self) -> None:
        logging.disable(logging.WARNING)  # the translator's own
        self.addCleanup(logging.disable, logging.NOTSET)
        template = translate.read()
        code = {name: {"Bucket": "b", "Key": "k"} for name in named_in(template)}
        resources = translate.transformed(template, code)["Resources"]
        kinds = [resources[name]["Type"] for name in (rollback.APPLICATION, rollback.GROUP, rollback.ALARM)]
        wanted = ["AWS::CodeDeploy::Application", "AWS::CodeDeploy::DeploymentGroup", "AWS::CloudWatch::Alarm"]
        self.assertEqual(kinds, wanted)
