"""Rows: strict records, ids that a spreadsheet replaced, values that would change, and failed rows."""

from __future__ import annotations

import csv
import io
import json
import random
from typing import Any

from infra.import_orders.cli import ALL_TAKEN, REFUSED, SOME_FAILED
from infra.import_orders.formats import Csv
from infra.import_orders.tests.case import COLUMNS, order
from infra.import_orders.tests.contents import HEADER, REST, Contents, text
from infra.import_orders.tests.test_cells import as_a_spreadsheet, is_formula, some_text


class Records(Contents):
    """Torn records of CSV."""

    def test_a_torn_record_stops_the_whole_file(self) -> None:
        for cell, reason in (
            ('T1"', "a quotation mark inside a cell"),
            ('"T1', "is not closed in this line"),
            ('"T1"x', "text follows the closing quotation mark"),
            ('"T0\nT1"', "is not closed in this line"),
            ("T\r1", "carriage return"),
            ('"T\r1"', "carriage return"),
            ("T\0", "NUL"),
            ("T,1", "the line has 7 cells, the header 6"),
            ("", "the line has 5 cells, the header 6"),
        ):
            content = text("a", "TORN", "b").replace("TORN," if not cell else "TORN", cell)
            self.assert_refused(content.encode(), "line 3: ", reason)

    def test_lines_end_with_crlf_or_lf_only(self) -> None:
        content = text("a", "b")
        for end in ("\n", "\r\n"):
            self.assertEqual(self.imported(content.replace("\n", end).encode()), ["a", "b"])
            self.assertEqual(self.imported(content.replace("\n", end).removesuffix(end).encode()), ["a", "b"])
        self.assert_refused(content.replace("\n", "\r").encode(), "line 1", "carriage return")
        self.assert_refused(content.replace("\n", "\r\r\n").encode(), "line 1", "carriage return")
        self.assert_refused((content.removesuffix("\n") + "\r").encode(), "line 3", "carriage return")

    def test_joined_files_are_rejected(self) -> None:
        for second in (text("b"), "\ufeff" + text("b")):
            self.assert_refused((text("a") + second).encode(), "line 3", "two files that were joined")
        self.assert_refused(("\ufeff\ufeff" + text("b")).encode(), "line 1")

    def test_a_line_for_spreadsheets_is_explained(self) -> None:
        self.assert_refused(("sep=,\n" + text("a")).encode(), "'sep=,', which only spreadsheets understand")

    def test_tabs_separate_as_commas_do(self) -> None:
        self.assertEqual(self.imported(text("a", '"b"').replace(",", "\t").encode()), ["a", "b"])

    def test_empty_rows_at_the_end_are_skipped(self) -> None:
        self.assertEqual(self.imported((text("a") + ",,,,,\r\n\r\n ,, ,,,\n\n").encode()), ["a"])

    def test_quoted_cells_hold_delimiters_and_quotation_marks(self) -> None:
        self.assertEqual(self.imported(text('"a,;""b"""').encode()), ['a,;"b"'])

    def test_rows_import_as_written_or_not_at_all(self) -> None:
        chance = random.Random(16)
        taken = 0
        for _ in range(400):
            ids = ["".join(chance.choice('""a,\r\n;x') for _ in range(chance.randrange(1, 5)))]
            self.reset()
            file = self.csv(text(*ids))
            code, _, err = self.run_it(file)
            if code == REFUSED:
                self.assertEqual(self.tandem.imported, [], err)
            else:
                taken += 1
                rows = list(csv.reader(io.StringIO(text(*ids), newline=""), strict=True))
                written = [row[0].strip() for row in rows[1:] if row]
                self.assertEqual(self.tandem.imported, [id for id in written if id])
        self.assertGreater(taken, 5)


class Ids(Contents):
    """Ids that are probably not the original ones."""

    SUSPICIOUS = (
        *("1.23457E+15", "1,23E+15", "1E+15", "1e15", "-1.5E-05", " 1.2E+10 "),
        *("#N/A", "#NV", "#WERT!", "#VALUE!", "#REF!", "#BEZUG!", "#NAME?", "#DIV/0!", "#NUM!", "#ZAHL!", "#NULL!"),
        *("#SPILL!", "#ÜBERLAUF!", "#GETTING_DATA", "#¡VALOR!", "#¿NOMBRE?", "#N/D", "########", "Err:502"),
        *("=1+1", '="00123"', "NULL", "null", "(null)", "None", "NaN", "undefined", "\\N", "N/A"),
    )

    def test_suspicious_ids_need_the_option(self) -> None:
        for id in self.SUSPICIOUS:
            cell = '"' + id.replace('"', '""') + '"'
            content = text("a", cell).encode()
            self.assert_refused(content, "line 3: externalSystemId '", "--allow-suspicious-ids")
            self.assertEqual(self.imported(content, "--allow-suspicious-ids"), ["a", id.strip()])
            line = json.dumps(order(1, externalSystemId=id)).encode()
            self.assert_refused(line, "line 1: externalSystemId", name="a.jsonl")

    def test_ids_of_offers_and_customers_are_checked_too(self) -> None:
        header = HEADER + ",deliveryCustomerId"
        for place, column in ((1, "offerId"), (2, "invoiceCustomerId"), (6, "deliveryCustomerId")):
            cells = f"a,{REST},cus_2".split(",")
            cells[place] = "#N/A"
            self.assert_refused(f"{header}\n{','.join(cells)}\n".encode(), f"line 2: {column} '#N/A'")

    def test_ordinary_ids_are_taken(self) -> None:
        ids = [
            "007",
            "E15",
            "1E",
            "12-E5",
            "#1",
            "#A",
            "A#N/A",
            "1.5",
            "-1",
            "+49",
            "@a",
            "nullius",
            "2026-07-01",
            "0x1E5",
        ]
        self.assertEqual(self.imported(text(*ids).encode()), ids)


class Values(Contents):
    """Values of JSON that would change."""

    def failed(self, *lines: str) -> list[dict[str, Any]]:
        """Import lines, all of which fail, and read the file of failed rows."""
        file = self.folder / "orders.jsonl"
        file.write_text("".join(line + "\n" for line in lines))
        code, _, err = self.run_it(file)
        self.assertEqual((code, self.tandem.imported), (SOME_FAILED, []), err)
        rows = [json.loads(row) for row in (self.folder / "orders.failed.jsonl").read_text().splitlines()]
        for row, line in zip(rows, lines, strict=True):
            self.assertEqual(row["error_text"], line)
            self.assertIn(row["error_detail"], err)
        return rows

    def test_a_member_that_appears_twice_is_rejected(self) -> None:
        good = json.dumps(order(1))
        rows = self.failed(
            good.replace("{", '{"quantity": 2, ', 1),
            good.replace("{", '{"\\u0071uantity": 2, ', 1),
            '{"a": {"b": [1, {"c": 1, "c": 1}]}}',
        )
        for row, path in zip(rows, ("quantity", "quantity", "a.b[1].c"), strict=True):
            self.assertEqual(row["error_detail"], f"the member '{path}' appears twice; keep one")

    def test_a_number_that_would_be_rounded_is_rejected(self) -> None:
        numbers = ("1.00000000000000000001", "12.345678901234567890", "1e-400", "1e400", "9007199254740993.5")
        rows = self.failed(*(json.dumps(order(1)).replace('"quantity": 1', f'"quantity": {n}') for n in numbers))
        self.assertEqual({row["error_code"] for row in rows}, {"unreadable"})

    def test_exact_numbers_are_taken(self) -> None:
        numbers = ("12.5", "1e1", "12.50", "0.1", "33.33", "100")
        lines = [order(number, discountPercentage="NUMBER") for number in range(len(numbers))]
        content = "".join(
            json.dumps(line).replace('"NUMBER"', n) + "\n" for line, n in zip(lines, numbers, strict=True)
        )
        self.imported(content.encode(), name="a.jsonl")
        sent = [self.tandem.orders[f"order-{number}"]["discountPercentage"] for number in range(len(numbers))]
        self.assertEqual(sent, [float(literal) for literal in numbers])

    def test_null_clears_every_optional_member(self) -> None:
        optional = ("endDate", "orderDate", "deliveryCustomerId", "discountPercentage", "currentPaymentPeriodPaid")
        content = f"{HEADER},{','.join(optional)}\na,{REST}{',null' * 5}\n"
        file = self.csv(content)
        self.assertEqual(self.run_it(file)[0], ALL_TAKEN)
        self.assertEqual({self.tandem.orders["a"][name] for name in optional}, {None})

    def test_a_date_without_end_is_sent_as_written(self) -> None:
        for end in ("9999-12-31", "9999-12-31T23:59:59Z", "31.12.9999"):
            self.assertEqual(self.imported(f"{HEADER},endDate\na,{REST},{end}\n".encode()), ["a"])
            self.assertEqual(self.tandem.orders["a"]["endDate"], end)


class FailedRows(Contents):
    """The file of failed rows."""

    def test_failed_rows_keep_their_ids_and_hold_no_formula(self) -> None:
        ids = ["=1", "x;=cmd|' /C calc'!A0;y", "'=1", "\uff1d1", "-5", " +1", 'q"=;"@', "\ufe0f=1", "a,b"]
        for delimiter in ",;\t":
            self.reset()
            self.tandem.bad_customers = {"cus_1"}
            quoted = ['"' + id.replace('"', '""') + '"' for id in ids]
            file = self.csv("".join(delimiter.join((*row,)) + "\n" for row in rows_of(quoted)))
            self.assertEqual(self.run_it(file, "--allow-suspicious-ids")[0], SOME_FAILED)
            failed = self.folder / "orders.failed.csv"
            written = failed.read_text("utf-8-sig")
            for other in ",;\t":
                self.assertFalse([cell for cell in as_a_spreadsheet(written, other) if is_formula(cell)])
            # A second failure changes nothing either.
            self.assertEqual(self.run_it(failed, "--allow-suspicious-ids")[0], SOME_FAILED)
            again = self.folder / "orders.failed.failed.csv"
            self.tandem.forget()
            self.tandem.bad_customers = set()
            code, _, err = self.run_it(again, "--allow-suspicious-ids")
            self.assertEqual(code, ALL_TAKEN, err)
            self.assertEqual(sorted(self.tandem.orders), sorted(id.strip() for id in ids))

    def test_failed_rows_of_any_text_are_read_unchanged(self) -> None:
        chance = random.Random(17)
        errors = {"error_line": "2", "error_code": "x", "error_detail": "=1;+2"}
        for _ in range(3_000):
            id = some_text(chance, without="\0\r\n\x80\x85")
            for delimiter in ",;\t":
                cells = ['"' + id.replace('"', '""') + '"', *REST.split(",")]
                first = Csv(delimiter.join(COLUMNS))
                again = Csv(first.head().removesuffix("\n"))
                written = first.failed(delimiter.join(cells), errors)
                self.assertEqual(again.item(written.removesuffix("\n")), first.item(delimiter.join(cells)))

    def test_failed_rows_need_their_columns_of_errors(self) -> None:
        for id in ("'=1", "'-5", "x;'=1"):
            content = text("a", id).encode()
            self.assert_refused(content, "line 3", "apostrophe before a formula", "keep the columns error_line")
            self.assertEqual(self.imported(content, "--allow-suspicious-ids"), ["a", id])
        self.assertEqual(self.imported(text("'a", "it's").encode()), ["'a", "it's"])

    def test_a_row_that_is_too_long_leaves_no_cut_id(self) -> None:
        content = text("a") + "b" * 3_000_000 + f",{REST}\n" + f"c,{REST},".removesuffix(",") + "x" * 3_000_000 + "\n"
        file = self.csv(content)
        self.assertEqual(self.run_it(file)[0], SOME_FAILED)
        rows = self.rows_of("orders.failed.csv")
        self.assertEqual([row["externalSystemId"] for row in rows], ["", ""])
        self.assertTrue(all(row["error_text"] for row in rows))


def rows_of(cells: list[str]) -> list[list[str]]:
    """The rows of a file with these cells as ids."""
    return [list(COLUMNS), *([cell, *REST.split(",")] for cell in cells)]
