"""The clock, the entropy and the run of a unit, for the kernel's own use."""

from __future__ import annotations

from collections.abc import Callable

from engine.steps import Value, World


def _seed(world: World) -> Value:
    data = world.random_bytes(16)
    return [int.from_bytes(data[:8], "big", signed=True), int.from_bytes(data[8:], "big", signed=True)]


WITH_WORLD: dict[str, Callable[..., Value]] = {
    "now": lambda world: world.now(),
    "random.seed": _seed,
    "random.secret": lambda world: world.random_bytes(32),
    "workflow.info": lambda world: world.workflow_info(),
}
