"""Reading files: cells, lines, and headers that are rejected before anything is sent."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

from infra.import_orders.calls import Start, form
from infra.import_orders.say import Refused
from infra.import_orders.source import LARGEST_BODY, Source
from infra.import_orders.tests.case import COLUMNS, Case, order

HEADER = ",".join(COLUMNS)
ROW = "a,off_1,cus_1,1,2026-07-01T00:00:00Z,BILLING"


class Reading(Case):
    """From files to items."""

    def items(self, text: str, name: str = "orders.csv", encoding: str = "utf-8") -> list[dict[str, Any] | str]:
        """Each row of a file, or the error of a line that is not a row."""
        source = Source(self.csv(text, name, encoding), "csv" if name.endswith(".csv") else "jsonl")
        self.addCleanup(source.close)
        call = form(source, Start(source.first), 1000)
        found: dict[int, dict[str, Any] | str] = {fault.line: fault.detail for fault in call.aside}
        found.update({row.place.line: json.loads(row.json) for row in call.rows})
        return [found[line] for line in sorted(found)]

    def refusal(self, header: str) -> str:
        """The error of a header."""
        with self.assertRaises(Refused) as refused:
            self.items(header)
        return str(refused.exception)

    def test_cells_are_converted_and_empty_cells_are_absent(self) -> None:
        text = f"{HEADER},endDate,discountPercentage,currentPaymentPeriodPaid,orderDate\n{ROW},null,12.5,TRUE,\n"
        expected = {"endDate": None, "discountPercentage": 12.5, "currentPaymentPeriodPaid": True}
        self.assertEqual(self.items(text), [{**order("x"), "externalSystemId": "a", **expected}])

    def test_an_invalid_value_is_sent_as_text(self) -> None:
        text = f"{HEADER},discountPercentage,currentPaymentPeriodPaid\n{ROW.replace(',1,', ',1e3,')},ten,yes\n"
        item = self.items(text)[0]
        assert isinstance(item, dict)
        self.assertEqual(
            (item["quantity"], item["discountPercentage"], item["currentPaymentPeriodPaid"]), ("1e3", "ten", "yes")
        )

    def test_ids_of_digits_stay_text(self) -> None:
        item = self.items(f"{HEADER}\n007{ROW[1:]}\n")[0]
        assert isinstance(item, dict)
        self.assertEqual(item["externalSystemId"], "007")

    def test_a_german_spreadsheet_is_read(self) -> None:
        header, row = f"{HEADER},discountPercentage".replace(",", ";"), f"{ROW};12,5".replace(",", ";", 5)
        items = self.items(f"{header}\r\n{row}\r\n;;;;;;\r\n", encoding="utf-8-sig")
        self.assertEqual(items, [{**order("x"), "externalSystemId": "a", "discountPercentage": 12.5}])

    def test_a_bom_before_json_lines_is_skipped(self) -> None:
        text = json.dumps(order(1)) + "\n\n" + json.dumps(order(2))
        self.assertEqual(self.items(text, "orders.jsonl", "utf-8-sig"), [order(1), order(2)])

    def test_a_rejected_header_lists_every_column_and_remedy(self) -> None:
        text = self.refusal("externalSystemId,offerID,invoiceCustomerId,invoiceCustomerId,quantity,startDate,colour,\n")
        for part in (
            "'offerID' is unknown; did you mean offerId?",
            "'colour' is unknown; remove it",
            "invoiceCustomerId appears twice",
            "column 8 has no name",
            "offerId is missing; add it",
            "paymentMethod is missing",
        ):
            self.assertIn(part, text)

    def test_a_header_that_is_not_utf_8_is_rejected(self) -> None:
        with self.assertRaises(Refused) as refused:
            self.items(HEADER, encoding="utf-16")
        self.assertIn("UTF-8", str(refused.exception))

    def test_a_corrupt_line_of_csv_does_not_affect_others(self) -> None:
        source = f'{HEADER}\n{ROW}\n"b{ROW[1:]}\nc{ROW[1:]},x\nd{ROW[1:]}\n'
        items = self.items(source)
        self.assertEqual(
            [item if isinstance(item, str) else item["externalSystemId"] for item in items[::3]], ["a", "d"]
        )
        self.assertIn("quotation mark", str(items[1]))
        self.assertIn("7 cells, the header 6", str(items[2]))

    def test_a_corrupt_json_line_does_not_affect_others(self) -> None:
        spoilt = ["{", "[]", '{"a": {"b": 1}}', '{"a": NaN}', '{"a": 1e999}', '{"a": "\\ud800"}', "[" * 100_000]
        good = json.dumps(order(1))
        items = self.items("\n".join([good, *spoilt, good.replace("order-1", "order-2")]), "orders.jsonl")
        self.assertEqual((items[0], items[-1], len(items)), (order(1), order(2), 2 + len(spoilt)))
        self.assertTrue(all(isinstance(item, str) for item in items[1:-1]))
        self.assertIn("not valid JSON: ", str(items[1]))

    def test_a_line_that_is_too_long_does_not_affect_others(self) -> None:
        path = self.folder / "orders.jsonl"
        good = json.dumps(order(1)).encode()
        path.write_bytes(b'{"a":"\xff"}\n{"a":"' + b"x" * (LARGEST_BODY + 5) + b'"}\n' + good)
        source = Source(path, "jsonl")
        self.addCleanup(source.close)
        call = form(source, Start(source.first), 1000)
        self.assertEqual([row.place.line for row in call.rows], [3])
        self.assertEqual([(fault.line, fault.code) for fault in call.aside], [(1, "unreadable"), (2, "unreadable")])


class Forming(Case):
    """From rows to calls."""

    def calls(self, orders: list[dict[str, Any]], most_rows: int = 1000) -> list[list[str]]:
        """The externalSystemIds of each call."""
        source = Source(self.jsonl(orders), "jsonl")
        self.addCleanup(source.close)
        start, calls = Start(source.first), []
        while start.carried or start.place.offset < source.size:
            call = form(source, start, most_rows)
            body = call.body()
            self.assertLessEqual(len(body), LARGEST_BODY)
            self.assertEqual(body, form(source, start, most_rows).body())
            calls.append([item["externalSystemId"] for item in json.loads(body)["items"]])
            start = call.then
        return calls

    def test_rows_with_one_id_go_into_successive_calls(self) -> None:
        orders = [order(id) for id in ("a", "b", "a", "c", "a", "b", "d")]
        calls = self.calls(orders)
        self.assertEqual(calls, [["order-a", "order-b", "order-c", "order-d"], ["order-a", "order-b"], ["order-a"]])

    def test_ids_are_compared_as_the_api_compares_them(self) -> None:
        orders = [order(1, externalSystemId=id) for id in ("Zoë", " Zoe\u0308 ", "zoë")]
        self.assertEqual([len(call) for call in self.calls(orders)], [2, 1])

    def test_postponed_rows_go_first(self) -> None:
        orders = [order(id) for id in ("a", "a", "a", "b", "b", "c")]
        self.assertEqual(
            self.calls(orders, 2), [["order-a", "order-b"], ["order-a", "order-b"], ["order-a", "order-c"]]
        )

    def test_many_rows_with_one_id_are_bounded(self) -> None:
        source = Source(self.jsonl([order("a", quantity=number + 1) for number in range(1_100)]), "jsonl")
        self.addCleanup(source.close)
        first = form(source, Start(source.first), 1000)
        second = form(source, first.then, 1000)
        self.assertEqual([len(first.rows), len(second.rows)], [1, 1])
        self.assertEqual([len(first.then.carried), len(second.then.carried)], [1000, 1000])
        self.assertEqual(second.rows[0].place.line, 2)

    def test_a_call_has_at_most_2_mib(self) -> None:
        room = (LARGEST_BODY - len('{"items":[,]}') + 1) // 2
        around = len(json.dumps({"externalSystemId": ""}, separators=(",", ":")))
        wide = [{"externalSystemId": f"{number:<{room - around - 1}}"} for number in range(5)]
        self.assertEqual([len(call) for call in self.calls(wide)], [2, 2, 1])

    def test_keys_differ_with_the_rows_and_the_file_and_the_run(self) -> None:
        source = Source(self.jsonl([order("a"), order("a")]), "jsonl")
        self.addCleanup(source.close)
        first = form(source, Start(source.first), 1)
        second = form(source, first.then, 1)
        self.assertEqual(first.body(), second.body())
        keys = {first.key("f", ""), second.key("f", ""), first.key("g", ""), first.key("f", "again")}
        self.assertEqual(len(keys), 4)

    def test_memory_does_not_grow_with_the_file(self) -> None:
        path = self.folder / "many.jsonl"
        wide = json.dumps(order(1, externalSystemId="NUMBER")) + " " * 1_500 + "\n"
        with path.open("w") as file:
            file.writelines(wide.replace("NUMBER", str(number)) for number in range(10_000))
        source = Source(path, "jsonl")
        self.addCleanup(source.close)
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        source.fingerprint()
        start, count = Start(source.first), 0
        while start.place.offset < source.size:
            call = form(source, start, 1000)
            start, count = call.then, count + len(call.rows)
        self.assertEqual(count, 10_000)
        self.assertLess(tracemalloc.get_traced_memory()[1], source.size / 3)
