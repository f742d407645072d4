"""Shared parts of the tests: a folder, a fake Tandem, orders, and the command as a process."""

from __future__ import annotations

import contextlib
import csv
import functools
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path
from typing import Any

from infra.import_orders.cli import main
from infra.import_orders.client import Pace
from infra.import_orders.tests.tandem import KEY, Tandem

ROOT = Path(__file__).resolve().parents[3]
COLUMNS = ("externalSystemId", "offerId", "invoiceCustomerId", "quantity", "startDate", "paymentMethod")


def order(number: int | str, **more: Any) -> dict[str, Any]:
    """An order of the other system."""
    return {
        "externalSystemId": f"order-{number}",
        "offerId": "off_1",
        "invoiceCustomerId": "cus_1",
        "quantity": 1,
        "startDate": "2026-07-01T00:00:00Z",
        "paymentMethod": "BILLING",
        **more,
    }


class Case(unittest.TestCase):
    """A test with a fake Tandem and a folder."""

    def setUp(self) -> None:
        """Create both."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.tandem = self.enterContext_(Tandem())

    def enterContext_(self, tandem: Tandem) -> Tandem:
        """Python 3.10 lacks this method."""
        tandem.__enter__()
        self.addCleanup(tandem.__exit__, None, None, None)
        return tandem

    def jsonl(self, orders: list[dict[str, Any]], name: str = "orders.jsonl") -> Path:
        """Write a file of JSON lines."""
        path = self.folder / name
        path.write_text("".join(json.dumps(order) + "\n" for order in orders))
        return path

    def csv(self, text: str, name: str = "orders.csv", encoding: str = "utf-8") -> Path:
        """Write a CSV file."""
        path = self.folder / name
        path.write_bytes(text.encode(encoding))
        return path

    def rows_of(self, name: str) -> list[dict[str, str]]:
        """Read the rows of a CSV file."""
        return list(csv.DictReader(io.StringIO((self.folder / name).read_text("utf-8-sig"))))

    def start(self, file: Path, *arguments: str, key: str = KEY) -> subprocess.Popen[str]:
        """Start the command as a process."""
        command = [sys.executable, "-m", "infra.import_orders", str(file), "--url", self.tandem.url, *arguments]
        env = {**os.environ, "TANDEM_API_KEY": key, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(
            command, cwd=self.folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.addCleanup(_end, process)
        return process

    def run_it(self, file: Path, *arguments: str, key: str = KEY) -> tuple[int, str, str]:
        """Run the command in this process: exit status, output, errors. Neither may show the key."""
        out, err = io.StringIO(), io.StringIO()
        before = signal.getsignal(signal.SIGTERM)
        with (
            unittest.mock.patch.dict(os.environ, TANDEM_API_KEY=key),
            unittest.mock.patch("infra.import_orders.cli.Pace", functools.partial(Pace, uniform=min)),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = main([str(file), "--url", self.tandem.url, *arguments])
        signal.signal(signal.SIGTERM, before)
        self.assertFalse(key and key in out.getvalue() + err.getvalue())
        return code, out.getvalue(), err.getvalue()

    def assert_result(self, out: str, **results: int) -> None:
        """Assert the numbers of the table."""
        table = {line.rsplit(maxsplit=1)[0].strip(): line.rsplit(maxsplit=1)[1] for line in out.splitlines()}
        for name, count in results.items():
            self.assertEqual(table[name.replace("_", " ")].replace(",", ""), str(count), out)


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.kill()
    process.communicate()
