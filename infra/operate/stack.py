"""The table and the queues of a deployed stack, and the clients of its services."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from infra.local.say import Problem
from infra.operate.options import Options
from infra.operate.requests import Files, Insights, Log


@dataclass(frozen=True)
class Queue:
    """A queue; the dead-letter queue of a work queue has the same `kind`."""

    kind: str
    url: str
    dead: bool

    @property
    def label(self) -> str:
        """The name shown to people."""
        return f"{self.kind}, dead letters" if self.dead else self.kind


@dataclass(frozen=True)
class Stack:
    """The resources of a stack."""

    table: str
    queues: tuple[Queue, ...]
    sqs: Any
    dynamodb: Any
    cloudwatch: Any
    functions: Any
    """The client of Lambda."""
    note_mail_events: str
    """The name of the function."""
    secrets: Any = None
    """The client of Secrets Manager."""
    data_key_secret: str = ""
    """The ARN of the secret with the data key."""
    log: Log | None = None

    def queue(self, kind: str, dead: bool) -> Queue:
        """The work queue of a kind, or its dead-letter queue."""
        return next(queue for queue in self.queues if (queue.kind, queue.dead) == (kind, dead))


@dataclass(frozen=True)
class Deployment:
    """A deployed stack with all that a check reads."""

    stack: Stack
    outputs: dict[str, str]
    parameters: dict[str, str]
    api: str
    operator_key: str
    client: Callable[[str], Any]
    """The client of a service, by its name."""
    name: str
    local: bool = False

    @property
    def functions(self) -> list[str]:
        """The names of all functions."""
        return [value for key, value in sorted(self.outputs.items()) if key.endswith("FunctionName")]

    @property
    def production(self) -> bool:
        """Whether the stage is production."""
        return self.parameters.get("Stage") == "production"


@dataclass(frozen=True)
class Access:
    """A stack's outputs, and the clients to reach its services."""

    outputs: dict[str, str]
    session: Any
    endpoint: str | None

    def client(self, service: str) -> Any:
        """The client of a service."""
        # The emulator listens on the loopback address: no proxy of the user's environment may apply.
        config = Config(connect_timeout=5, read_timeout=30, **({"proxies": {}} if self.endpoint else {}))
        return self.session.client(service, endpoint_url=self.endpoint, config=config)


def of(options: Options) -> Stack:
    """Find the selected stack. Raises a `Problem` if there is none."""
    return _built(_access(options))


def deployment(options: Options) -> Deployment:
    """Find the selected stack with its parameters, for `smoke`."""
    access = _access(options)
    outputs, local = access.outputs, access.endpoint is not None
    name = outputs["StackName"] if local else str(options.stack_name)
    parameters = access.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]["Parameters"]
    secret = access.client("secretsmanager").get_secret_value(SecretId=outputs["OperatorKeySecretArn"])
    return Deployment(
        stack=_built(access),
        outputs=outputs,
        parameters={one["ParameterKey"]: one["ParameterValue"] for one in parameters},
        api=outputs["ApiUrl"],
        operator_key=secret["SecretString"],
        client=access.client,
        name=name,
        local=local,
    )


def _access(options: Options) -> Access:
    if options.stack_name:
        session = boto3.Session()
        if not session.region_name:
            raise Problem("no region is set; set AWS_REGION, or choose a profile by AWS_PROFILE")
        return Access(_outputs(session, options.stack_name), session, None)
    try:
        known = json.loads(options.description.read_text())
    except (OSError, ValueError):
        raise Problem(f"no stack is up ({options.description} does not exist); start one with `make up`") from None
    session = boto3.Session(known["awsAccessKeyId"], known["awsSecretAccessKey"], region_name=known["region"])
    outputs = {name[:1].upper() + name[1:]: value for name, value in known.items()}
    return Access(outputs, session, known["awsEndpoint"])


def _outputs(session: Any, name: str) -> dict[str, str]:
    stacks = session.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}


def _built(access: Access) -> Stack:
    outputs, client = access.outputs, access.client
    words = (("callbacks", "Callback"), ("mails", "Mail"), ("imports", "Import"))
    try:
        work = [Queue(kind, outputs[f"{word}QueueUrl"], dead=False) for kind, word in words]
        dead = [Queue(kind, outputs[f"{word}DeadLetterQueueUrl"], dead=True) for kind, word in words]
        dead.append(Queue("triggers", outputs["TriggerFailureQueueUrl"], dead=True))
        dead.append(Queue("mail-events", outputs["MailEventFailureQueueUrl"], dead=True))
        table, function = outputs["TableName"], outputs["NoteMailEventsFunctionName"]
        data_key = outputs["DataKeySecretArn"]
    except KeyError as output:
        raise Problem(f"the stack has no output {output}; is it a stack of Tandem, of this release?") from None
    return Stack(
        table=table,
        queues=(*work, *dead),
        sqs=client("sqs"),
        dynamodb=client("dynamodb"),
        cloudwatch=client("cloudwatch"),
        functions=client("lambda"),
        note_mail_events=function,
        secrets=client("secretsmanager"),
        data_key_secret=data_key,
        log=_log(access),
    )


def _log(access: Access) -> Log:
    if access.endpoint is not None:
        return Files(Path(access.outputs["FunctionLogs"]))
    functions = sorted(value for key, value in access.outputs.items() if key.endswith("FunctionName"))
    return Insights(access.client("logs"), [f"/aws/lambda/{name}" for name in functions])
