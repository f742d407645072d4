"""Cells of CSV: strict reading, and writing that no spreadsheet runs, in any dialect."""

from __future__ import annotations

import csv
import io
import json
import random
import unicodedata
import unittest
from pathlib import Path

from infra.import_orders import cells

PAIRS: list[list[str]] = json.loads((Path(__file__).parent / "cells.json").read_text("utf-8"))
DELIMITERS = ",;\t"
_PIECES = [
    *"=+-@,;\t\"'|!a1 \r\n\xa0\u200b\u3164\u2800\ufeff\u2060\ufe0f\u115f",
    *"\uff1d\uff0b\uff0d\uff20\ufe63\u2212\u2028\x0b\x0c\x01\x85",
    "x;=cmd|' /C calc'!A0;y",
    '""',
    "order-1",
]
_WITHOUT_IMAGE = "\u3164\u2800\u115f\u1160\ufe0f"


def some_text(chance: random.Random, without: str = "") -> str:
    """A text of characters that matter, or of any others."""
    pieces = [
        chance.choice(_PIECES) if chance.random() < 0.9 else chr(chance.randrange(0x20, 0xD800))
        for _ in range(chance.randrange(8))
    ]
    return "".join(c for c in "".join(pieces) if c not in without)


def is_formula(cell: str) -> bool:
    """Whether a spreadsheet could run a cell."""
    # If a record ends with the other delimiter, the line break begins the next cell.
    cell = cell.lstrip("\r\n")
    if cell.startswith("\t"):
        return True
    unseen = {c for c in cell if unicodedata.category(c) in ("Cc", "Cf", "Zs", "Zl", "Zp") or c in _WITHOUT_IMAGE}
    seen = cell.lstrip("".join(unseen))
    return unicodedata.normalize("NFKC", seen[:1]) in ("=", "+", "-", "@", "\u2212")


def as_a_spreadsheet(text: str, delimiter: str) -> list[str]:
    """Every cell, read leniently."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=False)
    return [cell for row in rows for cell in row]


class Cells(unittest.TestCase):
    """Cells."""

    def test_texts_are_guarded_as_the_table_says(self) -> None:
        for text, expected in PAIRS:
            with self.subTest(text=ascii(text)):
                self.assertEqual(cells.guarded(text), expected)
                self.assertEqual(cells.unguarded(expected), text)

    def test_no_spreadsheet_finds_a_formula(self) -> None:
        chance = random.Random(11)
        for _ in range(4_000):
            texts = [some_text(chance) for _ in range(chance.randrange(1, 5))]
            for written_with in ",;":
                text = cells.written(texts, written_with) + cells.written(texts, written_with)
                for read_with in DELIMITERS:
                    found = [cell for cell in as_a_spreadsheet(text, read_with) if is_formula(cell)]
                    self.assertEqual(found, [], (texts, written_with, read_with))

    def test_written_cells_are_read_unchanged(self) -> None:
        chance = random.Random(12)
        for _ in range(4_000):
            texts = [some_text(chance, without="\r\n") for _ in range(chance.randrange(1, 5))]
            for delimiter in ",;":
                line = cells.written(texts, delimiter).removesuffix("\n")
                self.assertEqual([cells.unguarded(cell) for cell in cells.read(line, delimiter)], texts)

    def test_guards_are_removed_from_any_text_without_loss(self) -> None:
        chance = random.Random(13)
        for _ in range(20_000):
            text = some_text(chance)
            self.assertEqual(cells.unguarded(cells.guarded(text)), text)

    def test_strict_cells_are_those_of_the_csv_module(self) -> None:
        """Any line either reads as the module reads it, or is rejected."""
        chance = random.Random(14)
        read = 0
        for _ in range(20_000):
            line = "".join(chance.choice('"",;a b') for _ in range(chance.randrange(1, 12)))
            try:
                found = cells.read(line, ",")
            except cells.Torn:
                continue
            read += 1
            self.assertEqual(found, next(csv.reader([line], strict=True)), line)
        self.assertGreater(read, 1_000)

    def test_torn_lines_are_rejected_at_their_character(self) -> None:
        for line, message in (
            ('a,T"1,b', "character 4: a quotation mark inside a cell"),
            ('a,T1",b', "character 5: a quotation mark inside a cell"),
            (' "a"', "character 2: a quotation mark inside a cell"),
            ('a,"b"c', "character 6: text follows the closing quotation mark"),
            ('"a" ,b', "character 4: text follows the closing quotation mark"),
            ('a,"b', "character 3: a cell begins with a quotation mark and is not closed"),
            ('"a""', "character 1: a cell begins with a quotation mark and is not closed"),
            ('"', "character 1: a cell begins with a quotation mark and is not closed"),
            ("a\rb,c", "character 2 is a carriage return"),
            ('"a\r"', "character 3 is a carriage return"),
            ("a\0", "character 2 is a NUL"),
        ):
            with self.subTest(line=line), self.assertRaises(cells.Torn) as torn:
                cells.read(line, ",")
            self.assertIn(message, str(torn.exception))

    def test_an_unclosed_quotation_mark_is_found_fast(self) -> None:
        with self.assertRaises(cells.Torn):
            cells.read('"' + 'a""' * 300_000, ",")
