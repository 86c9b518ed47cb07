"""The cheap attacks, each on a node of its own: how they end and what they cost, not how long neighbours waited."""

from __future__ import annotations

import pytest

from tests.attacks.corpus import Attack, attacks
from tests.attacks.judging import faults, run


@pytest.mark.parametrize("attack", [each for each in attacks() if each.cheap], ids=lambda each: each.name)
def test_an_attack_ends_by_its_own_limits_and_its_worker_keeps_to_its_memory(attack: Attack) -> None:
    assert faults(attack, run(attack, attack.kinds[0], settle=0)) == []
