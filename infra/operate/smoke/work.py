"""The part of the story behind the queues: a replay, an import, a redrive."""

from __future__ import annotations

import contextlib
import io
import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from infra.local.demo.acts import monthly
from infra.local.demo.callers import Answer, Caller
from infra.local.demo.scenario import Failure
from infra.operate import dead_letters, moments, queues, redrive
from infra.operate.options import Options
from infra.operate.smoke.world import World

AT_ONCE = 8
"""Requests under way."""
GONE = 410
"""The answer that disables an endpoint, so that its callbacks are held."""
A_SECOND = 5
"""Callbacks that a replay of all sends in a second."""
_LISTED = 100
"""Items of a page."""


def replay(world: World) -> None:
    """The receiver disables itself, callbacks of many sales are held, and one replay delivers all of them."""
    assert world.receiver and world.sale
    source, scenario, receiver = world.who("source"), world.scenario, world.receiver
    receiver.reject(GONE)
    began = time.monotonic()
    sell(world)
    scenario.show("target", [f"sold {world.sales} times in {time.monotonic() - began:.0f} s"])
    held = scenario.wait("the callbacks to be held", lambda: _held(source.calls, world.sales), 300)
    receiver.reject(None)
    before = receiver.total()
    job = source.calls.post("/v1/callbacks/replays", {}, {"state": "accepted"}, ["id"], 202)["id"]

    def done() -> bool | None:
        time.sleep(1)
        return True if source.calls.look(f"/v1/callbacks/replays/{job}")["state"] == "done" else None

    # The job reports the end of its last step; the callbacks of that step follow within seconds.
    scenario.wait("the replay to be done", done, 120 + 2 * world.sales / A_SECOND)
    source.calls.get(f"/v1/callbacks/replays/{job}", {"counts.found": len(held), "counts.replayed": len(held)})

    def all_came() -> bool | None:
        accepted = {call.headers["webhook-id"] for call in receiver.all()[before:] if call.fault is None}
        return True if held <= accepted else None

    scenario.wait(f"the {len(held)} callbacks", all_came, 180)
    scenario.show("receiver", [f"{len(held)} different callbacks in {receiver.total() - before} calls"])
    if not world.local:
        _no_dropped_recursion(world)


def sell(world: World) -> None:
    """Sell the cart of the other company's sale many times, some at once."""
    assert world.sale
    target, customer = world.who("target"), world.sale.customer_id
    path, body = f"/v1/carts/{world.cart}/purchase", {"customerId": customer, "paymentMethod": "BILLING"}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda _: target.calls.ask("POST", path, body), range(world.sales)))
    good = sum(answer.status == 201 for answer in answers)
    world.scenario.check_that("the purchases", good == world.sales, f"{world.sales} times 201", _statuses(answers))


def _statuses(answers: list[Answer]) -> str:
    counts: dict[str, int] = {}
    for answer in answers:
        word = f"{answer.status} {answer['code'] or ''}".strip()
        counts[word] = counts.get(word, 0) + 1
    return ", ".join(f"{count} times {word}" for word, count in sorted(counts.items()))


def _held(calls: Caller, count: int) -> set[str] | None:
    time.sleep(1)
    ids = {row["id"] for row in pages(calls, "/v1/callbacks?status=held")}
    return ids if len(ids) >= count else None


def pages(calls: Caller, path: str) -> list[dict[str, str]]:
    """All items of a list."""
    rows, cursor = [], ""
    while True:
        page = calls.look(f"{path}{'&' if '?' in path else '?'}limit={_LISTED}{cursor}")
        rows += page["items"]
        if not page["nextCursor"]:
            return rows
        cursor = f"&cursor={page['nextCursor']}"


def _no_dropped_recursion(world: World) -> None:
    now = moments.now()
    answer = world.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="RecursiveInvocationsDropped",
        Dimensions=[{"Name": "FunctionName", "Value": world.deployment.outputs["DeliverCallbacksFunctionName"]}],
        StartTime=now - timedelta(hours=1),
        EndTime=now,
        Period=3600,
        Statistics=["Sum"],
    )
    dropped = int(sum(point["Sum"] for point in answer.get("Datapoints", [])))
    world.scenario.check("RecursiveInvocationsDropped of deliver-callbacks in the last hour", 0, dropped)


def imports(world: World) -> None:
    """An import of one order, which has ended already, so that its customer can be erased."""
    source, scenario = world.who("source"), world.scenario
    offer = monthly(f"{world.mark} imported", 1890) | {"externallyManaged": True}
    offer_id = source.calls.post("/v1/offers", offer, {"externallyManaged": True}, ["id"], brief=True)["id"]
    profile = {"email": f"smoke-carl-{uuid.uuid4().hex[:8]}@customers.example", "language": "en"}
    item = {
        "externalSystemId": world.mark,
        "offerId": offer_id,
        "invoiceCustomerId": source.calls.post("/v1/customers", profile, None, ["id"], brief=True)["id"],
        "quantity": 1,
        "startDate": "2026-01-01T00:00:00Z",
        "endDate": "2026-02-01T00:00:00Z",
        "paymentMethod": "BILLING",
    }
    world.import_id = source.calls.post(
        "/v1/imports/orders", {"items": [item]}, {"state": "accepted"}, ["promiseId"], 202, brief=True
    )["promiseId"]
    path = f"/v1/imports/{world.import_id}"
    scenario.wait("the import to be finished", lambda: True if source.calls.look(path)["finishedAt"] else None)
    source.calls.get(path, {"state": "completed", "counts.created": 1})


def redrive_one(world: World) -> None:
    """A dead letter about a chunk that is done goes back, is handled, and has no effect."""
    source, scenario, stack = world.who("source"), world.scenario, world.deployment.stack
    chunk = {"v": 1, "kind": "import", "pk": f"{source.id}#{world.import_id}", "sk": "chunk#000", "tenant": source.id}
    dead = stack.queue("imports", dead=True)
    stack.sqs.send_message(QueueUrl=dead.url, MessageBody=json.dumps(chunk))
    options = Options("redrive", None, Path(), queue="imports", only=world.import_id)

    def moved() -> str | None:
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            redrive.run(stack, options)
        # SQS shows a new message to its counts and receivers some seconds later.
        return None if out.getvalue().startswith("0 ") else out.getvalue().strip()

    line = scenario.wait("the redrive to find the letter", moved, 60)
    scenario.show("redrive", [line])
    scenario.check("the output of the redrive", "1 dead letter went back to the queue imports", line)
    work = stack.queue("imports", dead=False)
    scenario.wait("the queue of imports to be empty", lambda: True if queues.count(stack, work) == 0 else None)
    time.sleep(2)
    letters = [letter for letter in dead_letters.all_in(stack, dead, 1_000) if letter.names(world.import_id)]
    if letters:
        raise Failure("the redriven letter", "it is handled", f"it came back: {letters[0].why}")
    source.calls.get(f"/v1/imports/{world.import_id}", {"state": "completed", "counts.created": 1})
