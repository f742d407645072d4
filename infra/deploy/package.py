"""``package``: builds all functions with one cargo invocation.

cargo-lambda links with zig, so that the binaries run on Amazon Linux whatever this machine's C library is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from infra.deploy.packages import ARCHITECTURES, DIST, architecture, names
from infra.local import binaries
from infra.local.layout import ROOT
from infra.local.say import Problem, say, step


def run(wanted: str, tools: str) -> None:
    """Rebuild dist/. Raises a `Problem` if the Rust target is not installed, or if the build fails."""
    require_target(sysroot(), wanted)
    functions = names()
    shutil.rmtree(DIST, ignore_errors=True)
    path = f"{tools}{os.pathsep}{Path(binaries.cargo()).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    with step(f"building {len(functions)} functions for {wanted}", "the first time this takes many minutes"):
        built = subprocess.run(command(wanted), cwd=ROOT, env=os.environ | {"PATH": path}, check=False)
        if built.returncode != 0:
            raise Problem("the build failed: cargo's error is above")
    found = architecture(DIST, functions)
    if found != wanted:
        raise Problem(f"the packages are for {found} instead of {wanted}")
    size = sum((DIST / name / "bootstrap").stat().st_size for name in functions)
    say(f"{len(functions)} packages for {found} are in {DIST.name}/, {size // 2**20} MiB together")


def command(wanted: str) -> list[str]:
    """One invocation for all functions: the workspace's default members."""
    words = ["cargo-lambda", "lambda", "build", "--release", "--locked", "--compiler", "cargo-zigbuild"]
    return [*words, "--target", ARCHITECTURES[wanted], "--lambda-dir", str(DIST)]


def sysroot() -> Path:
    """Where the toolchain of this checkout keeps its targets."""
    rustc = Path(binaries.cargo()).with_name("rustc")
    answer = subprocess.run([str(rustc), "--print", "sysroot"], cwd=ROOT, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise Problem(f"rustc does not work: {answer.stderr.strip()}")
    return Path(answer.stdout.strip())


def require_target(root: Path, wanted: str) -> None:
    """Raise a `Problem` if the target is not installed: cargo-lambda would install it unasked."""
    target = ARCHITECTURES[wanted]
    if (root / "lib" / "rustlib" / target / "lib").is_dir():
        return
    others = [name for name, other in ARCHITECTURES.items() if (root / "lib" / "rustlib" / other / "lib").is_dir()]
    hint = f", or build for an installed one: make package ARCHITECTURE={others[0]}" if others else ""
    raise Problem(f"the Rust target {target} is not installed. Install it: rustup target add {target}{hint}")
