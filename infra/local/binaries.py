"""Builds the functions of the template with cargo and packages them for Lambda."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from infra.local.guard import Guard
from infra.local.layout import PACKAGES
from infra.local.say import Problem, step


@dataclass(frozen=True)
class Package:
    """A deployment package: a zip with one executable named `bootstrap`."""

    binary: str
    path: Path


def named_in(template: dict[str, Any]) -> list[str]:
    """The binaries of the functions of a SAM template, sorted.

    Raises a `Problem` for a function without a binary.
    """
    names = set()
    for logical_id, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            names.add(binary_of(logical_id, resource))
    return sorted(names)


def binary_of(logical_id: str, function: dict[str, Any]) -> str:
    """The binary of a function: the last part of `dist/BINARY`."""
    try:
        return PurePosixPath(function["Properties"]["CodeUri"]).name
    except KeyError:
        raise Problem(f"template.yaml: {logical_id} lacks CodeUri") from None


def cargo() -> str:
    """Find cargo. Raises a `Problem` if it is not installed."""
    found = shutil.which("cargo") or shutil.which("cargo", path=str(Path.home() / ".cargo" / "bin"))
    if not found:
        raise Problem("cargo is missing: install Rust 1.94.1 or newer, then try again")
    return found


def build(names: list[str], guard: Guard) -> dict[str, Path]:
    """Build the named binaries in the development profile; cargo shows its own progress.

    Returns the path of each executable, in the target directory that cargo uses.
    """
    known = _binaries_of_workspace(guard)
    missing = [name for name in names if name not in known]
    if missing:
        raise Problem(f"template.yaml names binaries that no package of the workspace builds: {', '.join(missing)}")
    # --workspace selects the same features as `cargo test --workspace`, so its compiled dependencies are reused.
    command = [cargo(), "build", "--workspace", "--message-format=json-render-diagnostics"]
    for name in names:
        command += ["--bin", name]
    with step(f"building {len(names)} functions", "the first time this takes minutes"):
        status, output = guard.run(command, stdout=subprocess.PIPE)
        if status != 0:
            raise Problem("the build failed: cargo's error is above")
    return _executables(output, names)


def _binaries_of_workspace(guard: Guard) -> set[str]:
    status, output = guard.run([cargo(), "metadata", "--no-deps", "--format-version=1"], stdout=subprocess.PIPE)
    if status != 0:
        raise Problem("cargo cannot read the workspace: its error is above")
    return {
        target["name"]
        for package in json.loads(output)["packages"]
        for target in package["targets"]
        if "bin" in target["kind"]
    }


def _executables(output: bytes, names: list[str]) -> dict[str, Path]:
    found = {}
    for line in output.splitlines():
        message = json.loads(line)
        if message.get("reason") == "compiler-artifact" and message.get("executable"):
            found[message["target"]["name"]] = Path(message["executable"])
    return {name: found[name] for name in names}


def pack(executables: dict[str, Path]) -> list[Package]:
    """Package the executables in parallel; unchanged ones keep their package."""
    PACKAGES.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        return list(pool.map(lambda item: _pack_one(*item), executables.items()))


def _pack_one(binary: str, executable: Path) -> Package:
    package = PACKAGES / f"{binary}.zip"
    stat = executable.stat()
    mark = PACKAGES / f"{binary}.from"
    origin = f"{executable} {stat.st_size} {stat.st_mtime_ns}"
    if not (package.exists() and mark.exists() and mark.read_text() == origin):
        mark.unlink(missing_ok=True)
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        with zipfile.ZipFile(package, "w") as archive:
            # The lowest level gives most of the compression in a fifth of the default level's time.
            archive.writestr(entry, executable.read_bytes(), zipfile.ZIP_DEFLATED, compresslevel=1)
        mark.write_text(origin)
    return Package(binary, package)


def ready_made(folder: Path, names: list[str]) -> list[Package]:
    """Use ready-made packages: `folder` has BINARY.zip for each name."""
    packages = [Package(name, folder / f"{name}.zip") for name in names]
    missing = [package.path.name for package in packages if not package.path.is_file()]
    if missing:
        raise Problem(f"{folder} lacks {', '.join(missing)}")
    return packages
