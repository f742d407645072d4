"""Whole runs: the results of a file, and its failed rows."""

from __future__ import annotations

import itertools
import json
import os
import unittest

from infra.import_orders.cli import ALL_TAKEN, REFUSED, SOME_FAILED
from infra.import_orders.formats import MEMBERS
from infra.import_orders.tests.case import COLUMNS, ROOT, Case, order
from infra.import_orders.tests.tandem import Trouble

HEADER = ",".join(COLUMNS)


def line(number: int, customer: str = "cus_1", quantity: str = "1") -> str:
    """A line of CSV."""
    return f"order-{number},off_1,{customer},{quantity},2026-07-01T00:00:00Z,BILLING\n"


class Importing(Case):
    """A file is imported."""

    def test_rows_are_sent_in_order_in_calls_of_a_thousand(self) -> None:
        file = self.csv(HEADER + "\n" + "".join(line(number) for number in range(12_345)))
        code, out, err = self.run_it(file)
        self.assertEqual((code, [size for _, size in self.tandem.posts]), (ALL_TAKEN, [1000] * 12 + [345]), err)
        self.assertEqual(self.tandem.imported, [f"order-{number}" for number in range(12_345)])
        self.assertEqual(len({key for key, _ in self.tandem.posts}), 13)
        self.assert_result(out, created=12_345, failed=0, all=12_345)
        self.assertFalse((self.folder / "orders.failed.csv").exists())

    def test_concurrent_imports_are_limited(self) -> None:
        seen: list[int] = []

        def look() -> None:
            seen.append(sum(promise.looks < 2 for promise in self.tandem.promises))

        self.tandem.looks_until_done = 2
        self.tandem.on_look = look
        file = self.jsonl([order(number) for number in range(8)])
        self.assertEqual(self.run_it(file, "--call-size", "1", "--in-flight", "3")[0], ALL_TAKEN)
        self.assertEqual(max(seen), 3)

    def test_a_later_row_with_the_same_id_wins(self) -> None:
        file = self.jsonl([order(1), order(2), order(1, quantity=2), order(1, quantity=3)])
        code, out, _ = self.run_it(file)
        self.assertEqual((code, self.tandem.orders["order-1"]["quantity"]), (ALL_TAKEN, 3))
        self.assert_result(out, created=2, updated=2, all=4)

    def test_an_invalid_row_does_not_affect_others(self) -> None:
        rows = [line(number, quantity="some" if number in (3, 1_100) else "1") for number in range(2_000)]
        rows[7] = rows[7].replace("BILLING", "")
        code, out, err = self.run_it(self.csv(HEADER + "\n" + "".join(rows)))
        self.assertEqual((code, [size for _, size in self.tandem.posts]), (SOME_FAILED, [1000, 998, 1000, 999]), err)
        self.assertEqual(len({key for key, _ in self.tandem.posts}), 4)
        self.assert_result(out, created=1_997, invalid=3, all=2_000)
        self.assertEqual(
            [(row["error_line"], row["error_code"]) for row in self.rows_of("orders.failed.csv")],
            [("5", "not_an_integer"), ("9", "required"), ("1102", "not_an_integer")],
        )
        self.assertIn("quantity: expected a whole number", self.rows_of("orders.failed.csv")[0]["error_detail"])

    def test_a_call_with_only_invalid_rows_is_not_sent_again(self) -> None:
        code, out, _ = self.run_it(self.jsonl([order(1, quantity="x"), order(2, colour="red")]))
        self.assertEqual((code, len(self.tandem.posts)), (SOME_FAILED, 1))
        self.assert_result(out, invalid=2, created=0)

    def test_errors_that_an_answer_leaves_out_are_found_later(self) -> None:
        rows = [line(number, quantity="x").replace("BILLING", "") for number in range(1_000)]
        code, out, _ = self.run_it(self.csv(HEADER + "\n" + "".join([*rows, line(1_000)])))
        self.assertEqual((code, len(self.tandem.posts), self.tandem.imported), (SOME_FAILED, 3, ["order-1000"]))
        self.assert_result(out, created=1, invalid=1_000)

    def test_failed_items_are_collected_over_pages_and_calls(self) -> None:
        bad = {number for number in range(1_500) if number % 3 == 0}
        rows = [line(number, "cus_unknown" if number in bad else "cus_1") for number in range(1_500)]
        code, out, _ = self.run_it(self.csv(HEADER + "\n" + "".join(rows)))
        self.assertEqual(code, SOME_FAILED)
        self.assert_result(out, created=1_000, failed=500)
        failed = self.rows_of("orders.failed.csv")
        self.assertEqual([row["externalSystemId"] for row in failed], [f"order-{number}" for number in sorted(bad)])
        self.assertEqual({row["error_code"] for row in failed}, {"customer_not_found"})

    def test_a_corrected_file_of_failed_rows_can_be_imported(self) -> None:
        header = (HEADER + ",endDate").replace(",", ";")
        rows = [line(1, "cus_unknown"), line(2), line(3, quantity="x"), line(4)]
        text = "".join(row.replace("\n", ",\n", 1) for row in rows).replace(",", ";")
        code, _, _ = self.run_it(self.csv(header + "\n" + text, encoding="utf-8-sig"))
        self.assertEqual(code, SOME_FAILED)
        failed = self.folder / "orders.failed.csv"
        corrected = failed.read_text("utf-8-sig").replace('"cus_unknown"', '"cus_1"').replace(';"x";', ';"2";')
        names = (header + ";error_line;error_code;error_detail;error_text").split(";")
        self.assertEqual(corrected.splitlines()[0], ";".join(f'"{name}"' for name in names))
        failed.write_text(corrected, "utf-8-sig")
        code, out, err = self.run_it(failed)
        self.assertEqual(code, ALL_TAKEN, err)
        self.assert_result(out, created=2, all=2)
        self.assertEqual(sorted(self.tandem.orders), ["order-1", "order-2", "order-3", "order-4"])

    def test_failed_json_lines_keep_their_members(self) -> None:
        orders = [order(1, invoiceCustomerId="cus_unknown", endDate=None), order(2)]
        file = self.jsonl(orders)
        with file.open("a") as more:
            more.write("{spoilt\n")
        self.assertEqual(self.run_it(file)[0], SOME_FAILED)
        failed = self.folder / "orders.failed.jsonl"
        first, second = (json.loads(row) for row in failed.read_text().splitlines())
        errors = {"error_line": "1", "error_code": "customer_not_found", "error_detail": "no customer cus_unknown"}
        self.assertEqual(first, {**orders[0], **errors})
        self.assertEqual((second["error_line"], second["error_text"]), ("3", "{spoilt"))
        self.tandem.bad_customers.clear()
        code, out, _ = self.run_it(failed)
        self.assertEqual(code, SOME_FAILED)
        self.assert_result(out, created=1, invalid=1)
        self.assertNotIn("error_line", self.tandem.orders["order-1"])

    def test_dead_letters_are_reported_and_not_waited_for(self) -> None:
        self.tandem.stuck_items = (1, 2)
        code, out, _ = self.run_it(self.jsonl([order(number) for number in range(4)]))
        self.assertEqual(code, SOME_FAILED)
        self.assert_result(out, created=2, dead_letters=2, all=4)
        rows = [json.loads(row) for row in (self.folder / "orders.failed.jsonl").read_text().splitlines()]
        self.assertEqual([row["error_code"] for row in rows], ["put_aside", "put_aside"])

    def test_failed_rows_with_one_id_keep_their_order(self) -> None:
        unknown = {"invoiceCustomerId": "cus_unknown"}
        orders = [order(1, **unknown), order(1, quantity="x"), order(1, quantity=3, **unknown), order(2, quantity="x")]
        self.assertEqual(self.run_it(self.jsonl(orders))[0], SOME_FAILED)
        rows = [json.loads(row) for row in (self.folder / "orders.failed.jsonl").read_text().splitlines()]
        quantities = [row["quantity"] for row in rows if row["externalSystemId"] == "order-1"]
        self.assertEqual(quantities, [1, "x", 3])

    def test_a_failed_row_that_a_later_row_changed_says_so(self) -> None:
        unknown = {"invoiceCustomerId": "cus_unknown"}
        orders = [order(1, **unknown), order(1, quantity=2), order(1, quantity=3, **unknown), order(2, quantity="x")]
        self.assertEqual(self.run_it(self.jsonl([*orders, order(2, **unknown)]))[0], SOME_FAILED)
        rows = [json.loads(row) for row in (self.folder / "orders.failed.jsonl").read_text().splitlines()]
        stale = {row["error_line"] for row in rows if "line 2 has the same externalSystemId" in row["error_detail"]}
        self.assertEqual(([row["error_line"] for row in rows], stale), (["4", "1", "5", "3"], {"1"}))

    def test_a_dry_run_shows_results_and_leaves_no_files(self) -> None:
        orders = [order(1), order(2, quantity="x"), order(3, invoiceCustomerId="cus_unknown")]
        file = self.jsonl(orders)
        code, out, err = self.run_it(file, "--dry-run", "--call-size", "2")
        self.assertEqual((code, self.tandem.promises, self.tandem.orders), (SOME_FAILED, [], {}), err)
        self.assertEqual({key for key, _ in self.tandem.posts}, {None})
        self.assert_result(out, created=1, invalid=1, failed=1, all=3)
        names = sorted(path.name for path in self.folder.iterdir())
        self.assertEqual(names, ["orders.dry-run.jsonl", "orders.jsonl"])


class Refusing(Case):
    """Rejected commands and their messages."""

    def refused(self, text: str, *arguments: str) -> str:
        """Run the command, which must be rejected before anything is sent."""
        file = self.csv(text)
        code, out, err = self.run_it(file, *arguments)
        self.assertEqual((code, out, self.tandem.posts), (REFUSED, "", []), err)
        return err

    def test_an_invalid_header_is_rejected_before_sending(self) -> None:
        self.assertIn("column 'colour' is unknown; remove it", self.refused(f"{HEADER},colour\n{line(1)}"))

    def test_an_earlier_file_of_failed_rows_is_not_overwritten(self) -> None:
        (self.folder / "orders.failed.csv").write_text("corrected by hand")
        self.assertIn("orders.failed.csv exists from an earlier run", self.refused(HEADER + "\n" + line(1)))

    def test_an_unauthorized_key_stops_at_once(self) -> None:
        code, _, err = self.run_it(self.csv(HEADER + "\n" + line(1)), key="tdm_other_key")
        self.assertEqual(code, REFUSED)
        self.assertIn("does not accept this API key (403 Forbidden)", err)

    def test_nothing_is_sent_without_a_valid_key(self) -> None:
        self.assertIn("TANDEM_API_KEY", self.run_it(self.csv(HEADER + "\n" + line(1)), key="")[2])
        code, _, err = self.run_it(self.folder / "orders.csv", key="tdm_a\ntdm_b")
        self.assertEqual((code, self.tandem.posts), (REFUSED, []))
        self.assertIn("one word", err)

    def test_the_key_can_come_from_a_file(self) -> None:
        keyfile = self.folder / "key"
        keyfile.write_text("tdm_0123_secretsecret\n")
        file = self.csv(HEADER + "\n" + line(1))
        self.assertEqual(self.run_it(file, "--key-file", str(keyfile), key="tdm_unused")[0], ALL_TAKEN)

    def test_the_key_is_not_sent_unencrypted_or_redirected(self) -> None:
        file = self.csv(HEADER + "\n" + line(1))
        code, _, err = self.run_it(file, "--url", "http://tandem.example")
        self.assertEqual((code, "use https" in err), (REFUSED, True))
        self.tandem.troubles.append(Trouble(307, {"Location": "http://127.0.0.1:9/v1/imports/orders"}))
        code, _, err = self.run_it(file)
        self.assertEqual((code, "redirects elsewhere (307)" in err), (REFUSED, True), err)

    @unittest.skipUnless(hasattr(os, "mkfifo"), "this system has no named pipes")
    def test_a_pipe_is_rejected(self) -> None:
        pipe = self.folder / "orders.csv"
        os.mkfifo(pipe)
        code, _, err = self.run_it(pipe)
        self.assertEqual((code, "not a regular file" in err), (REFUSED, True))

    def members_of(self, schema: str) -> list[str]:
        """The members of a schema of the API."""
        text = (ROOT / "docs" / "openapi.yaml").read_text()
        found = text.partition(f"\n    {schema}:\n")[2]
        properties = found.partition("      properties:\n")[2].splitlines()
        indented = itertools.takewhile(lambda row: row.startswith(" " * 8), properties)
        return [row.strip().partition(":")[0] for row in indented if row[8] != " "]

    def test_the_members_are_those_of_the_api(self) -> None:
        self.assertEqual(sorted(self.members_of("ImportItem")), sorted(MEMBERS))

    def test_the_members_of_results_are_those_of_the_api(self) -> None:
        line = self.tandem.decided([order(1)], {})[0]
        self.assertLessEqual(set(line), set(self.members_of("ImportLine")))
        self.assertLessEqual({"number", "result", "superseded", "supersededBy", "error"}, set(line))
