"""The virtual environment, created by the first command and again when the list of packages changes."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.local.guard import Guard
from infra.local.layout import LOCAL, REQUIREMENTS, ROOT, VENV, venv_python
from infra.local.say import Problem, say, step

_OURS = VENV / "made-by-tandem"
"""Contains the digest of the installed list; empty during the installation."""


def _wanted() -> str:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return hashlib.sha256(REQUIREMENTS.read_bytes() + version.encode()).hexdigest()


def _is_ready() -> bool:
    return _OURS.is_file() and _OURS.read_text() == _wanted() and venv_python().exists()


def running_inside() -> bool:
    """Whether this interpreter is the environment's own."""
    return Path(sys.prefix).resolve() == VENV.resolve()


def ensure() -> None:
    """Create the environment unless it is up to date.

    Raises a `Problem` if this Python cannot create one, or if a package cannot be installed.
    """
    if _is_ready():
        return
    with lock("environment"), Guard(LOCAL / "environment", remove_folder=True) as guard:
        if _is_ready():  # another command created it meanwhile
            return
        _make(guard)


def _make(guard: Guard) -> None:
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        raise Problem(
            f"{sys.executable} cannot create virtual environments; on Debian and Ubuntu: apt-get install python3-venv"
        )
    if VENV.exists():
        if not _OURS.exists():
            raise Problem(f"{VENV} exists and was not created by Tandem; move it")
        shutil.rmtree(VENV)
    VENV.mkdir()
    _OURS.touch()
    log = LOCAL / "environment.log"
    with step("installing the Python packages into .venv", "about half a minute"), log.open("wb") as output:
        base = getattr(sys, "_base_executable", sys.executable)
        _check(guard.run([base, "-m", "venv", str(VENV)], stdout=output, stderr=subprocess.STDOUT)[0], log)
        install = [
            str(venv_python()),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
            "--no-deps",
            "--requirement",
            str(REQUIREMENTS),
        ]
        _check(guard.run(install, stdout=output, stderr=subprocess.STDOUT)[0], log)
    _OURS.write_text(_wanted())


def _check(status: int, log: Path) -> None:
    if status != 0:
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
        errors = [line for line in lines if "error" in line.lower()] or lines or ["no output"]
        raise Problem(f"the Python packages could not be installed: {errors[-1].strip()} (full output: {log})")


def enter(module: str, arguments: list[str]) -> None:
    """Run `python -m module arguments` inside the environment; does not return."""
    os.chdir(ROOT)
    os.execv(venv_python(), [str(venv_python()), "-m", module, *arguments])


@contextmanager
def lock(name: str) -> Iterator[None]:
    """Hold a lock of this checkout; the kernel releases it when the process ends."""
    LOCAL.mkdir(exist_ok=True)
    with (LOCAL / f"{name}.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            say(f"waiting for another command of this checkout (process {file.read().strip() or 'unknown'})")
            fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        yield
