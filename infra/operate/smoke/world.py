"""The deployment, the callers and the receiver of a play."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from infra.local.demo.callers import Caller, Merchant
from infra.local.demo.mailbox import Mailbox
from infra.local.demo.receiver import SALES, Receiver
from infra.local.demo.scenario import Failure, Scenario
from infra.local.demo.steps import Sale, Setup
from infra.operate import moments
from infra.operate.options import Options
from infra.operate.stack import Deployment

SIMULATOR = "{}@simulator.amazonses.com"
"""Addresses of SES that play a mailbox; they do not count for the account's reputation."""

RUN_MARK = "smoke"
"""The beginning of every name that a play makes."""


@dataclass
class Tenant:
    """A client of the play, and the key to revoke at the end."""

    merchant: Merchant
    company: str
    key_id: str


@dataclass
class World:
    """All that the steps share."""

    deployment: Deployment
    scenario: Scenario
    operator: Caller
    receiver: Receiver | None
    """None on AWS without an address that forwards to this machine."""
    receiver_url: str
    sales: int
    """How many sales are replayed."""
    mark: str
    """Names the play: "smoke 2026-11-27 20:15:06"."""
    companies: dict[str, str] = field(default_factory=dict)
    tenants: dict[str, Tenant] = field(default_factory=dict)
    connections: dict[str, str] = field(default_factory=dict)
    """The id of a connection of `source`, by the name of its target."""
    customers: dict[str, str] = field(default_factory=dict)
    sale: Sale | None = None
    """The sale between the two companies."""
    cart: str = ""
    """The cart of that sale."""
    import_id: str = ""

    @property
    def local(self) -> bool:
        """Whether the emulator plays AWS."""
        return self.deployment.local

    def who(self, name: str) -> Merchant:
        """A client by its short name: source, sister, target."""
        return self.tenants[name].merchant

    @property
    def mailbox(self) -> Mailbox:
        """The sent mails; on the emulator only."""
        return Mailbox(self.deployment.outputs["SentMailsUrl"])

    def setup(self) -> Setup:
        """This world as the demo's steps take it."""
        assert self.receiver
        stack = {"apiUrl": self.deployment.api}
        return Setup(self.scenario, stack, self.operator, Mailbox(""), self.receiver)

    def client(self, service: str) -> Any:
        """The client of a service of AWS."""
        return self.deployment.client(service)


@contextmanager
def opened(deployment: Deployment, scenario: Scenario, options: Options) -> Iterator[World]:
    """Start the receiver, if callbacks can reach it. Raises a `Failure` if its port is taken."""
    operator = Caller("operator", deployment.operator_key, deployment.api, scenario)
    scenario.hide(deployment.operator_key, 4)
    mark = f"{RUN_MARK} {moments.now():%Y-%m-%d %H:%M:%S}"
    url = (options.receiver_url or "").rstrip("/")
    if not (deployment.local or url):
        yield World(deployment, scenario, operator, None, "", options.sales, mark)
        return
    try:
        receiver = Receiver(options.receiver_port if url else 0)
    except OSError as error:
        raise Failure("the receiver of callbacks", f"a free port {options.receiver_port}", str(error)) from error
    with receiver:
        address = f"{url}{SALES}" if url else receiver.url(SALES)
        yield World(deployment, scenario, operator, receiver, address, options.sales, mark)
