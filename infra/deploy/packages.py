"""The packages in dist/: one folder per function with the binary `bootstrap`."""

from __future__ import annotations

import hashlib
from pathlib import Path

from infra.local import binaries, translate
from infra.local.layout import ROOT
from infra.local.say import Problem

DIST = ROOT / "dist"

ARCHITECTURES = {"arm64": "aarch64-unknown-linux-gnu", "x86_64": "x86_64-unknown-linux-gnu"}
"""The Rust target of each architecture of Lambda."""

_MACHINES = {0xB7: "arm64", 0x3E: "x86_64"}
"""The field `e_machine` of an ELF file."""


def names() -> list[str]:
    """The functions of the template."""
    return binaries.named_in(translate.read())


def architecture(dist: Path, functions: list[str]) -> str:
    """The architecture of all packages. Raises a `Problem` if one is missing, or is for another processor."""
    missing = [name for name in functions if not (dist / name / "bootstrap").is_file()]
    if missing:
        raise Problem(f"{dist.name}/ lacks {', '.join(missing)}; run `make package` first")
    found = {name: _machine(dist / name / "bootstrap") for name in functions}
    first = found[functions[0]]
    others = [name for name in functions if found[name] != first]
    if others:
        raise Problem(f"{', '.join(others)} and {functions[0]} are built for different processors; run `make package`")
    return first


def digest(dist: Path, functions: list[str], parameters: dict[str, str]) -> str:
    """A digest of the packages and the parameters; SAM publishes new versions of the functions when it changes."""
    seen = hashlib.sha256()
    for name in functions:
        seen.update(name.encode() + hashlib.sha256((dist / name / "bootstrap").read_bytes()).digest())
    for key in sorted(parameters):
        seen.update(f"\n{key}={parameters[key]}".encode())
    return seen.hexdigest()[:16]


def _machine(binary: Path) -> str:
    with binary.open("rb") as file:
        head = file.read(20)
    machine = _MACHINES.get(int.from_bytes(head[18:20], "little")) if head[:4] == b"\x7fELF" else None
    if machine is None:
        raise Problem(f"{binary.parent.name}/{binary.name} is no Linux binary for arm64 or x86_64; run `make package`")
    return machine
