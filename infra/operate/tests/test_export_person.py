"""The command `export-person`, and opening sealed texts."""

from __future__ import annotations

import base64
import dataclasses
import json
import unittest
from pathlib import Path
from typing import Any

from infra.local.layout import ROOT
from infra.local.say import Problem
from infra.operate import export_person, keys, packed, sealing
from infra.operate.options import Options, parse
from infra.operate.sealing import CannotOpen, Sealer
from infra.operate.tests import sale
from infra.operate.tests.case import Sqs, output_of, stack
from infra.operate.tests.sale import CALLBACK, COMPANY, CUSTOMER, ORDER, OWN, PAYOUT, SELLER, SOLD, SOURCE
from infra.operate.tests.table import Table, golden

SECRET = "0123456789abcdef0123456789abcdef"
OTHER = Sealer.from_secret(SECRET[::-1])
_TEXTS = ROOT / "shared/sealing/sealed_texts.tsv"


def seal(sealer: Sealer, purpose: str, bound_to: str, plain: str) -> bytes:
    """A sealed text."""
    return sealer.seal_form(purpose, bound_to, 0, plain.encode())


class Sealing(unittest.TestCase):
    """Sealed texts."""

    def test_the_texts_of_the_rust_tests_open(self) -> None:
        lines = [line.split("\t") for line in _TEXTS.read_text().splitlines() if not line.startswith("#")]
        self.assertGreater(len(lines), 5)
        for purpose, bound_to, person, text, plain in lines:
            sealed = base64.b64decode(text)
            data_key = Sealer.from_secret(SECRET)
            sealer = data_key if person == "-" else data_key.personal("cus_1", base64.b64decode(person))
            self.assertEqual(sealer.open(purpose, bound_to, sealed), plain.encode())
            for other in ((purpose, bound_to + "x"), (purpose + "x", bound_to)):
                with self.assertRaisesRegex(CannotOpen, "changed, or sealed for another purpose"):
                    sealer.open(*other, sealed)
            with self.assertRaisesRegex(CannotOpen, "another key"):
                OTHER.open(purpose, bound_to, sealed)

    def test_a_text_that_cannot_be_opened_has_its_reason(self) -> None:
        sealer = Sealer.from_secret(SECRET)
        for text, reason in (
            (b"", "not a sealed"),
            (b"\x01", "not a sealed"),
            (b"\x02" + bytes(40), "version 2"),
            (sealer.seal_form("cursor", "a", 9, bytes(40)), "dictionary 9"),
        ):
            with self.assertRaisesRegex(CannotOpen, reason):
                sealer.open("cursor", "a", text)

    def test_the_first_key_seals_and_all_open(self) -> None:
        both = Sealer.from_secret(f"{SECRET[::-1]}\n\n {SECRET}\n")
        for sealer, opens in ((Sealer.from_secret(SECRET), both), (both, OTHER)):
            self.assertEqual(opens.open("canary", "a", seal(sealer, "canary", "a", "text")), b"text")


class Secrets:
    """A fake Secrets Manager with the data key."""

    def get_secret_value(self, SecretId: str) -> dict[str, str]:
        """The data key."""
        assert SecretId == "arn:data-key"
        return {"SecretString": SECRET}


class Exporting(unittest.TestCase):
    """The export of a customer who bought from another contracting company."""

    def setUp(self) -> None:
        """A sale about the customer, with sealed personal data."""
        self.table = Table()
        sale.sale(self.table)
        data_key = Sealer.from_secret(SECRET)
        sealed_key = seal(data_key, sealing.PERSONAL_KEY, CUSTOMER, "k" * 32)
        self.person = data_key.personal(CUSTOMER, sealed_key)
        row = golden("customer", companyId=COMPANY, sealedKey=sealed_key)
        self.customer = self.table.put(keys.OWNED.format(COMPANY, CUSTOMER), "customer", row)
        self.customer = self.table.items[-1]
        person = seal(self.person, sealing.PERSONAL_DATA, CALLBACK, '{"email":"Anna@example.com"}')
        concerned = f"{COMPANY}#{CUSTOMER}"
        for row in self.table.items:
            if row["sk"] == "callback" and row["id"] == CALLBACK:
                row |= {"concerned": concerned, "sealedPerson": person}
            if row["sk"] == "attempt#000001":
                row.pop("answer")
                row["sealedAnswer"] = seal(self.person, sealing.RECEIVED_ANSWER, f"{CALLBACK}#1", "busy, Anna")
            if row["pk"] == PAYOUT:
                row["customerId"] = CUSTOMER
        self.concerned = concerned

    def export(self, id: str = CUSTOMER, scan: bool = False) -> Any:
        """The printed JSON."""
        options = Options("export-person", None, Path("stack.json"), id=id, scan=scan)
        target = dataclasses.replace(stack(Sqs(), self.table), secrets=Secrets(), data_key_secret="arn:data-key")
        output = output_of(lambda: export_person.run(target, options))
        self.assertNotIn('sealed"', output)
        return json.loads(output)

    def test_all_rows_about_a_customer_are_exported_and_opened(self) -> None:
        export = self.export()
        kept = export["rows"]
        ids = {kind: [row.get("id") for row in found] for kind, found in kept.items()}
        self.assertEqual(
            {kind: sorted(found) for kind, found in ids.items() if kind != "attempt"},
            {
                "customer": [CUSTOMER],
                "order": [ORDER],
                "subscription": [OWN, SOLD],
                "payout": [PAYOUT],
                "callback": [CALLBACK],
            },
        )
        self.assertEqual(kept["customer"][0]["address"]["city"], "Zürich")
        self.assertEqual(kept["callback"][0]["person"], {"email": "Anna@example.com"})
        self.assertEqual([row.get("answer") for row in kept["attempt"]], ["busy, Anna", None])
        self.assertEqual(kept["order"][0]["total"], {"amount": 3000, "currency": "EUR"})
        self.assertIn("--scan includes them", export["notSearched"][0])
        self.assertNotIn("sealedKey", kept["customer"][0])

    def test_a_scan_finds_every_row_that_names_the_customer(self) -> None:
        answer = {"caller": SELLER, "scope": "ab", "status": 201, "concerned": self.concerned}
        sealed = seal(self.person, sealing.IDEMPOTENT_ANSWER, f"{SELLER}#ab", "f" * 16 + json.dumps({"id": CUSTOMER}))
        self.table.put(f"{SELLER}#idempotency#ab", "idempotency", answer | {"sealedAnswer": sealed})
        (item,) = golden("import_items")["items"]
        items = [item | {"invoiceCustomerId": CUSTOMER}, item | {"invoiceCustomerId": "cus_" + "0" * 32}]
        self.table.put(f"{SELLER}#prm_1", "items#000", {"packed": packed.pack({"items": items})})
        guard = {"companyId": COMPANY, "unique": "email#ab", "customerId": CUSTOMER}
        self.table.put(f"{COMPANY}#email#ab", "guard", guard)
        export = self.export(scan=True)
        kept = export["rows"]
        self.assertEqual(export["notSearched"], [])
        self.assertEqual(kept["idempotency"][0]["answer"], {"id": CUSTOMER})
        self.assertEqual(kept["guard"], [guard])
        self.assertEqual(kept["items"][0]["items"], [items[0]])
        for kind, found in self.export()["rows"].items():
            self.assertEqual(found, kept[kind])

    def test_imported_orders_are_exported_unpacked(self) -> None:
        sale.imported(self.table)
        kept = self.export()["rows"]
        self.assertEqual(kept["imported"][0]["externalSystemId"], "SAP-1")
        self.assertEqual(len(kept["records"][0]["records"]), 6)
        self.assertEqual({name for row in kept["imported"] for name in row} & {"packed", "pk", "gsisk"}, set())

    def test_an_erased_customer_has_no_personal_data(self) -> None:
        self.table.items.remove(self.customer)
        self.table.put(keys.OWNED.format(COMPANY, CUSTOMER), "erasure", golden("erasure", companyId=COMPANY))
        for scan in (False, True):
            kept = self.export(scan=scan)["rows"]
            self.assertEqual(kept["erasure"][0]["askedBy"], SOURCE)
            self.assertEqual(kept["callback"][0]["person"], "(erased with the customer's key)")
            self.assertNotIn("Anna", json.dumps(kept))

    def test_a_row_that_cannot_be_opened_is_named(self) -> None:
        self.customer["sealedKey"] = seal(OTHER, sealing.PERSONAL_KEY, CUSTOMER, "x" * 32)
        with self.assertRaisesRegex(Problem, "cannot be opened"):
            self.export()

    def test_only_a_known_customer_can_be_exported(self) -> None:
        for id, reason in ((ORDER, "not the id of a customer"), ("cus_" + "0" * 32, "there is no customer")):
            with self.assertRaisesRegex(Problem, reason):
                self.export(id)
        self.assertTrue(parse(["export-person", CUSTOMER, "--scan", "--local"]).scan)
