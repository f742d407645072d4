"""Plays a rollout by two releases in a row, with traffic between, against the stack that TANDEM_STACK names.

::

    make rollout OLDER=REVISION

The stack starts with the older release's functions. They switch to the newer release one by one, then back in reverse
order, as after a rollback. Before each switch a customer buys; vouchers are redeemed, subscriptions renewed and orders
refunded that either release sold, and orders imported. At the end nothing is lost: each purchase has its order and its
callback once, and no message became a dead letter.

On AWS, CodeDeploy moves aliases; here the code of a function is replaced. Both end with two releases on one table.
"""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from infra.local.demo import importing, steps, text
from infra.local.demo.__main__ import stack_description
from infra.local.demo.acts import euros, monthly
from infra.local.demo.callers import Caller, Merchant
from infra.local.demo.mailbox import Mailbox
from infra.local.demo.receiver import SALES, Receiver
from infra.local.demo.scenario import Failure, Scenario
from infra.local.demo.steps import Json, Setup
from infra.local.layout import ROOT

_KEPT = 3
"""A sale is redeemed, renewed and refunded one, two and three switches later."""


@dataclass
class Sold:
    """A sale, and the release of the function that made it."""

    order: str
    subscription: str
    release: str


@dataclass
class Traffic:
    """The work between two switches."""

    setup: Setup
    source: Merchant
    target: Merchant
    cart: str
    customer: str
    own_customer: str
    imported_offer: str
    sales: list[Sold] = field(default_factory=list)
    imports: int = 0
    expected: dict[str, int] = field(default_factory=dict)
    """The number of callbacks by type."""

    def beat(self, release: str) -> None:
        """A sale, the next steps of three earlier sales, and an import; each must be answered as usual."""
        body = {"customerId": self.customer, "paymentMethod": "TWINT"}
        order = self._post(self.target, f"/v1/carts/{self.cart}/purchase", body, 201)
        self.sales.append(Sold(order["id"], order["positions"][1]["subscriptionId"], release))
        self._expect("crossClientOrder.created")
        earlier = self.sales[-1 - _KEPT : -1]
        if len(earlier) == _KEPT:
            self._redeem(earlier[2])
            self._post(self.target, f"/v1/subscriptions/{earlier[1].subscription}/payments", {}, 200)
            self._expect("crossClientSubscription.renewed")
            self._post(self.target, f"/v1/orders/{earlier[0].order}/refund", {"positions": [2]}, 200)
            self._expect("crossClientSubscription.refunded")
        self.imports += 1
        item = importing.item(f"order-{self.imports}", self.imported_offer, self.own_customer, "BILLING")
        promise = self._post(self.source, "/v1/imports/orders", {"items": [item]}, 202)["promiseId"]
        path = f"/v1/imports/{promise}"
        done = self.setup.scenario.wait("the import", lambda: self._finished(path))
        self.setup.scenario.check("the orders that the import created", 1, text.pick(done, "counts.created"))

    def _redeem(self, sold: Sold) -> None:
        voucher = self.setup.scenario.wait("the callback of a sale", lambda: self._voucher(sold.subscription))
        body = {"customerId": self.own_customer, "voucherCode": voucher}
        found = self._post(self.source, "/v1/subscriptions/useCrossClientVoucher", body, 200)
        self.setup.scenario.check("the status of the redeemed subscription", "active", found["status"])

    def _voucher(self, subscription: str) -> str | None:
        for received in self.setup.receiver.all():
            data = received.content["data"]
            if received.fault is None and "voucherCode" in data and data["subscription"]["id"] == subscription:
                return str(data["voucherCode"])
        return None

    def _finished(self, path: str) -> Json | None:
        answer = self.source.calls.look(path)
        return answer.body if answer["finishedAt"] else None

    def _expect(self, event: str) -> None:
        self.expected[event] = self.expected.get(event, 0) + 1

    def _post(self, by: Merchant, path: str, body: Json, status: int) -> Json:
        answer = by.calls.ask("POST", path, body)
        found = f"{answer.status} {text.plain(answer.body)}"
        self.setup.scenario.check_that(f"the answer to POST {path}", answer.status == status, str(status), found)
        return dict(answer.body)


class Functions:
    """The functions of the stack, by binary."""

    def __init__(self, stack: Json) -> None:
        session = boto3.Session(stack["awsAccessKeyId"], stack["awsSecretAccessKey"], region_name=stack["region"])
        config = Config(proxies={})
        self._lambda = session.client("lambda", endpoint_url=stack["awsEndpoint"], config=config)
        prefix = f"{stack['stackName']}-"
        names = sorted(str(value) for key, value in stack.items() if key.endswith("FunctionName"))
        self.names = {name.removeprefix(prefix): name for name in names}

    def switch(self, binary: str, packages: Path) -> None:
        """Replace the code of a function."""
        code = (packages / f"{binary}.zip").read_bytes()
        self._lambda.update_function_code(FunctionName=self.names[binary], ZipFile=code)
        self._lambda.get_waiter("function_updated_v2").wait(
            FunctionName=self.names[binary], WaiterConfig={"Delay": 1, "MaxAttempts": 30}
        )


def main(older: Path, newer: Path) -> int:
    """Return the exit status: 0, or 1 if a step failed."""
    scenario = Scenario(sys.stdout)
    try:
        stack = stack_description()
        functions = Functions(stack)
        with Receiver() as receiver:
            operator = Caller("operator", stack["operatorKey"], stack["apiUrl"], scenario)
            scenario.hide(stack["operatorKey"], 4)
            setup = Setup(scenario, stack, operator, Mailbox(stack["sentMailsUrl"]), receiver)
            play(setup, functions, {"older": older, "newer": newer})
        scenario.end()
    except Failure as failure:
        scenario.fail(failure)
        return 1
    return 0


def play(setup: Setup, functions: Functions, packages: dict[str, Path]) -> None:
    """Switch forth and back with traffic, and count; raises a `Failure`."""
    scenario = setup.scenario
    scenario.act("A ROLLOUT", f"{len(functions.names)} functions switch one by one, and back.")
    scenario.step("The older release connects the merchants, and sells")
    traffic = _prepare(setup)
    for _ in range(_KEPT + 1):
        traffic.beat("older")
    seller = "older"
    for release, binaries in (("newer", list(functions.names)), ("older", list(reversed(functions.names)))):
        scenario.step(f"The functions switch to the {release} release, with sales between")
        for binary in binaries:
            functions.switch(binary, packages[release])
            if binary == "purchase-cart":
                seller = release
            traffic.beat(seller)
        scenario.show("traffic", [_summary(traffic)])
    scenario.step("Nothing is lost: orders, callbacks, dead letters")
    _judge(setup, traffic)


def _summary(traffic: Traffic) -> str:
    by = {release: sum(sold.release == release for sold in traffic.sales) for release in ("older", "newer")}
    return f"sold {by['older']} times by the older release, {by['newer']} times by the newer; {traffic.imports} imports"


def _prepare(setup: Setup) -> Traffic:
    receiver = setup.receiver
    source = steps.open_shop(setup, steps.found_company(setup, "Bergverlag"), "Alpenblick", "de")
    target = steps.open_shop(setup, steps.found_company(setup, "Harbour Press"), "Quayside", "en")
    invitation = steps.invite(setup, source, target, {"url": receiver.url(SALES)})
    receiver.trust(SALES, invitation["callback.secret"])
    steps.accept(setup, source, target, invitation["id"])
    offer = steps.share(source, target, monthly("Alpenblick Plus", 1200), 2500, brief=True)
    cart = steps.fill_cart(target, monthly("Quayside", 1500), offer, "Sea and mountains", brief=True)
    imported = monthly("Bergbote", 1890) | {"externallyManaged": True}
    return Traffic(
        setup,
        source,
        target,
        cart,
        customer=_customer(target, "ben"),
        own_customer=_customer(source, "ben"),
        imported_offer=source.calls.post("/v1/offers", imported, None, ["id"], brief=True)["id"],
    )


def _customer(merchant: Merchant, name: str) -> str:
    profile = {"email": f"{name}-{uuid.uuid4().hex[:8]}@customers.example", "language": "en"}
    return str(merchant.calls.post("/v1/customers", profile, None, ["id"], brief=True)["id"])


def _judge(setup: Setup, traffic: Traffic) -> None:
    scenario, receiver = setup.scenario, setup.receiver
    for sold in traffic.sales:
        order = traffic.target.calls.look(f"/v1/orders/{sold.order}")
        scenario.check("the own position of an order", "paid", order["positions.0.status"])
        scenario.check("the total of an order", euros(2700), order["total"])
    wanted = sum(traffic.expected.values())
    scenario.wait("the last callbacks", lambda: True if receiver.count() >= wanted else None)
    scenario.check("the number of different callbacks by type", traffic.expected, dict(_by_type(receiver)))
    faults = [received.fault for received in receiver.all() if received.fault]
    scenario.check("the rejected signatures", [], faults)
    scenario.show("callbacks", [text.plain(traffic.expected)])
    done = subprocess.run(
        [sys.executable, "-m", "infra.operate", "status", "--local"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    last = done.stdout.strip().splitlines()[-1:] or [done.stderr]
    scenario.show("status", last)
    scenario.check_that("`infra.operate status`", done.returncode == 0, "exit status 0", "\n".join(last))


def _by_type(receiver: Receiver) -> Iterator[tuple[str, int]]:
    ids: dict[str, set[Any]] = {}
    for received in receiver.all():
        ids.setdefault(str(received.content["type"]), set()).add(received.headers["webhook-id"])
    for event, different in ids.items():
        yield event, len(different)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
