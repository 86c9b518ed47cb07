"""Every promised behaviour that Lua can see, in each kind of unit, on both hosts."""

from __future__ import annotations

import pytest

from tests.conformance.application import helpers
from tests.conformance.parsing import Case, cases
from tests.conformance.runs import Runs

WANTED = [(case, unit) for case in cases() for unit in case.units]


@pytest.mark.asyncio(loop_scope="package")
@pytest.mark.parametrize(("case", "unit"), WANTED, ids=[f"{case}[{unit}]" for case, unit in WANTED])
async def test_case(case: Case, unit: str, runs: Runs) -> None:
    wrong = await runs.outcome(case, unit)
    if wrong:
        pytest.fail(f"{case.behaviour}\n{wrong}", pytrace=False)


def test_the_helper_entries_are_a_valid_application() -> None:
    _, errors = helpers()
    assert not errors, "\n".join(map(str, errors))
