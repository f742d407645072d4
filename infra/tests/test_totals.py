"""The totals at the end of `make test`."""

from __future__ import annotations

import io
import subprocess
import sys
import unittest

from infra.totals import Totals, run

_CARGO = "test result: ok. 44 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 7.01s"


def _totals(*lines: str) -> str:
    totals = Totals()
    for line in lines:
        totals.read(line)
    return str(totals)


def _run(program: str) -> tuple[int, list[str]]:
    output = io.BytesIO()
    status = run([sys.executable, "-c", program], output)
    return status, output.getvalue().decode().splitlines()


class Counting(unittest.TestCase):
    """Which lines count."""

    def test_results_of_cargo_add_up(self) -> None:
        failed = "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s"
        self.assertEqual(_totals(_CARGO, failed), "47 passed, 2 failed, 1 skipped")

    def test_a_coloured_result_counts(self) -> None:
        coloured = _CARGO.replace("ok.", "\x1b[32mok\x1b[0m.")
        self.assertEqual(_totals(coloured), "44 passed, 0 failed, 1 skipped")

    def test_results_of_unittest_add_up(self) -> None:
        lines = [
            "Ran 12 tests in 0.5s",
            "",
            "OK",
            "Ran 5 tests in 1.0s",
            "",
            "FAILED (failures=1, errors=1, skipped=2)",
        ]
        self.assertEqual(_totals(*lines), "13 passed, 2 failed, 2 skipped")

    def test_other_lines_do_not_count(self) -> None:
        lines = ["OK", "running 44 tests", "test a::b ... ok", "the test result: ok. 1 passed; 0 failed; 0 ignored;"]
        self.assertEqual(_totals(*lines), "0 passed, 0 failed, 0 skipped")


class Running(unittest.TestCase):
    """The command, its output and its exit status."""

    def test_the_totals_are_the_last_line(self) -> None:
        status, lines = _run(f"import sys; print({_CARGO!r}); print('and that', file=sys.stderr, end='')")
        self.assertEqual((status, lines), (0, [_CARGO, "and that", "44 passed, 0 failed, 1 skipped"]))

    def test_the_status_is_the_one_of_the_command(self) -> None:
        self.assertEqual(_run("import sys; sys.exit(7)")[0], 7)

    def test_a_killed_command_is_a_failure(self) -> None:
        self.assertEqual(_run("import os; os.kill(os.getpid(), 15)")[0], 143)

    def test_output_arrives_before_the_command_ends(self) -> None:
        program = "import sys; print('first', flush=True); sys.stdin.read()"
        command = [sys.executable, "-m", "infra.totals", sys.executable, "-c", program]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin and process.stdout
            self.assertEqual(process.stdout.readline(), b"first\n")
            process.stdin.close()
            self.assertEqual(process.stdout.read(), b"0 passed, 0 failed, 0 skipped\n")


if __name__ == "__main__":
    unittest.main()
