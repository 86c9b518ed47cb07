"""The sample of the README, as it stands there, on a real Temporal server."""

from __future__ import annotations

import re
from pathlib import Path

from engine.registry.tree import parse
from tests.engine.hosts.temporal.stage import Stage

README = Path(__file__).parents[4] / "README.md"


def sample(language: str) -> str:
    """The first code block of that language."""
    found = re.search(rf"```{language}\n(.*?)```", README.read_text(), re.DOTALL)
    assert found is not None
    return found.group(1)


async def test_the_sample_of_the_readme_waits_for_a_decision_and_refunds(stage: Stage) -> None:
    tree = parse({"my_entries/_index.yaml": sample("yaml"), "my_entries/refund_approval.lua": sample("lua")})
    assert not tree.problems
    stage.catalog.publish(*tree.entries.values())
    pid = await stage.spawn("shop:refund_approval", {"id": 7})
    await stage.waits_for(pid, "topic", "decision")
    await stage.host.send(pid, "decision", ({"approved": True},), "")
    assert (await stage.exit(pid)).value == {"refunded": True, "order": 7}
