"""Damaged texts: nothing of such a file is sent, and the message has the line, the reason and the remedy."""

from __future__ import annotations

import codecs
import json
import random

from infra.import_orders.cli import ALL_TAKEN, REFUSED, SOME_FAILED
from infra.import_orders.tests.case import COLUMNS, order
from infra.import_orders.tests.contents import HEADER, REST, Contents, text

UMLAUTS = ["Ä-1", "Ö-1", "Ü-1"]


class Encodings(Contents):
    """Files that are not UTF-8."""

    def test_an_undecodable_byte_is_located_and_explained(self) -> None:
        offset = len(text("a").encode())
        for encoding, id, shown in (("latin-1", "Ä-1", "0xC4"), ("cp1252", "€-1", "0x80"), ("cp1252", "“-1", "0x93")):
            content = text("a", id, "b").encode(encoding)
            where = f"line 3, byte 1 (offset {offset} in the file) is {shown}"
            self.assert_refused(content, where, f"{id},off_1", "--encoding cp1252")
        line = json.dumps(order(1)).encode() + b"\n" + b'{"externalSystemId": "\xd6"}\n'
        where = "line 2, byte 23"
        self.assert_refused(line, where, "--encoding cp1252", name="a.jsonl")
        self.assert_refused("Ä".encode("latin-1") + text("a").encode(), "line 1, byte 1")

    def test_ids_in_the_named_encoding_stay_different(self) -> None:
        for encoding, argument in (
            ("latin-1", "latin-1"),
            ("latin-1", "ISO-8859-1"),
            ("cp1252", "cp1252"),
            ("cp1252", "windows-1252"),
            ("cp850", "cp850"),
            ("mac-roman", "mac-roman"),
            ("utf-8", "utf-8"),
            ("utf-8-sig", "UTF8"),
            *((name, name) for name in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")),
        ):
            with self.subTest(encoding=encoding, argument=argument):
                content = text(*UMLAUTS).encode(encoding)
                self.assertEqual(self.imported(content, "--encoding", argument), UMLAUTS)
                lines = "".join(json.dumps(order(1, externalSystemId=id), ensure_ascii=False) + "\n" for id in UMLAUTS)
                self.assertEqual(self.imported(lines.encode(encoding), "--encoding", argument, name="a.jsonl"), UMLAUTS)

    def test_a_wide_encoding_is_recognised(self) -> None:
        for encoding, named in (
            ("utf-16", "utf-16"),
            ("utf-16-le", "utf-16-le"),
            ("utf-16-be", "utf-16-be"),
            ("utf-32", "utf-32"),
            ("utf-32-be", "utf-32-be"),
        ):
            for content in (text(*UMLAUTS), text("a")):
                self.assert_refused(content.encode(encoding), "line 1, byte 1", f"--encoding {named}")
            self.assert_refused(json.dumps(order(1)).encode(encoding), f"--encoding {named}", name="a.jsonl")

    def test_mixed_encodings_are_rejected_whatever_is_named(self) -> None:
        rows = {name: f"{id},{REST}\n".encode(name) for name, id in (("utf-8", "Ä"), ("latin-1", "Ö"))}
        for first, second in (("utf-8", "latin-1"), ("latin-1", "utf-8")):
            content = HEADER.encode() + b"\n" + rows[first] + rows[second]
            self.assert_refused(content, "line 2", "line 3", "mixes encodings")
            for name in ("latin-1", "cp1252", "cp850"):
                self.assert_refused(content, "mixes encodings", arguments=("--encoding", name))

    def test_a_wrong_encoding_is_rejected(self) -> None:
        utf_8, utf_16 = text(*UMLAUTS).encode(), text(*UMLAUTS).encode("utf-16")
        for content, encoding, part in (
            (utf_8, "cp1252", "is UTF-8, as line 2 shows"),
            (codecs.BOM_UTF8 + text("a").encode(), "latin-1", "leave out --encoding"),
            (text("€").encode("cp1252"), "latin-1", "line 2, byte 1"),
            (text("a", "\x81").encode("latin-1"), "cp1252", "line 3, byte 1"),
            (utf_16, "cp1252", "use --encoding utf-16-le"),
            (utf_16, "utf-16-be", "use --encoding utf-16-le"),
            (utf_16[:-1], "utf-16", "line 4"),
            (utf_16 + b"\x00\xd8\n\x00", "utf-16", "line 5"),
            (utf_16[2:], "utf-16", "--encoding utf-16-le or utf-16-be"),
        ):
            self.assert_refused(content, part, arguments=("--encoding", encoding))

    def test_a_file_that_ends_within_a_character_is_rejected(self) -> None:
        content = text("Ä") + "€"
        for cut in (1, 2):
            self.assert_refused(content.encode()[:-cut], "line 3, byte 1", "the file is incomplete")

    def test_an_unknown_encoding_is_rejected(self) -> None:
        for name in ("idna", "utf-7", "rot13", "base64", "unicode_escape", "none", ""):
            with self.assertRaises(SystemExit) as ended:
                self.run_it(self.csv(text("a")), "--encoding", name)
            self.assertEqual((ended.exception.code, self.tandem.posts), (REFUSED, []))

    def test_a_resumed_import_keeps_its_encoding(self) -> None:
        file = self.csv(text(*UMLAUTS), encoding="latin-1")
        self.assertEqual(self.run_it(file, "--encoding", "latin-1")[0], ALL_TAKEN)
        code, _, err = self.run_it(file, "--encoding", "cp1252")
        self.assertEqual((code, "was begun with --encoding" in err), (REFUSED, True), err)
        self.assertIn("was imported before", self.run_it(file, "--encoding", "latin-1")[2])

    def test_failed_rows_of_any_encoding_can_be_imported(self) -> None:
        for encoding in ("latin-1", "cp1252", "utf-16", "utf-8"):
            self.reset()
            self.tandem.bad_customers = {"cus_1"}
            file = self.csv(text(*UMLAUTS), encoding=encoding)
            self.assertEqual(self.run_it(file, "--encoding", encoding)[0], SOME_FAILED)
            failed = self.folder / "orders.failed.csv"
            self.assertTrue(failed.read_bytes().startswith(codecs.BOM_UTF8))
            self.tandem.bad_customers = set()
            if encoding != "utf-8":
                code, _, err = self.run_it(failed, "--encoding", encoding)
                self.assertEqual((code, "byte-order mark" in err), (REFUSED, True), err)
            self.assertEqual(self.run_it(failed)[0], ALL_TAKEN)
            self.assertEqual(sorted(self.tandem.orders), UMLAUTS)

    def test_any_bytes_import_as_they_are_or_not_at_all(self) -> None:
        chance = random.Random(15)
        taken = 0
        for _ in range(60):
            encoding = chance.choice(["utf-8", "latin-1", "cp1252", "utf-16-le"])
            ids = ["".join(chance.choice("aÄöß€é-1") for _ in range(3)) + str(number) for number in range(3)]
            content = text(*ids).encode(encoding, "ignore")
            written = content.decode(encoding)
            self.reset()
            file = self.folder / "a.csv"
            file.write_bytes(content)
            named = chance.choice(["utf-8", "cp1252", "utf-16-le"])
            code, _, err = self.run_it(file, "--encoding", named)
            if code == ALL_TAKEN:
                taken += 1
                self.assertEqual(self.tandem.imported, [row.split(",")[0] for row in written.splitlines()[1:]], err)
            else:
                self.assertEqual((code, self.tandem.imported), (REFUSED, []), err)
        self.assertGreater(taken, 5)


class Characters(Contents):
    """Characters that show a lossy conversion."""

    DAMAGED = ("\ufffd", "\ufffe", "\uffff", "\ufdd0", "\ufdef", "\U0001fffe", "\U0010ffff", "\x80", "\x9f")

    def test_damaged_characters_are_rejected_in_every_cell(self) -> None:
        for character in self.DAMAGED:
            self.assert_refused(text("a", f"b{character}").encode(), "line 3", "externalSystemId", "character 2 is U+")
        for place, column in enumerate(COLUMNS):
            cells = f"a,{REST}".split(",")
            cells[place] = "x\ufffd"
            row = ",".join(cells)
            self.assert_refused(f"{HEADER}\n{row}\n".encode(), "line 2", f"{column}: character 2 is U+FFFD")
        self.assert_refused(f"{HEADER}\ufffd\n".encode(), "'paymentMethod\ufffd' is unknown", "line 1")

    def test_damaged_characters_are_rejected_in_every_member(self) -> None:
        for character in (*self.DAMAGED, "\ud800", "\udfff"):
            for form in (json.dumps(character), f'"{character}"'):
                if form.isascii() or not "\ud800" <= character <= "\udfff":
                    content = f'{{"externalSystemId": {form}}}\n'.encode()
                    self.assert_refused(content, "line 1", "externalSystemId: character 1 is U+", name="a.jsonl")
        for value, path in (
            ({"note": "\ufffd"}, "note: "),
            ({"a": {"b": ["x", "\ufffd"]}}, "a.b[1]: "),
            ({"a\ufffd": 1}, "the name of a member, 'a\ufffd'"),
        ):
            self.assert_refused(json.dumps(value).encode(), "line 1", path, name="a.jsonl")

    def test_surrogates_as_bytes_are_rejected(self) -> None:
        row = f"\ud800,{REST}\n".encode("utf-8", "surrogatepass")
        self.assert_refused(text("a").encode() + row, "line 3, byte 1", "half of a surrogate pair")
        pair = json.dumps(order(1, externalSystemId="\U0001f600"))
        self.assertEqual(self.imported(pair.encode(), name="a.jsonl"), ["\U0001f600"])

    def test_damage_in_the_columns_of_errors_is_ignored(self) -> None:
        columns = "error_line,error_code,error_detail,error_text"
        content = f"{HEADER},{columns}\na,{REST},2,x,\ufffd,\ufffd\n"
        self.assertEqual(self.imported(content.encode()), ["a"])
        line = json.dumps({**order("a"), "error_text": "\ufffd"})
        self.assertEqual(self.imported(line.encode(), name="a.jsonl"), ["order-a"])

    def test_many_problems_are_shown_in_part(self) -> None:
        self.assert_refused(text(*["\ufffd"] * 1_025).encode(), "line 21: ", "and 1,005 more")
