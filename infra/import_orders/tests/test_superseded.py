"""Rows with one id: their order, and the report of values that were not set."""

from __future__ import annotations

import random
from typing import Any

from infra.import_orders.cli import ALL_TAKEN, REFUSED, SOME_FAILED, SUPERSEDED
from infra.import_orders.tests.case import Case, order

END = "2027-01-01T00:00:00Z"
OTHER = "prm_other"


class Order(Case):
    """The order of the rows with one id."""

    def test_rows_with_one_id_are_accepted_in_file_order(self) -> None:
        chance = random.Random(2)
        for _ in range(40):
            self.tandem.forget()
            for path in self.folder.iterdir():
                path.unlink()
            ids = [chance.choice("abcdefgh") for _ in range(chance.randrange(1, 40))]
            invalid = {number for number in range(len(ids)) if chance.random() < 0.1}
            orders = [order(id, quantity="x" if number in invalid else number + 1) for number, id in enumerate(ids)]
            size = str(chance.randrange(1, 6))
            code, _, err = self.run_it(self.jsonl(orders), "--call-size", size, "--in-flight", "3")
            self.assertEqual(code, SOME_FAILED if invalid else ALL_TAKEN, err)
            accepted = [item for promise in self.tandem.promises for item in promise.items]
            for id in set(ids):
                sent = [item["quantity"] for item in accepted if item["externalSystemId"] == f"order-{id}"]
                rows = [place + 1 for place, other in enumerate(ids) if other == id and place not in invalid]
                self.assertEqual(sent, rows, (ids, size))


class Superseded(Case):
    """Values that were not set."""

    def import_(self, orders: list[dict[str, Any]], *arguments: str) -> tuple[int, str]:
        """Import orders: the exit status and the messages."""
        code, _, err = self.run_it(self.jsonl(orders), *arguments)
        return code, err

    def report(self) -> list[tuple[str, str, str, str]]:
        """The rows of the report."""
        rows = self.rows_of("orders.superseded.csv")
        return [(row["line"], row["externalSystemId"], row["member"], row["supersededBy"]) for row in rows]

    def test_another_import_that_wins_sets_the_exit_status(self) -> None:
        self.tandem.superseded = {
            (0, "order-2"): ("updated", ["quantity"], OTHER),
            (0, "order-3"): ("superseded", ["quantity", "startDate", "paymentMethod", "endDate"], OTHER),
        }
        code, err = self.import_([order(number, endDate=END) for number in range(5)])
        self.assertEqual(code, SUPERSEDED, err)
        self.assertIn("5 values were not set, because another import, accepted later, sets them", err)
        self.assertIn("line 3: quantity of 'order-2', by import prm_other", err)
        self.assertEqual([row[0] for row in self.report()], ["3", *["4"] * 4])
        self.assertEqual(self.report()[0], ("3", "order-2", "quantity", "import prm_other"))

    def test_a_later_line_that_wins_is_named(self) -> None:
        own = "prm_" + "1".zfill(32)
        self.tandem.superseded = {(0, "order-1"): ("updated", ["quantity"], own)}
        rows = [order(1, endDate=END), order(2), order(1, quantity=7), order(1, quantity=8)]
        code, err = self.import_(rows)
        self.assertEqual(code, ALL_TAKEN, err)
        self.assertIn("1 value was replaced by later lines of the file", err)
        self.assertEqual(self.report(), [("1", "order-1", "quantity", "line 4")])

    def test_a_member_that_no_later_line_sets_is_lost(self) -> None:
        self.tandem.superseded = {(0, "order-1"): ("updated", ["quantity", "endDate"], OTHER)}
        rows = [order(1, endDate=END), order(1, quantity=7)]
        code, err = self.import_(rows)
        self.assertEqual(code, SUPERSEDED, err)
        expected = [("1", "order-1", "quantity", "line 2"), ("1", "order-1", "endDate", "import prm_other")]
        self.assertEqual(self.report(), expected)

    def test_a_later_line_that_failed_wins_nothing(self) -> None:
        self.tandem.superseded = {(0, "order-1"): ("superseded", ["quantity"], OTHER)}
        for change in ({"quantity": "x"}, {"invoiceCustomerId": "cus_unknown"}):
            with self.subTest(change=change):
                self.tandem.forget()
                for path in self.folder.iterdir():
                    path.unlink()
                code, err = self.import_([order(1), {**order(1), **change}])
                self.assertEqual(code, SOME_FAILED, err)
                self.assertEqual(self.report(), [("1", "order-1", "quantity", "import prm_other")])

    def test_an_item_of_the_same_values_loses_nothing(self) -> None:
        self.tandem.superseded = {(0, "order-1"): ("superseded", [], OTHER)}
        self.assertEqual(self.import_([order(1)])[0], ALL_TAKEN)
        self.assertFalse((self.folder / "orders.superseded.csv").exists())

    def test_many_superseded_items_are_read_over_pages(self) -> None:
        rows = [order(number) for number in range(1_100)]
        for number in range(250):
            self.tandem.superseded[(0, f"order-{number}")] = ("updated", ["quantity"], OTHER)
        code, err = self.import_(rows)
        self.assertEqual((code, len(self.report())), (SUPERSEDED, 250))
        self.assertIn("and 230 more", err)

    def test_the_report_survives_a_restart_and_is_not_overwritten(self) -> None:
        self.tandem.superseded = {(0, "order-1"): ("updated", ["quantity"], OTHER)}
        rows = [order(1)]
        self.assertEqual(self.import_(rows)[0], SUPERSEDED)
        before = (self.folder / "orders.superseded.csv").read_bytes()
        self.assertEqual(self.import_(rows)[0], SUPERSEDED)
        self.assertEqual((self.folder / "orders.superseded.csv").read_bytes(), before)
        code, err = self.import_(rows, "--state", str(self.folder / "new.state"))
        self.assertEqual((code, "orders.superseded.csv exists from an earlier run" in err), (REFUSED, True), err)

    def test_the_report_holds_no_formula(self) -> None:
        id = "x;=cmd|' /C calc'!A0"
        self.tandem.superseded = {(0, id): ("updated", ["quantity"], OTHER)}
        self.assertEqual(self.import_([order(1, externalSystemId=id)])[0], SUPERSEDED)
        self.assertEqual(self.report()[0][1], "x;'=cmd|' /C calc'!A0")
