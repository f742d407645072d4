"""The settings of a stage, the packages, and the order of a deployment."""

from __future__ import annotations

import contextlib
import io
import tempfile
import unittest
import unittest.mock
from pathlib import Path
from typing import Any

from infra.deploy import deploy, package, packages, settings, stacks
from infra.deploy.settings import Settings
from infra.local.layout import ROOT
from infra.local.say import Problem

ARM, X86 = (b"\x7fELF" + bytes(14) + machine + b"\0" for machine in (b"\xb7", b"\x3e"))
TOPIC = "arn:aws:sns:eu-central-1:123456789012:alarms"


class Folder(unittest.TestCase):
    """A test with a temporary folder."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        quiet = contextlib.redirect_stderr(io.StringIO())
        quiet.__enter__()
        self.addCleanup(quiet.__exit__, None, None, None)


class ReadingSettings(Folder):
    """samconfig.toml."""

    def read(self, text: str, stage: str = "staging") -> Settings:
        path = self.folder / "samconfig.toml"
        path.write_text(text)
        return settings.read(stage, path)

    def test_the_example_has_valid_settings_of_each_stage(self) -> None:
        for stage in settings.STAGES:
            read = settings.read(stage, ROOT / "samconfig.toml.example")
            self.assertEqual((read.stack, read.data_stack), (f"tandem-{stage}", f"tandem-{stage}-data"))
            self.assertEqual(read.tags["stage"], stage)

    def test_overrides_may_be_a_list_or_one_text(self) -> None:
        head = '[staging.deploy.parameters]\nstack_name = "t"\nregion = "eu-central-1"\n'
        for overrides in ('["MailSender=a@b.example", "DomainName="]', '"MailSender=a@b.example DomainName=\\"\\""'):
            read = self.read(f"{head}parameter_overrides = {overrides}\n")
            self.assertEqual(read.parameters, {"MailSender": "a@b.example", "DomainName": ""})

    def test_a_missing_or_wrong_setting_is_named(self) -> None:
        head = '[{0}.deploy.parameters]\nstack_name = "t"\nregion = "r"\nparameter_overrides = [{1}]\n'
        for text, stage, reason in (
            ("", "staging", r"no section \[staging.deploy.parameters\]"),
            ("[staging", "staging", "is not TOML"),
            ('[staging.deploy.parameters]\nstack_name = "t"', "staging", "lacks region"),
            (head.format("staging", ""), "staging", "lacks MailSender"),
            (head.format("staging", '"MailSender"'), "staging", 'must be a list of "NAME=VALUE"'),
            (head.format("staging", '"MailSender=a@b", "Stage=dev"'), "staging", "sets Stage by itself"),
            (head.format("production", '"MailSender=a@b"'), "production", "production needs AlarmTopicArn"),
        ):
            with self.assertRaisesRegex(Problem, reason):
                self.read(text, stage)

    def test_without_samconfig_the_example_is_named(self) -> None:
        with self.assertRaisesRegex(Problem, "samconfig.toml is missing; copy samconfig.toml.example"):
            settings.read("dev", self.folder / "samconfig.toml")


class Packages(Folder):
    """dist/."""

    def put(self, name: str, content: bytes) -> None:
        (self.folder / name).mkdir(exist_ok=True)
        (self.folder / name / "bootstrap").write_bytes(content)

    def test_the_processor_is_read_from_the_binaries(self) -> None:
        for content, expected in ((ARM, "arm64"), (X86, "x86_64")):
            self.put("carts", content)
            self.assertEqual(packages.architecture(self.folder, ["carts"]), expected)

    def test_incomplete_or_mixed_packages_are_refused(self) -> None:
        self.put("carts", ARM)
        with self.assertRaisesRegex(Problem, "lacks offers; run `make package`"):
            packages.architecture(self.folder, ["carts", "offers"])
        self.put("offers", X86)
        with self.assertRaisesRegex(Problem, "offers and carts are built for different processors"):
            packages.architecture(self.folder, ["carts", "offers"])
        self.put("offers", b"#!/bin/sh\n")
        with self.assertRaisesRegex(Problem, "offers/bootstrap is no Linux binary"):
            packages.architecture(self.folder, ["carts", "offers"])

    def test_the_digest_follows_code_and_parameters(self) -> None:
        self.put("carts", ARM)
        first = packages.digest(self.folder, ["carts"], {"TableName": "a"})
        self.assertEqual(first, packages.digest(self.folder, ["carts"], {"TableName": "a"}))
        self.assertRegex(first, "^[0-9a-f]{16}$")  # SAM makes it a part of a logical id
        self.assertNotEqual(first, packages.digest(self.folder, ["carts"], {"TableName": "b"}))
        self.put("carts", X86)
        self.assertNotEqual(first, packages.digest(self.folder, ["carts"], {"TableName": "a"}))

    def test_a_missing_rust_target_is_named_and_not_installed(self) -> None:
        libraries = self.folder / "lib" / "rustlib" / "x86_64-unknown-linux-gnu" / "lib"
        libraries.mkdir(parents=True)
        package.require_target(self.folder, "x86_64")
        expected = "rustup target add aarch64-unknown-linux-gnu, or .* make package ARCHITECTURE=x86_64"
        with self.assertRaisesRegex(Problem, expected):
            package.require_target(self.folder, "arm64")

    def test_one_cargo_invocation_builds_all_functions(self) -> None:
        words = package.command("arm64")
        self.assertEqual(words.count("build"), 1)
        self.assertFalse({"--bin", "--package", "--workspace"} & set(words))


class Account:
    """A fake account: the data's stack has outputs, and one table was restored."""

    def __init__(self, log: list[Any]) -> None:
        self.log = log

    def outputs(self, stack: str) -> dict[str, str]:
        outputs = ("TableName", "TableArn", "TableStreamArn", "EncryptionKeyArn", "OperatorKeySecretArn")
        return {name: f"{stack} {name}" for name in (*outputs, "DataKeySecretArn")}

    def secret_version(self, arn: str) -> str:
        return f"version of {arn}"

    def protect(self, stack: str, policy: bool) -> None:
        self.log.append(("protect", stack, policy))

    def table(self, name: str) -> dict[str, str]:
        return {"TableName": name, "TableArn": f"arn {name}", "TableStreamArn": f"stream {name}"}


class Deploying(Folder):
    """The calls of a deployment, in order."""

    def deploy(self, stage: str = "staging", **parameters: str) -> list[Any]:
        log: list[Any] = []
        chosen = Settings(
            stage=stage,
            stack="tandem",
            region="eu-central-1",
            parameters={"MailSender": "a@b.example"} | parameters,
            tags={"stage": stage},
        )

        def sam(words: list[str]) -> int:
            overrides = words[words.index("--parameter-overrides") + 1 :]
            log.append((words[words.index("--stack-name") + 1], dict(word.split("=", 1) for word in overrides)))
            return 0

        with unittest.mock.patch.object(packages, "digest", return_value="0123") as digest:
            deploy.deploy(chosen, Account(log), "arm64", [], False, sam)  # type: ignore[arg-type]
        self.digested = digest.call_args.args[2]
        return log

    def test_a_changed_data_key_starts_all_functions_again(self) -> None:
        self.deploy()
        self.assertEqual(self.digested["data key"], "version of tandem-data DataKeySecretArn")

    def test_the_data_is_protected_before_the_functions(self) -> None:
        data, protection, functions = self.deploy()
        self.assertEqual(data, ("tandem-data", {"Stage": "staging"}))
        self.assertEqual(protection, ("protect", "tandem-data", True))
        name, parameters = functions
        self.assertEqual(name, "tandem")
        self.assertEqual(parameters["TableArn"], "tandem-data TableArn")
        self.assertEqual((parameters["Architecture"], parameters["Release"]), ("arm64", "0123"))

    def test_production_is_protected_as_a_whole(self) -> None:
        self.assertEqual(self.deploy("production", AlarmTopicArn=TOPIC)[-1], ("protect", "tandem", False))

    def test_a_named_table_is_adopted_with_its_stream(self) -> None:
        _, parameters = self.deploy(TableName="restored")[-1]
        self.assertEqual(parameters["TableName"], "restored")
        self.assertEqual(parameters["TableArn"], "arn restored")
        self.assertEqual(parameters["TableStreamArn"], "stream restored")

    def test_existing_keys_and_secrets_are_adopted(self) -> None:
        _, parameters = self.deploy(EncryptionKeyArn="key", DataKeySecretArn="secret")[-1]
        self.assertEqual((parameters["EncryptionKeyArn"], parameters["DataKeySecretArn"]), ("key", "secret"))

    def test_a_failed_step_ends_the_deployment(self) -> None:
        log: list[Any] = []
        chosen = Settings("dev", "tandem", "r", {"MailSender": "a@b.example"}, {})
        with self.assertRaisesRegex(Problem, "the deployment of tandem-data failed"):
            deploy.deploy(chosen, Account(log), "arm64", [], False, lambda _: 1)  # type: ignore[arg-type]
        self.assertEqual(log, [])


class Tables(unittest.TestCase):
    """A table that the data's stack did not create."""

    def test_a_table_without_a_stream_is_refused(self) -> None:
        ready = {"TableStatus": "ACTIVE", "TableArn": "arn", "LatestStreamArn": "stream"}
        for table, reason in (
            (ready, "has no stream"),
            (ready | {"TableStatus": "CREATING"}, "is CREATING"),
        ):
            session = unittest.mock.Mock()
            session.client.return_value.describe_table.return_value = {"Table": table}
            with self.assertRaisesRegex(Problem, reason):
                stacks.Account("r", session).table("restored")
