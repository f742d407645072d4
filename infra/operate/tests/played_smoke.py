"""Plays ``smoke`` on the stack that TANDEM_STACK names; `make test` starts one for it.

::

    python3 -m infra.local run -- python -m unittest infra.operate.tests.played_smoke
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
import urllib.request
from pathlib import Path
from typing import Any

from infra.local.layout import ROOT

SALES = 60
"""More than two steps of a replay; `smoke` sells 500 times by default."""


def smoke(*arguments: str, description: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command, on a stack with another description if there is one."""
    command = [sys.executable, "-m", "infra.operate", "smoke", "--local", *arguments]
    env = dict(os.environ) | ({"TANDEM_STACK": description} if description else {})
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def listed(path: str) -> list[dict[str, Any]]:
    """A list of the operator."""
    stack = json.loads(Path(os.environ["TANDEM_STACK"]).read_text())
    headers = {"authorization": f"Bearer {stack['operatorKey']}"}
    request = urllib.request.Request(f"{stack['apiUrl']}{path}", headers=headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=30) as answer:
        return list(json.load(answer)["items"])


class Played(unittest.TestCase):
    """The story on a real stack."""

    maxDiff = None

    def test_it_passes_and_leaves_nothing_that_works(self) -> None:
        """All steps but those that need AWS."""
        done = smoke("--sales", str(SALES))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        passed = re.search(r"^passed +\d+  (.*)$", done.stdout, re.MULTILINE)
        self.assertIsNotNone(passed, done.stdout)
        wanted = "tenants, invitation, mail, sale, callback, after, replay, import, redrive, clean"
        self.assertEqual(passed and passed[1], wanted)
        self.assertRegex(done.stdout, r"skipped +2  bounce, rollback\nfailed +0\n")
        self.assertIn(f"{SALES} different callbacks", done.stdout)
        clients = [one for one in listed("/v1/clients?limit=100") if one["name"].startswith("smoke ")]
        self.assertGreaterEqual(len(clients), 3)
        for client in clients:
            states = {key["status"] for key in listed(f"/v1/clients/{client['id']}/api-keys")}
            self.assertEqual(states, {"revoked"}, client["name"])

    def test_the_failure_of_a_step_is_named_and_the_others_go_on(self) -> None:
        """The queue of imports is gone, so nothing can be redriven."""
        stack = json.loads(Path(os.environ["TANDEM_STACK"]).read_text())
        with tempfile.NamedTemporaryFile("w", suffix=".json") as description:
            json.dump(stack | {"importQueueUrl": f"{stack['importQueueUrl']}-gone"}, description)
            description.flush()
            done = smoke("--sales", "1", description=description.name)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertRegex(done.stdout, r"FAILED in step \d+\n +step +A dead letter about the finished import")
        self.assertRegex(done.stdout, r"found +QueueDoesNotExist|found .*NonExistentQueue")
        self.assertRegex(done.stdout, r"to do +run `python3 -m infra.operate redrive imports --dry-run`")
        self.assertRegex(done.stdout, r"failed +1  redrive\n$")


if __name__ == "__main__":
    unittest.main()
