"""The paths of the project, its virtual environment, and the state folder of a stack."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The checkout; every path below is inside it, so two checkouts share nothing."""

TEMPLATE = ROOT / "template.yaml"
DATA = ROOT / "data.yaml"
REQUIREMENTS = ROOT / "infra" / "local" / "requirements.txt"
VENV = ROOT / ".venv"
LOCAL = ROOT / ".local"
PACKAGES = LOCAL / "packages"
FAILED_RUN_LOGS = LOCAL / "failed-run-logs"
"""The logs of the last ``run`` whose command failed."""


def venv_python() -> Path:
    """The interpreter of the virtual environment."""
    return VENV / "bin" / "python"


@dataclass(frozen=True)
class State:
    """The state folder of one stack, which has all its files and is removed with it."""

    folder: Path
    description: Path

    @property
    def temporary(self) -> Path:
        """TMPDIR of the emulator; the functions are unpacked and run beneath it."""
        return self.folder / "tmp"

    @property
    def logs(self) -> Path:
        """The emulator's own log and the guard's."""
        return self.folder / "logs"

    @property
    def function_logs(self) -> Path:
        """One log file per function."""
        return self.logs / "functions"

    @property
    def exchanges(self) -> Path:
        """The requests and answers of the stories, call by call."""
        return self.folder / "exchanges.jsonl"

    @property
    def emulator_identity(self) -> Path:
        """Process id and start time of the emulator."""
        return self.folder / "emulator.pid"

    def create(self) -> None:
        """Create the folders."""
        for folder in (self.temporary, self.function_logs):
            folder.mkdir(parents=True, exist_ok=True)


def standing_state() -> State:
    """The state of the stack of ``up`` and ``down``."""
    return State(folder=LOCAL / "stack", description=LOCAL / "stack.json")


RUN_PREFIX = "run-"


def run_state() -> State:
    """The state of a stack that lives as long as this process; its name has the process id."""
    folder = LOCAL / f"{RUN_PREFIX}{os.getpid()}"
    return State(folder=folder, description=folder / "stack.json")
