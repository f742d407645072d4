"""The template for the emulator means what the template means to AWS."""

from __future__ import annotations

import json
import unittest
from typing import Any

from infra.local import gaps, translate
from infra.local.binaries import named_in


class Bridging(unittest.TestCase):
    """The two templates, translated for the emulator."""

    names: list[str]
    template: dict[str, Any]

    @classmethod
    def setUpClass(cls) -> None:
        template = translate.read()
        cls.names = named_in(template)
        code = {name: {"Bucket": "packages", "Key": name} for name in cls.names}
        cls.template = translate.to_cloudformation(template, code)

    def test_no_resource_needs_codedeploy_or_an_alias(self) -> None:
        types = {resource["Type"] for resource in self.template["Resources"].values()}
        self.assertFalse({kind for kind in types if "CodeDeploy" in kind or kind.endswith((":Alias", ":Version"))})
        self.assertNotIn(".Alias", json.dumps(self.template))

    def test_each_function_has_its_own_package(self) -> None:
        functions = [r for r in self.template["Resources"].values() if r["Type"] == "AWS::Lambda::Function"]
        self.assertEqual(sorted(f["Properties"]["Code"]["S3Key"] for f in functions), self.names)

    def test_alarms_with_metric_math_watch_their_first_metric(self) -> None:
        alarm = self.template["Resources"]["ImportDeadLettersAlarm"]["Properties"]
        self.assertNotIn("Metrics", alarm)
        self.assertEqual(alarm["MetricName"], "ApproximateNumberOfMessagesVisible")
        self.assertEqual((alarm["Statistic"], alarm["Period"]), ("Maximum", 60))

    def test_no_condition_names_the_sender_of_mails(self) -> None:
        role = json.dumps(self.template["Resources"]["SendMailsRole"])
        self.assertIn("ses:SendEmail", role)
        self.assertNotIn("ses:FromAddress", role)

    def test_the_data_puts_out_the_arns_of_its_secrets(self) -> None:
        outputs = translate.read_data()["Outputs"]
        self.assertEqual(outputs["DataKeySecretArn"]["Value"], {"Fn::GetAtt": ["DataKey", "Id"]})

    def test_a_template_without_aliases_stays(self) -> None:
        template = {"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"A": {"Ref": "B"}}}}}
        self.assertEqual(gaps.without_rollout(template), template)
