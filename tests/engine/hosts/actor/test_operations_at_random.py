"""Operations that end at random beside units that do: nothing leaks, nothing stays open, no answer goes astray."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import Any

import pytest

from engine.contracts.operation import Asker, Operation
from engine.errors import UnitFailed, invalid
from engine.steps import Limits, Value
from tests.engine.hosts.actor.outside import asks, lua, process
from tests.engine.hosts.actor.support import Lab, lab
from tests.patience import PATIENCE

UNITS, WORDS = 120, 12
KINDS = ("echo", "slow", "slow", "fail", "bad", "twice", "open", "open", "close", "hang", "own close", "call")

BODY = """
local words, held = ..., {}
local function go(word)
  if word:find("^close") then word = "close " .. (table.remove(held) or 0) end
  if word:find("^call") then
    local v, err = funcs.call("app:called", word)
    return v == nil or v == word or error("another's answer: " .. tostring(v))
  end
  local v, err = env.get(word)
  if v and word:find("^open") then held[#held + 1] = v return end
  if v and v ~= word then error("another's answer to " .. word .. ": " .. tostring(v)) end
end
for i, word in ipairs(words) do
  if word == "upgrade" then process.upgrade("app:unit", table.move(words, i + 1, #words, 1, {})) end
  if word:find("^side ") then
    coroutine.spawn(function() go((word:gsub("^side ", ""))) end)
  else
    go(word)
  end
end
"""


class Thing:
    """Counts how often it is closed."""

    def __init__(self, world: RandomWorld, number: int) -> None:
        self._world, self._number = world, number
        world.opened[number] += 1

    async def close(self) -> None:
        """After a moment."""
        await self._world.moment()
        self._world.closed[self._number] += 1


class RandomWorld:
    """Operations that take a moment, by chance a long one."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.opened, self.closed = Counter[int](), Counter[int]()
        self.running = 0
        self.done = 0

    async def moment(self) -> None:
        """Some turns of the loop."""
        for _ in range(self.chance.randrange(6)):
            await asyncio.sleep(0)

    async def work(self, asker: Asker, args: tuple[Value, ...]) -> Value:
        """As the word says; the word is the answer."""
        self.running += 1
        try:
            await self.moment()
            return await self._do(asker, args[0])
        finally:
            self.running -= 1
            self.done += 1

    async def _do(self, asker: Asker, word: str) -> Value:
        match word.split(maxsplit=1)[0]:
            case "open":
                number = sum(self.opened.values())
                return str(asker.holdings.add(Thing(self, number), f"thing {number}"))
            case "close":
                await asker.holdings.drop(int(word.split()[1]))
            case "fail":
                raise UnitFailed(invalid("no"))
            case "bad":
                raise RuntimeError("a defect")
            case "twice":
                await self._twice()
            case "hang":
                await asyncio.Event().wait()
            case _:
                pass
        return word

    async def _twice(self) -> None:
        try:
            await asyncio.sleep(self.chance.random() / 50)
        except asyncio.CancelledError:
            await self.moment()


def script(chance: random.Random, unit: int) -> list[str]:
    """What one unit does; some hang at the end, which a cancel or the end of the unit ends."""
    words = []
    for number in range(WORDS):
        word = f"{chance.choice(KINDS)} {unit}.{number}"
        words.append(f"side {word}" if chance.random() < 0.3 else word)
        if chance.random() < 0.06:
            words.append("upgrade")
    return words


async def disturb(it: Lab, chance: random.Random) -> None:
    """Cancel and terminate units by chance, until none is left."""
    while it.node.processes():
        for info in it.node.processes():
            if chance.random() < 0.1:
                it.node._system.table.cancel(info.pid, "by chance", "")
            elif chance.random() < 0.03:
                it.node.terminate(info.pid)
        await asyncio.sleep(0.002)


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_ends_first_nothing_is_left(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    chance = random.Random(seed)
    world = RandomWorld(chance)
    before = asyncio.all_tasks()
    entries = process("app:unit", BODY), lua("app:called", "local v = env.get((...)) return v")
    operations = {"env.get": Operation(world.work, lambda args: args[0], heeds_cancel=seed == 5)}
    ends: list[Any] = []
    limits = Limits(max_pending=40)
    async with lab(
        *entries, ask_handlers=asks, operations=operations, limits=limits, threads=3,
        on_process_end=lambda info, exited: ends.append(exited),
    ) as it:  # fmt: skip
        scripts = [script(chance, unit) for unit in range(UNITS)]
        for words in scripts:
            await it.spawn("app:unit", words)
        await asyncio.wait_for(disturb(it, chance), PATIENCE)
        operating = it.node._system._operating
        await it.until(lambda: not operating.answers.left.commands and not operating._closer._tasks)
        assert not operating.answers.left.sizes
        assert world.running == 0
        assert world.opened == world.closed
        assert set(world.opened.values()) == {1}
    assert len(ends) == UNITS
    wrong = [each.failure.message for each in ends if each.failure and "another's" in each.failure.message]
    assert wrong == []
    await it.until(lambda: asyncio.all_tasks() <= before)
    assert not [each for each in caplog.records if "broke: RuntimeError" not in each.getMessage()]
    assert world.done > UNITS
