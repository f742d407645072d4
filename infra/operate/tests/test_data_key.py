"""The change of the data key: the list of keys, and sealing all values again."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import unittest
from pathlib import Path

from infra.local.say import Problem
from infra.operate import data_key, keys, reseal, sealing
from infra.operate.options import Options, parse
from infra.operate.sealing import CannotOpen, Sealer, key_id
from infra.operate.stack import Stack
from infra.operate.tests.case import Sqs, output_of, stack
from infra.operate.tests.sale import CALLBACK, COMPANY, CONNECTION, CUSTOMER, SELLER, SOURCE
from infra.operate.tests.table import Table, golden

OLD, NEW = "old-" * 10, "new-" * 10
OF_OLD, OF_NEW, OF_BOTH = (Sealer.from_secret(text) for text in (OLD, NEW, f"{NEW}\n{OLD}"))
SCOPE = "5f2a" * 16


@dataclasses.dataclass
class Secrets:
    """A fake Secrets Manager with one secret."""

    text: str

    def get_secret_value(self, SecretId: str) -> dict[str, str]:
        """The secret."""
        assert SecretId == "arn:data-key"
        return {"SecretString": self.text}

    def put_secret_value(self, SecretId: str, SecretString: str) -> None:
        """Change the secret."""
        assert SecretId == "arn:data-key"
        self.text = SecretString


def rows_of(sealer: Sealer) -> Table:
    """A table with every kind of value that is sealed under the data key."""
    table = Table()

    def seal(purpose: str, bound_to: str, form: int = 0) -> bytes:
        return sealer.seal_form(purpose, bound_to, form, f"{purpose} of {bound_to}".encode())

    of_a_person = Sealer.from_secret("x" * 32).seal_form("personal-data", CALLBACK, 2, b"Anna")
    table.put(reseal.CANARY, reseal.CANARY, {"sealed": seal("canary", "canary"), "version": 1})
    table.put(
        keys.OWNED.format(COMPANY, CUSTOMER),
        "customer",
        golden("customer") | {"sealedKey": seal("personal-key", CUSTOMER)},
    )
    log = [{"number": 1, "sealedAnswer": of_a_person}, {"number": 2}]
    callback = {"sealedBody": seal("callback-body", CALLBACK, form=1), "sealedPerson": of_a_person, "log": log}
    table.put(keys.OWNED.format(SOURCE, CALLBACK), "callback", golden("callback_about_a_person") | callback)
    table.put(keys.OWNED.format(SOURCE, CALLBACK), "attempt#000003", {"sealedAnswer": of_a_person, "version": 1})
    connection = golden("connection_between_two_companies")
    for secret in connection["callback"]["secrets"]:
        secret["sealed"] = seal("signing-secret", CONNECTION)
    table.put(CONNECTION, "connection", connection)
    endpoint = golden("event_endpoint")
    endpoint["secrets"][0]["sealed"] = seal("signing-secret", SELLER)
    table.put(SELLER, "eventEndpoint", endpoint)
    answer = {"sealedAnswer": seal("idempotent-answer", f"{SELLER}#{SCOPE}", form=3), "version": 1}
    table.put(keys.IDEMPOTENCY.format(SELLER, SCOPE), "idempotency", answer)
    of_person = {"sealedAnswer": of_a_person, "concerned": {"customerId": CUSTOMER}, "version": 1}
    table.put(keys.IDEMPOTENCY.format(SELLER, SCOPE[::-1]), "idempotency", of_person)
    return table


def target(table: Table, text: str) -> Stack:
    """A stack with a table and a secret."""
    return dataclasses.replace(stack(Sqs(), table), secrets=Secrets(text), data_key_secret="arn:data-key")


def ids(table: Table) -> set[bytes]:
    """The ids of the keys of all values that are sealed under a data key."""
    return {key_id(place.sealed) for row in table.items for place in reseal.places(row)}


class Quiet(unittest.TestCase):
    """A test without lines of progress."""

    def setUp(self) -> None:
        quiet = contextlib.redirect_stderr(io.StringIO())
        quiet.__enter__()
        self.addCleanup(quiet.__exit__, None, None, None)

    def reseal(self, table: Table, text: str = f"{NEW}\n{OLD}", dry_run: bool = False) -> tuple[int, str]:
        """The exit status and the output."""
        status: list[int] = []
        options = Options("reseal", None, Path("stack.json"), dry_run=dry_run)
        output = output_of(lambda: status.append(reseal.run(target(table, text), options)))
        return status[0], output


class Resealing(Quiet):
    """`reseal`."""

    def test_every_value_is_sealed_under_the_newest_key(self) -> None:
        table = rows_of(OF_OLD)
        self.assertEqual(
            self.reseal(table, dry_run=True), (1, "7 values are sealed under an older key; nothing was changed\n")
        )
        self.assertEqual(ids(table), {OF_OLD.keys[0].id})
        status, output = self.reseal(table)
        self.assertEqual((status, output.split(";")[0]), (0, "7 values were resealed"))
        self.assertEqual(ids(table), {OF_NEW.keys[0].id})
        for row in table.items:
            for place in reseal.places(row):
                form, octets = OF_NEW.open_form(place.purpose, place.bound_to, place.sealed)
                self.assertEqual(octets.decode(), f"{place.purpose} of {place.bound_to}")
                self.assertEqual(form, {"callback-body": 1, "idempotent-answer": 3}.get(place.purpose, 0))
        before = [dict(row) for row in table.items]
        self.assertEqual(self.reseal(table)[1].split(";")[0], "0 values were resealed")
        self.assertEqual(before, table.items)
        self.assertEqual(self.reseal(table, dry_run=True)[0], 0)

    def test_values_under_a_persons_key_stay(self) -> None:
        table = rows_of(OF_OLD)
        of_persons = [
            row.get("sealedPerson", row.get("sealedAnswer")) for row in table.items if row["sk"] != "idempotency"
        ]
        self.reseal(table)
        after = [row.get("sealedPerson", row.get("sealedAnswer")) for row in table.items if row["sk"] != "idempotency"]
        self.assertEqual(of_persons, after)

    def test_a_row_that_changes_meanwhile_is_read_again(self) -> None:
        table = rows_of(OF_OLD)
        table.changed_meanwhile = 3
        self.assertEqual(self.reseal(table)[1].split(";")[0], "7 values were resealed")
        self.assertEqual(ids(table), {OF_NEW.keys[0].id})

    def test_the_canary_is_replaced_last(self) -> None:
        table = rows_of(OF_OLD)
        table.fails_after = 3
        with self.assertRaises(RuntimeError):
            self.reseal(table)
        canary = next(row for row in table.items if row["sk"] == reseal.CANARY)
        self.assertEqual(key_id(bytes(canary["sealed"])), OF_OLD.keys[0].id)
        table.fails_after = None
        self.assertEqual(self.reseal(table)[0], 0)
        self.assertEqual(ids(table), {OF_NEW.keys[0].id})

    def test_a_value_under_an_unknown_key_or_in_an_unknown_member_is_named(self) -> None:
        with self.assertRaisesRegex(Problem, "sealed under another key"):
            self.reseal(rows_of(OF_OLD), NEW)
        table = rows_of(OF_NEW)
        table.put("cli_1", "offer", {"sealedNote": b"x", "version": 1})
        with self.assertRaisesRegex(Problem, "cli_1 offer: sealedNote is unknown"):
            self.reseal(table)

    def test_each_sealed_member_of_the_goldens_is_known(self) -> None:
        kinds = {
            "callback_about_a_person",
            "callback_logged",
            "connection_between_two_companies",
            "customer",
            "event_endpoint",
        }
        for name in kinds:
            kind = name.partition("_")[0] if name != "event_endpoint" else "eventEndpoint"
            list(reseal.places(golden(name) | {"pk": "cli_1#id", "sk": kind}))
        with self.assertRaises(CannotOpen):
            list(reseal.places(golden("customer") | {"pk": "cli_1#id", "sk": "order"}))


class Keys(Quiet):
    """`data-key`."""

    def change(self, held: Stack, action: str) -> list[str]:
        """The lines of the output."""
        options = Options("data-key", None, Path("stack.json"), action=action)
        return output_of(lambda: data_key.run(held, options)).splitlines()

    def test_a_key_is_added_used_and_the_older_one_removed(self) -> None:
        table = rows_of(OF_OLD)
        held = target(table, OLD)
        old = OF_OLD.keys[0].id.hex()
        self.assertEqual(self.change(held, "show"), [f"{old}  seals and opens"])
        with self.assertRaisesRegex(Problem, "one key only"):
            self.change(held, "use")
        added = self.change(held, "add")
        self.assertEqual(added[0], f"{old}  seals and opens")
        new = added[1].removesuffix("  opens")
        self.assertEqual(self.change(held, "use")[:2], [f"{new}  seals and opens", f"{old}  opens"])
        with self.assertRaisesRegex(Problem, "7 values are sealed under an older key"):
            self.change(held, "remove")
        self.reseal(table, held.secrets.text)
        self.assertEqual(self.change(held, "remove")[0], f"{new}  seals and opens")
        self.assertEqual(len(held.secrets.text.splitlines()), 1)
        self.assertGreaterEqual(len(held.secrets.text), sealing.MIN_CHARACTERS)
        self.assertEqual(parse(["data-key", "add", "--local"]).action, "add")
