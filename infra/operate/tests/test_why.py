"""The command `why`: the story of each kind of row, without personal data."""

from __future__ import annotations

import re
import unittest
from pathlib import Path

from infra.local.layout import ROOT
from infra.local.say import Problem
from infra.operate import holders, keys, packed, rows, sales, why
from infra.operate.options import Options
from infra.operate.rows import Listing
from infra.operate.tests import sale
from infra.operate.tests.case import CLIENT, PROMISE, URL, Sqs, body, output_of, stack
from infra.operate.tests.sale import (
    CALLBACK,
    CONNECTION,
    CUSTOMER,
    HASH,
    ORDER,
    OWN,
    PAYOUT,
    RENEWAL,
    SELLER,
    SOLD,
    SOURCE,
)
from infra.operate.tests.table import Table, golden


class Case(unittest.TestCase):
    """A stack with a fake table."""

    def setUp(self) -> None:
        """An empty table."""
        self.table, self.sqs = Table(), Sqs()

    def ask(self, id: str, client: str | None = None) -> str:
        """The output, on one line."""
        options = Options("why", None, Path("stack.json"), id=id, client=client)
        output = output_of(lambda: why.run(stack(self.sqs, self.table), options))
        for word in sale.PERSONAL:
            self.assertNotIn(word, output)
        return re.sub(r"\s+", " ", output)


class Sales(Case):
    """Orders, subscriptions, vouchers and payout rows."""

    def setUp(self) -> None:
        """A sale."""
        super().setUp()
        sale.sale(self.table)

    def test_an_order_leads_to_all_that_followed(self) -> None:
        text = self.ask(ORDER)
        for part in (
            f"{ORDER} of {SELLER}, bought from crt_",
            f"customer {CUSTOMER}",
            f"position 1: 1 x off_0190b8f5c6f77c3ab0a100000000003d, 1000 EUR, paid; {OWN}",
            f"position 2: 1 x off_0190b8f5c6f77c3ab0a100000000003e of {SOURCE}, 1000 EUR, paid",
            f"{OWN}, the row of {SELLER} (own): active",
            f"{SOLD}, the row of {SOURCE} (source): pending: its voucher is not redeemed",
            f"hash {HASH}, is not redeemed.",
            f"{PAYOUT}: PAYMENT of period 1",
            f"{CALLBACK} to {SOURCE}: callback crossClientOrder.created",
            "Attempt 1, 2026-07-01 12:00:00 UTC",
            "status 503, 212 ms.",
            "timed out, 212 ms.",
            f"{RENEWAL} to {SOURCE}: callback crossClientSubscription.renewed",
            f"Next: - the next attempt to deliver {RENEWAL} is due 2099-01-01 00:00:00 UTC",
            f"- {SOURCE} redeems the voucher of {SOLD}",
            "- 1 payout row is open",
        ):
            self.assertIn(part, text)
        self.assertNotIn(sale.id_of("cbk", 2), text)  # of another order

    def test_each_row_of_a_sale_leads_to_the_same_story(self) -> None:
        text = self.ask(SOLD)
        for id in (f"{SELLER}#{SOLD}", f"{SOURCE}#{SOLD}", HASH, f"{SOURCE}#voucher#{HASH}", PAYOUT):
            self.assertEqual(re.sub(r"\d+ s ago", "", self.ask(id)), re.sub(r"\d+ s ago", "", text))
        self.assertIn(f"{RENEWAL} to {SOURCE}", text)
        self.assertNotIn(OWN, text)
        self.assertIn(f"{OWN}, the row of {SELLER} (own)", self.ask(OWN))
        self.assertNotIn(SOLD, self.ask(OWN))

    def test_dead_letters_of_callbacks_are_shown(self) -> None:
        message = body().replace(f"{CLIENT}#{PROMISE}", f"{SOURCE}#{RENEWAL}").replace("chunk#001", "callback")
        self.sqs.put(f"{URL}callbacks-dead", message, reason="unreadable_row")
        self.assertIn("A dead letter names it (its row, or a row that it needs, is corrupt)", self.ask(ORDER))

    def test_a_finished_sale_has_nothing_open(self) -> None:
        self.table = Table()
        sale.tenants(self.table)
        sale.order(self.table)
        for row in self.table.items:
            if row["sk"] == "subscription":
                row.update(life="refunded", endedAt="2026-07-01T12:00:00Z")
                for member in ("endsAt", "voucherHash"):
                    row.pop(member, None)
        self.assertTrue(self.ask(ORDER).endswith("Next: - nothing is open. "))

    def test_an_imported_order_leads_to_its_imports(self) -> None:
        order, promises = sale.imported(self.table)
        text = self.ask(f"ord_{order}")
        self.assertIn("imported 2026-07-01 12:00:00 UTC", text)
        self.assertIn("1750 EUR (minor units) by BILLING, customer cus_0190b8f5c6f77c3ab0a1000000000028", text)
        self.assertIn(f"{promises[0]} failed it (offer_not_found) 2026-07-01 12:00:00 UTC", text)
        for promise in promises[1:]:
            self.assertIn(f"{promise} failed it (offer_not_found)", text)
        self.assertIn(f"sub_{order}, the row of {SELLER} (own): cancelled", text)
        self.assertNotIn("SAP-1", text)
        found = self.ask(f"sub_{order}")
        self.assertEqual(re.sub(r"\d+ s ago", "", found), re.sub(r"\d+ s ago", "", text))
        sale.tenants(self.table)
        row = golden("customer", id="cus_0190b8f5c6f77c3ab0a1000000000028", companyId=sale.COMPANY)
        self.table.put(keys.OWNED.format(sale.COMPANY, row["id"]), "customer", row)
        self.assertIn(f"ord_{order}", self.ask(row["id"]))

    def test_a_row_of_another_dictionary_is_reported(self) -> None:
        order, _ = sale.imported(self.table)
        next(row for row in self.table.items if row["sk"].startswith("imported#"))["packed"] = b"\xff"
        with self.assertRaisesRegex(Problem, "there is no dictionary 255"):
            self.ask(f"ord_{order}")

    def test_a_list_that_is_too_long_is_named(self) -> None:
        for module, name in ((sales, "_MAX_PAGES"), (rows, "_BATCH")):
            self.addCleanup(setattr, module, name, getattr(module, name))
            setattr(module, name, 1)
        self.assertIn(f"Not searched, because the list is long: {SOURCE}#callbacks after cbk_", self.ask(ORDER))

    def test_every_form_of_a_row_is_explained(self) -> None:
        for name in (
            f"callback_{state}" for state in ("about_a_person", "exhausted", "held", "in_flight", "postponed")
        ):
            id = golden(name)["id"].replace("50", "51")
            sale.callback(self.table, name, id)
            self.assertIn(f"It reports {SOLD}.", self.ask(id))

    def test_a_voucher_is_not_redeemed_redeemed_or_void(self) -> None:
        row = next(row for row in self.table.items if row.get("voucherHash") == HASH)
        self.assertIn("redeems the voucher", self.ask(HASH))
        row["customerId"] = CUSTOMER
        self.assertIn(f"hash {HASH}, was redeemed for {CUSTOMER}.", self.ask(HASH))
        self.assertNotIn("redeems the voucher", self.ask(HASH))
        del row["customerId"], row["voucherHash"]
        self.assertIn("is void", self.ask(SOLD))
        self.assertNotIn("redeems the voucher", self.ask(SOLD))


class Others(Case):
    """Customers, connections, replays, mails and imports."""

    def setUp(self) -> None:
        """A sale."""
        super().setUp()
        sale.sale(self.table)

    def test_a_customer_leads_to_orders_and_subscriptions(self) -> None:
        self.table.put(f"{sale.COMPANY}#{CUSTOMER}", "customer", golden("customer", companyId=sale.COMPANY))
        text = self.ask(CUSTOMER)
        self.assertIn(f"{CUSTOMER} of {sale.COMPANY}, created 2026-07-01 12:00:00 UTC", text)
        self.assertIn(f"At {SELLER}: - {ORDER} 2026-06-30 12:00:00 UTC", text)
        self.assertIn(f"- {OWN} (own) of {ORDER}: active", text)
        self.assertNotIn("CRM-7", text)

    def test_an_erased_customer_leads_to_what_remains(self) -> None:
        self.table.put(f"{sale.COMPANY}#{CUSTOMER}", "erasure", golden("erasure", companyId=sale.COMPANY))
        text = self.ask(CUSTOMER)
        self.assertIn("was erased 2026-07-01 12:00:00 UTC", text)
        self.assertIn(f"- {ORDER} ", text)

    def test_a_connection_has_its_history_and_callbacks(self) -> None:
        self.table.put(CONNECTION, "connection", golden("connection_between_two_companies"))
        for name in ("history_invited", "history_edited"):
            row = golden(name)
            self.table.put(CONNECTION, f"history#{row['number']:010}", row)
        self.table.put(CONNECTION, "invitationMail", golden("invitation_mail"))
        self.table.put(CONNECTION, "endpoint", golden("endpoint_open"))
        text = self.ask(CONNECTION)
        for part in (
            f"source {SOURCE}, target {SELLER}",
            "blocked by the target 2026-07-01 12:00:00 UTC",
            "invited by the source",
            "The mail of the invitation was bounced",
            "Callbacks: 1 delivered, 1 held, 1 waiting.",
            f"- {RENEWAL} crossClientSubscription.renewed: waiting",
            "Its endpoint has been failing since 2026-07-01 12:00:00 UTC",
        ):
            self.assertIn(part, text)
        self.assertNotIn("source.example.com", text)

    def test_a_replay_shows_its_progress(self) -> None:
        row = golden("replay_waiting")
        self.table.put(f"{SOURCE}#{row['id']}", "replay", row)
        text = self.ask(row["id"])
        self.assertIn(f"of {CONNECTION} created since 2026-06-30 12:00:00 UTC", text)
        self.assertIn("25 found, 24 replayed, 1 skipped Its next step is due 2026-07-01 12:00:05 UTC", text)
        self.table.items[-1].update(golden("replay_done"), dueAt=None)
        self.assertIn("It was done 2026-07-01 12:00:00 UTC", self.ask(row["id"]))

    def test_each_form_of_a_mail_and_an_import_is_explained(self) -> None:
        for name in ("mail_waiting", "mail_in_flight", "mail_sent", "mail_failed"):
            row = golden(name)
            self.table.put(f"{SELLER}#{row['id']}", "mail", row)
            self.assertIn("mail invitation, committed 2026-06-30 12:00:00 UTC", self.ask(row["id"]))
            self.table.items.pop()
        row = golden("import_promise_of_a_retry")
        self.table.put(f"{SELLER}#{row['id']}", "promise", row)
        self.assertIn(f"It repeats the failed items of {row['retryOf']}.", self.ask(row["id"]))

    def test_a_dead_lettered_chunk_is_explained_without_items(self) -> None:
        row = golden("import_promise", finishedAt=None)
        pk = f"{SELLER}#{row['id']}"
        self.table.put(pk, "promise", row)
        self.table.put(pk, "chunk#000", golden("import_chunk_stuck"))
        self.table.put(pk, "items#000", {"packed": packed.pack({"items": "anna@customers.example"})})
        self.assertIn("The member `items` of the row items#000 is not a list of orders.", self.ask(row["id"]))
        self.table.items[-1]["packed"] = "anna@customers.example"
        text = self.ask(row["id"])
        self.assertIn("The row items#000 is corrupt: the packed members are not binary.", text)


class Asking(Case):
    """Ids, and clients that are found by themselves."""

    def test_an_invalid_id_is_rejected_with_the_valid_forms(self) -> None:
        for id, client, reason in (
            ("cus_1", CLIENT, "not the id of an order .ord_"),
            ("ORD_" + "0" * 32, None, "not the id of an order"),
            ("off_" + "0" * 32, None, "not the id of an order"),
            ("0" * 63, None, "not the id of an order"),
            ("", None, "not the id of an order"),
            (PROMISE, "bergwelt", "not the id of a client"),
        ):
            with self.assertRaisesRegex(Problem, reason):
                self.ask(id, client)

    def test_an_unknown_row_is_reported_with_its_kind(self) -> None:
        sale.tenants(self.table)
        for id in (f"{prefix}_{'0' * 32}" for prefix in keys.KINDS):
            with self.assertRaisesRegex(Problem, f"there is no {keys.KINDS[id[:3]]} {id}"):
                self.ask(id)
        with self.assertRaisesRegex(Problem, "there is no voucher"):
            self.ask("0" * 32)
        with self.assertRaisesRegex(Problem, f"{CLIENT} has no promise .*another client"):
            self.ask(PROMISE, CLIENT)

    def test_a_row_is_found_among_many_clients_while_reads_are_throttled(self) -> None:
        for number in range(250):
            client = f"cli_{number:032x}"
            self.table.put(client, "client", {"id": client}, gsi2pk="clients", gsisk=client)
        self.table.put(f"cli_{249:032x}#{RENEWAL}", "callback", golden("callback_waiting", id=RENEWAL))
        self.table.unprocessed = 3
        found = holders.find(stack(self.sqs, self.table), keys.asked(RENEWAL, None))
        self.assertEqual([row["pk"] for row in found], [f"cli_{249:032x}#{RENEWAL}"])

    def test_a_corrupt_row_is_reported(self) -> None:
        id = PROMISE.replace("prm", "mal")
        self.table.put(f"{CLIENT}#{id}", "mail", {"status": "sent"})
        with self.assertRaisesRegex(Problem, "a row of mal_.* is corrupt .KeyError: 'createdAt'."):
            self.ask(id, CLIENT)


class Keys(unittest.TestCase):
    """Keys and lists are those of the store."""

    def test_keys_and_lists_are_those_of_the_store(self) -> None:
        folder = ROOT / "shared/store/src/keys"
        code = "\n".join(path.read_text() for path in folder.glob("*.rs"))
        forms = {re.sub(r"\{[a-z_.]*\}", "{}", text) for text in re.findall(r'"([^"\n]+)"', code)}
        for name, value in vars(keys).items():
            if name.isupper() and isinstance(value, str) and not name.startswith("_"):
                self.assertIn(value, forms, name)
        for kind in (*keys.KINDS.values(), "erasure", "endpoint", "invitationMail"):
            self.assertIn(kind, forms)

    def test_an_id_has_its_time(self) -> None:
        at = sale.AT
        self.assertEqual(keys.created_at(keys.first_id("ord", at)), at)
        self.assertEqual(keys.first_id("con", at)[:17], f"con_{int(at.timestamp() * 1000):012x}7")

    def test_a_list_is_read_over_all_pages(self) -> None:
        table = Table(page=1)
        sale.tenants(table)
        found = rows.all_listed(stack(Sqs(), table), Listing("gsi2", "clients"), ["id"])
        self.assertEqual([row["id"] for row in found], sorted([SELLER, SOURCE, sale.OTHER]))
