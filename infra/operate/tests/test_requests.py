"""One thread to pull: the request of a row, and the log lines of a request."""

from __future__ import annotations

import base64
import json
import re
import tempfile
import unittest
import unittest.mock
from dataclasses import replace
from pathlib import Path
from typing import Any

from infra.local.layout import ROOT
from infra.local.say import Problem
from infra.operate import keys, requests, rows, why
from infra.operate.options import Options
from infra.operate.requests import Files, Insights, Line, Log
from infra.operate.tests import sale
from infra.operate.tests.case import Sqs, output_of, stack
from infra.operate.tests.sale import CALLBACK, ORDER, SELLER
from infra.operate.tests.table import Table, golden

REQUEST = "Yx3kWhO_FiAEJ1g="
OCTETS = base64.urlsafe_b64decode(REQUEST)
OTHER = "JKJaXmPLvHcESHA="


def answered(request: str = REQUEST) -> dict[str, Any]:
    """The line of a purchase."""
    ids = f"crt_{1:032x} {ORDER} sub_{1:032x} {CALLBACK}"
    line = {"level": "INFO", "message": "answered", "request": request, "route": "POST /v1/carts/{cartId}/purchase"}
    return line | {"caller": SELLER, "ids": ids, "status": 201, "repeated": False}


DELIVERED = {"level": "INFO", "message": "delivered", "callback": CALLBACK, "request": REQUEST, "status_code": 204}


class Logs:
    """A fake CloudWatch Logs."""

    def __init__(self, *lines: tuple[str, str]) -> None:
        """Lines with the name of their function."""
        self.found, self.asked, self.polls = lines, dict[str, Any](), 0

    def start_query(self, **asked: Any) -> dict[str, str]:
        """Start a query."""
        self.asked = asked
        return {"queryId": "q"}

    def get_query_results(self, queryId: str) -> dict[str, Any]:
        """The result, at the second poll."""
        assert queryId == "q"
        self.polls += 1
        if self.polls == 1:
            return {"status": "Running", "results": []}
        cells = [
            {"@timestamp": "2026-06-30 12:00:00.000", "@log": f"123456789012:/aws/lambda/{name}", "@message": text}
            for name, text in self.found
        ]
        return {
            "status": "Complete",
            "results": [[{"field": field, "value": value} for field, value in row.items()] for row in cells],
        }


class Case(unittest.TestCase):
    """A sale whose rows keep their request."""

    def setUp(self) -> None:
        """The sale."""
        self.table = Table()
        sale.sale(self.table)
        for row in self.table.items:
            if row["sk"] in ("order", "callback"):
                row["request"] = OCTETS

    def ask(self, id: str, log: Log | None = None) -> str:
        """The output of `why`, on one line."""
        options = Options("why", None, Path("stack.json"), id=id)
        output = output_of(lambda: why.run(replace(stack(Sqs(), self.table), log=log), options))
        for word in sale.PERSONAL:
            self.assertNotIn(word, output)
        return re.sub(r"\s+", " ", output)


class Rows(Case):
    """The request of a row."""

    def test_each_row_that_follows_names_its_request(self) -> None:
        text = self.ask(ORDER)
        self.assertRegex(text, rf"{ORDER} of {SELLER}, bought from .{{60,110}} by the request {REQUEST}:")
        self.assertRegex(text, rf"callback crossClientOrder.created, committed .{{30,60}} by the request {REQUEST},")
        for name, kind in (("mail_waiting", "mail"), ("import_promise", "promise"), ("replay_done", "replay")):
            row = golden(name, request=OCTETS)
            self.table.put(keys.OWNED.format(sale.SOURCE, row["id"]), kind, row)
            self.assertIn(f"by the request {REQUEST}", self.ask(row["id"]))

    def test_a_row_of_an_earlier_release_names_none(self) -> None:
        for row in self.table.items:
            row.pop("request", None)
        self.assertNotIn("request", self.ask(ORDER))

    def test_every_kind_of_row_that_keeps_it_is_read_with_it(self) -> None:
        folder = ROOT / "shared/store/src/keys"
        texts = "\n".join(path.read_text() for path in folder.glob("*.rs")).split("impl Entity for ")
        kinds = {text.split(" ")[0] for text in texts if "KEEPS_REQUEST" in text}
        self.assertEqual(kinds, {"Order", "Callback", "Mail", "Promise", "ReplayJob"})
        for members in (rows.ORDER, rows.CALLBACK, rows.MAIL, rows.PROMISE, rows.REPLAY):
            self.assertIn("request", members)

    def test_a_request_id_that_is_no_base64_is_text(self) -> None:
        for row in self.table.items:
            if row["sk"] == "order":
                row["request"] = "one+of+2"
        self.assertIn("by the request one+of+2:", self.ask(ORDER))


class OfALog(Case):
    """A request id leads to its lines and to the row that it wrote."""

    def test_a_request_leads_to_its_lines_and_its_sale(self) -> None:
        lines = (("tandem-purchase-cart", answered()), ("tandem-deliver-callbacks", DELIVERED))
        logs = Logs(*((name, json.dumps(line)) for name, line in lines), ("tandem-orders", "START RequestId: 1"))
        groups = ["/aws/lambda/tandem-orders", "/aws/lambda/tandem-purchase-cart"]
        with unittest.mock.patch("time.sleep"):
            text = self.ask(REQUEST, Insights(logs, groups))
        self.assertEqual(logs.asked["queryString"], requests.query(REQUEST))
        self.assertIn(f'filter request = "{REQUEST}"', requests.query(REQUEST))
        self.assertEqual(logs.asked["logGroupNames"], groups)
        self.assertEqual(logs.asked["endTime"] - logs.asked["startTime"], requests.LOOKED_BACK)
        self.assertIn(
            "2026-06-30 12:00:00.000 tandem-purchase-cart answered (route POST /v1/carts/{cartId}/purchase, caller "
            f"{SELLER}, status 201, repeated False): crt_",
            text,
        )
        self.assertIn(f"tandem-deliver-callbacks delivered (callback {CALLBACK}, status_code 204)", text)
        self.assertIn(f"{ORDER} of {SELLER}, bought from", text)
        self.assertIn("Next:", text)

    def test_the_local_stack_has_its_lines_in_files(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for name, lines in (
                ("tandem-deliver-callbacks", [json.dumps(DELIVERED), "no JSON with " + REQUEST]),
                ("tandem-purchase-cart", [json.dumps(answered(OTHER)), json.dumps(answered())]),
            ):
                (Path(folder) / f"{name}.log").write_text("\n".join(lines) + "\n")
            log = Files(Path(folder))
            self.assertEqual(
                [line.function for line in log.lines(REQUEST)], ["tandem-purchase-cart", "tandem-deliver-callbacks"]
            )
            self.assertIn(f"{ORDER} of {SELLER}, bought from", self.ask(REQUEST, log))

    def test_a_request_without_lines_is_reported(self) -> None:
        with unittest.mock.patch("time.sleep"), self.assertRaisesRegex(Problem, f"names the request {OTHER}"):
            self.ask(OTHER, Insights(Logs(), []))

    def test_the_id_with_the_longest_story_leads(self) -> None:
        self.assertEqual(requests.lead([Line("", "", DELIVERED), Line("", "", answered())]), ORDER)
        self.assertIsNone(requests.lead([Line("", "", {"ids": f"crt_{1:032x}"})]))
