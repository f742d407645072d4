"""Exactly once: after any crash the next run resumes, and no row is imported twice or skipped."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from infra.import_orders.cli import ALL_TAKEN, INTERRUPTED, REFUSED, SOME_FAILED, STOPPED, TERMINATED
from infra.import_orders.tests.case import Case, order
from infra.import_orders.tests.tandem import Trouble

SIZE = ("--call-size", "3", "--in-flight", "2")


class Resuming(Case):
    """Runs that end early and resume."""

    def setUp(self) -> None:
        """Twenty rows: two invalid, one failed, one corrupt, one id twice."""
        super().setUp()
        orders = [order(number) for number in range(18)] + [order(16, quantity=2)]
        orders[4]["quantity"] = "x"
        orders[10]["quantity"] = "x"
        orders[13]["invoiceCustomerId"] = "cus_unknown"
        self.file = self.jsonl(orders)
        with self.file.open("a") as file:
            file.write("spoilt\n")
        self.process: subprocess.Popen[str] | None = None

    def assert_all_once(self) -> None:
        """Run to the end: each valid row was accepted once."""
        code, out, err = self.run_it(self.file, *SIZE)
        self.assertEqual(code, SOME_FAILED, err)
        expected = [f"order-{number}" for number in range(18) if number not in (4, 10)] + ["order-16"]
        self.assertEqual(sorted(self.tandem.imported), sorted(expected))
        self.assertEqual(self.tandem.orders["order-16"]["quantity"], 2)
        self.assert_result(out, created=15, updated=1, failed=1, invalid=2, unreadable=1, all=20)
        failed = [json.loads(row) for row in (self.folder / "orders.failed.jsonl").read_text().splitlines()]
        self.assertEqual([row["error_line"] for row in failed], ["5", "11", "14", "20"])

    def ends(self, signum: int) -> Callable[[], None]:
        """Ends the process while Tandem works."""

        def end() -> None:
            assert self.process is not None
            self.process.send_signal(signum)
            if signum == signal.SIGKILL:
                self.process.wait()

        return end

    def run_and_end(self, signum: int = signal.SIGKILL) -> tuple[int, str]:
        """Start the command and wait until a signal ends it."""
        ready = threading.Event()
        trouble = self.tandem.troubles[-1] if self.tandem.troubles else None
        hook = trouble.meanwhile if trouble else self.tandem.on_look
        assert hook is not None

        def when_ready() -> None:
            ready.wait()  # until `process` is known
            hook()

        if trouble:
            trouble.meanwhile = when_ready
        else:
            self.tandem.on_look = when_ready
        self.process = self.start(self.file, *SIZE)
        ready.set()
        _, err = self.process.communicate(timeout=30)
        self.tandem.on_look = None
        return self.process.returncode, err

    def test_a_kill_at_any_call_imports_nothing_twice(self) -> None:
        # Call 2 is rejected, call 3 has its valid rows.
        for call, after_work in ((1, True), (1, False), (2, True), (3, False), (3, True), (6, True)):
            with self.subTest(call=call, after_work=after_work):
                self.doCleanups()
                self.setUp()
                self.tandem.troubles.extend([None] * (call - 1))
                self.tandem.troubles.append(Trouble(after_work=after_work, meanwhile=self.ends(signal.SIGKILL)))
                code, _ = self.run_and_end()
                self.assertEqual(code, -signal.SIGKILL)
                self.assert_all_once()

    def test_a_kill_while_waiting_imports_nothing_twice(self) -> None:
        self.tandem.on_look = self.ends(signal.SIGKILL)
        self.assertEqual(self.run_and_end()[0], -signal.SIGKILL)
        self.assertEqual(len(self.tandem.promises), 2)
        self.assert_all_once()

    def test_a_signal_prints_how_to_resume(self) -> None:
        for signum, expected in ((signal.SIGINT, INTERRUPTED), (signal.SIGTERM, TERMINATED)):
            with self.subTest(signum=signum):
                self.doCleanups()
                self.setUp()
                self.tandem.on_look = self.ends(signum)
                self.tandem.looks_until_done = 1_000  # it still waits when the signal arrives
                code, err = self.run_and_end()
                self.assertEqual(code, expected, err)
                self.assertIn("the same command resumes here", err)
                self.assertNotIn("Traceback", err)
                self.tandem.looks_until_done = 1
                self.assert_all_once()

    def test_any_prefix_of_a_journal_imports_nothing_twice(self) -> None:
        self.tandem.looks_until_done = 0
        self.assert_all_once()
        journal, failed = self.folder / "orders.jsonl.state", self.folder / "orders.failed.jsonl"
        whole, wanted, promises = journal.read_bytes(), failed.read_bytes(), len(self.tandem.promises)
        records = whole.splitlines(keepends=True)
        for count in range(len(records)):
            for torn in (b"", records[count][:-1]):
                failed.unlink()
                journal.write_bytes(b"".join(records[:count]) + torn)
                self.assertEqual(self.run_it(self.file, *SIZE)[0], SOME_FAILED)
                self.assertEqual(len(self.tandem.promises), promises)
                self.assertEqual(failed.read_bytes(), wanted)

    def test_an_imported_file_is_not_sent_again(self) -> None:
        self.assert_all_once()
        posts, looks = len(self.tandem.posts), sum(promise.looks for promise in self.tandem.promises)
        self.assert_all_once()
        self.assertEqual(len(self.tandem.posts), posts)
        self.assertEqual(sum(promise.looks for promise in self.tandem.promises), looks)

    def test_a_new_run_imports_a_file_again(self) -> None:
        self.assert_all_once()
        _, out, _ = self.run_it(self.file, *SIZE, "--run", "again")
        self.assert_result(out, unchanged=14, updated=2, failed=1)
        self.assertTrue((self.folder / "orders.failed.again.jsonl").exists())

    def test_a_changed_file_and_another_address_are_rejected(self) -> None:
        self.tandem.on_look = self.ends(signal.SIGKILL)
        self.run_and_end()
        before, posts = self.file.read_text(), len(self.tandem.posts)
        code, _, err = self.run_it(self.file, "--url", self.tandem.url + "/other")
        self.assertEqual((code, "was begun with --url" in err), (REFUSED, True), err)
        self.file.write_text(before.replace("order-17", "order-99"))
        code, _, err = self.run_it(self.file)
        self.assertEqual((code, "has changed since its import began" in err), (REFUSED, True), err)
        self.assertEqual(len(self.tandem.posts), posts)
        self.file.write_text(before)
        self.assert_all_once()

    def test_a_journal_in_use_is_rejected(self) -> None:
        second: list[tuple[int, str]] = []

        def run_second() -> None:
            self.tandem.on_look = None
            process = self.start(self.file, *SIZE)
            _, err = process.communicate(timeout=30)
            second.append((process.returncode, err))

        self.tandem.on_look = run_second
        self.assert_all_once()
        self.assertEqual(second[0][0], REFUSED)
        self.assertIn("another import is using the journal", second[0][1])

    def test_another_clients_key_cannot_resume(self) -> None:
        self.tandem.on_look = self.ends(signal.SIGKILL)
        self.run_and_end()
        promises, self.tandem.promises = self.tandem.promises, []
        posts = len(self.tandem.posts)
        code, _, err = self.run_it(self.file, *SIZE)
        self.assertEqual((code, len(self.tandem.posts)), (REFUSED, posts))
        self.assertIn("use a key of the client that started it", err)
        self.tandem.promises = promises

    def test_an_unanswered_call_is_not_sent_after_key_expiry(self) -> None:
        self.tandem.troubles.append(Trouble(after_work=True, meanwhile=self.ends(signal.SIGKILL)))
        self.run_and_end()
        journal = self.folder / "orders.jsonl.state"
        _age(journal, 72 * 3600)
        code, _, err = self.run_it(self.file, *SIZE)
        self.assertEqual((code, len(self.tandem.posts)), (REFUSED, 1))
        self.assertIn("--send-unanswered", err)
        code, _, err = self.run_it(self.file, *SIZE, "--send-unanswered")
        self.assertEqual(code, SOME_FAILED, err)

    def test_a_file_that_is_not_a_journal_is_kept(self) -> None:
        other = self.folder / "other.txt"
        other.write_text("mine\nand this")
        code, _, err = self.run_it(self.file, "--state", str(other))
        self.assertEqual((code, other.read_text(), self.tandem.posts), (REFUSED, "mine\nand this", []))
        self.assertIn("is not a journal", err)

    def test_a_file_known_from_another_journal_is_reported(self) -> None:
        code, _, err = self.run_it(self.jsonl([order(1)]))
        self.assertEqual(code, ALL_TAKEN)
        self.assertNotIn("took this file before", err)
        self.tandem.accepted_at -= timedelta(hours=1)
        again = self.jsonl([order(1)], "again.jsonl")
        _, _, err = self.run_it(again)
        self.assertIn("Tandem accepted this file before", err)
        self.assertIn("use --run NAME to import it again", err)
        self.assertEqual(self.tandem.imported, ["order-1"])
        self.assertEqual(self.run_it(again, "--run", "2")[0], ALL_TAKEN)
        self.assertEqual(self.tandem.imported, ["order-1", "order-1"])


class Waiting(Case):
    """Transient failures."""

    def test_every_retry_has_the_same_key(self) -> None:
        self.tandem.troubles.extend(
            [
                Trouble(after_work=True),
                Trouble(429, {"Retry-After": "0"}),
                Trouble(503, {"Retry-After": "Fri, 01 Jan 2021 00:00:00 GMT"}),
                Trouble(after_work=True, status=504, headers={"Retry-After": "0"}),
            ]
        )
        code, out, err = self.run_it(self.jsonl([order(1), order(2)]))
        self.assertEqual((code, len(self.tandem.promises)), (ALL_TAKEN, 1), err)
        self.assertEqual((len(self.tandem.posts), len(set(self.tandem.posts))), (5, 1))
        self.assert_result(out, created=2, all=2)

    def test_it_gives_up_after_a_while_and_resumes_later(self) -> None:
        file = self.jsonl([order(1)])
        self.tandem.troubles.append(Trouble(503, {"Retry-After": "3600"}))
        code, _, err = self.run_it(file)
        self.assertEqual(code, STOPPED)
        self.assertIn("asks to wait for 3600 s", err)
        self.assertIn("the same command resumes here", err)
        self.assertEqual(self.run_it(file)[0], ALL_TAKEN)
        self.assertEqual(len(self.tandem.promises), 1)


def _age(journal: Path, seconds: float) -> None:
    """Backdate a journal."""
    records = [json.loads(row) for row in journal.read_text().splitlines()]
    for record in records:
        if "at" in record:
            record["at"] -= seconds
    journal.write_text("".join(json.dumps(record, separators=(",", ":")) + "\n" for record in records))
