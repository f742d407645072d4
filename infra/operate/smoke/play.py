"""Runs the steps of a play and reports each: passed, failed with what to do, or skipped with the reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from infra.local.demo.scenario import Failure
from infra.operate.smoke.world import World

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


def always(_: World) -> str | None:
    """No reason to skip a step."""
    return None


@dataclass(frozen=True)
class Step:
    """A step of the story."""

    name: str
    title: str
    play: Callable[[World], None]
    """Raises a `Failure`, or an error of AWS, if the deployment does not do what it must."""
    remedy: str
    """The way from a failure to its cause."""
    needs: tuple[str, ...] = ()
    """Steps that must have passed."""
    skipped: Callable[[World], str | None] = always
    """The reason to skip it, if there is one."""


def run(world: World, steps: Sequence[Step]) -> int:
    """Run the steps; returns 1 if one failed."""
    world.scenario.act("THE STORY", f'Names begin with "{world.mark}".')
    verdicts: dict[str, str] = {}
    for step in steps:
        verdicts[step.name] = _run(world, step, verdicts)
    _summary(world, verdicts)
    return 1 if FAILED in verdicts.values() else 0


def _run(world: World, step: Step, verdicts: dict[str, str]) -> str:
    from botocore.exceptions import BotoCoreError, ClientError  # needs the environment

    world.scenario.step(step.title)
    try:
        missing = next((name for name in step.needs if verdicts[name] != PASSED), None)
        reason = f"it needs the step `{missing}`" if missing else step.skipped(world)
        if reason:
            world.scenario.show("SKIPPED", [reason])
            return SKIPPED
        step.play(world)
    except Failure as failure:
        world.scenario.fail(failure, step.remedy)
        return FAILED
    except (BotoCoreError, ClientError, OSError, LookupError, TypeError, ValueError) as error:
        world.scenario.fail(Failure(f"the step `{step.name}`", "no error", repr(error)), step.remedy)
        return FAILED
    return PASSED


def _summary(world: World, verdicts: dict[str, str]) -> None:
    lines = []
    for verdict in (PASSED, SKIPPED, FAILED):
        names = [name for name, word in verdicts.items() if word == verdict]
        lines.append(f"{verdict:<8} {len(names):>2}  {', '.join(names)}".rstrip())
    world.scenario.act(f"{world.mark}: {world.scenario.checks} checks", *lines)
