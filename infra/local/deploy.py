"""Deploys the two templates on the emulator, through the same calls that a deployment to AWS makes."""

from __future__ import annotations

import json
import os
import platform
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from infra.local import translate
from infra.local.binaries import Package
from infra.local.emulator import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, Emulator
from infra.local.layout import State
from infra.local.say import Problem, step

STACK = "tandem-local"
DATA_STACK = f"{STACK}-data"
MAIL_SENDER = "tandem@merchants.example"
_BUCKET = "deployment-packages"
_STACK_SECONDS = 120.0


def parameters() -> dict[str, str]:
    """The parameters that differ from the template's defaults."""
    chosen = {
        "Stage": "dev",
        "Architecture": {"aarch64": "arm64"}.get(platform.machine(), platform.machine()),
        "MailSender": MAIL_SENDER,
        # Receivers of callbacks in tests and in the demo listen here, on plain http.
        "LocalCallbackTargets": "127.0.0.1",
        # Seconds until a failed message reappears; minutes in production.
        "CallbackVisibilityTimeout": "10",
        "MailVisibilityTimeout": "10",
        "ImportVisibilityTimeout": "10",
    }
    schedule = os.environ.get("TANDEM_CALLBACK_RETRY_SCHEDULE")
    if schedule:
        chosen["CallbackRetrySchedule"] = schedule
    return chosen


def deploy(emulator: Emulator, packages: list[Package], template: translate.Template, state: State) -> dict[str, Any]:
    """Create the stack and return its description, the content of stack.json.

    Raises a `Problem` that names the failed resource and the reason.
    """
    aws = _Aws(emulator.endpoint)
    try:
        with step(f"uploading {len(packages)} packages"):
            code = _upload(aws, packages)
        with step("creating the stack"):
            aws.sesv2.create_email_identity(EmailIdentity=MAIL_SENDER)
            stage = {"Stage": parameters()["Stage"]}
            _create_stack(aws, DATA_STACK, translate.read_data(), stage, state.folder / "data.json")
            chosen = parameters() | _outputs(aws, DATA_STACK)
            translated = translate.to_cloudformation(template, code)
            _create_stack(aws, STACK, translated, chosen, state.folder / "template.json")
        return _describe(aws, emulator, state)
    except (ClientError, BotoCoreError) as error:
        raise Problem(f"the deployment failed: {error}") from error


class _Aws:
    """Clients of the emulator's services."""

    def __init__(self, endpoint: str) -> None:
        session = boto3.Session(ACCESS_KEY_ID, SECRET_ACCESS_KEY, region_name=REGION)
        # No proxy of the user's environment applies to the loopback address.
        config = Config(retries={"max_attempts": 1}, proxies={}, s3={"addressing_style": "path"})

        def client(name: str) -> Any:
            return session.client(name, endpoint_url=endpoint, config=config)

        self.cloudformation = client("cloudformation")
        self.s3 = client("s3")
        self.secretsmanager = client("secretsmanager")
        self.sesv2 = client("sesv2")


def _upload(aws: _Aws, packages: list[Package]) -> dict[str, dict[str, str]]:
    aws.s3.create_bucket(Bucket=_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})

    def put(package: Package) -> None:
        aws.s3.put_object(Bucket=_BUCKET, Key=package.path.name, Body=package.path.read_bytes())

    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(put, packages))
    return {package.binary: {"Bucket": _BUCKET, "Key": package.path.name} for package in packages}


def _create_stack(aws: _Aws, name: str, template: translate.Template, chosen: dict[str, str], written: Path) -> None:
    text = json.dumps(template, indent=1)
    written.write_text(text)
    aws.s3.put_object(Bucket=_BUCKET, Key=written.name, Body=text.encode())
    aws.cloudformation.create_stack(
        StackName=name,
        TemplateURL=f"{aws.s3.meta.endpoint_url}/{_BUCKET}/{written.name}",
        Capabilities=["CAPABILITY_IAM"],
        OnFailure="DO_NOTHING",
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in chosen.items()],
    )
    deadline = time.monotonic() + _STACK_SECONDS
    while (status := _stack(aws, name)["StackStatus"]) == "CREATE_IN_PROGRESS":
        if time.monotonic() > deadline:
            raise Problem(f"the stack {name} was not created within {_STACK_SECONDS:.0f} s")
        time.sleep(0.1)
    if status != "CREATE_COMPLETE":
        raise Problem(f"the stack {name} could not be created: {_first_failure(aws, name)}")


def _stack(aws: _Aws, name: str) -> dict[str, Any]:
    return dict(aws.cloudformation.describe_stacks(StackName=name)["Stacks"][0])


def _outputs(aws: _Aws, name: str) -> dict[str, str]:
    return {output["OutputKey"]: output["OutputValue"] for output in _stack(aws, name)["Outputs"]}


def _first_failure(aws: _Aws, name: str) -> str:
    events = aws.cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    failures = [event for event in events if event["ResourceStatus"].endswith("FAILED")]
    if not failures:
        return str(_stack(aws, name).get("StackStatusReason", "no reason given"))
    first = min(failures, key=lambda event: event["Timestamp"])
    return f"{first['LogicalResourceId']}: {first.get('ResourceStatusReason', 'no reason given')}"


def _describe(aws: _Aws, emulator: Emulator, state: State) -> dict[str, Any]:
    outputs = _outputs(aws, STACK)
    known = {key[:1].lower() + key[1:]: value for key, value in outputs.items()}
    api = known.pop("apiUrl").removeprefix("https://").partition(".")[0]  # https://API.execute-api.REGION...
    for key in [key for key in known if key.endswith("QueueUrl")]:
        known[key.removesuffix("Url") + "Name"] = known[key].rpartition("/")[2]
    operator_key = aws.secretsmanager.get_secret_value(SecretId=outputs["OperatorKeySecretArn"])["SecretString"]
    return {
        "apiUrl": f"{emulator.endpoint}/_aws/execute-api/{api}",
        "operatorKey": operator_key,
        "awsEndpoint": emulator.endpoint,
        "region": REGION,
        "stackName": STACK,
        "awsAccessKeyId": ACCESS_KEY_ID,
        "awsSecretAccessKey": SECRET_ACCESS_KEY,
        "mailSender": MAIL_SENDER,
        "sentMailsUrl": f"{emulator.endpoint}/_ministack/ses/messages",
        "functionLogs": str(state.function_logs),
        "exchanges": str(state.exchanges),
    } | known
