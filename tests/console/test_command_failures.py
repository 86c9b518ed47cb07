"""What a command prints of a function that failed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import CommandError

from engine.errors import Failure, UnitFailed
from wippy_console.management.operations import OperationCommand

STACK = "shop/functions.py:7: in charge\n    return prices[sku]\nKeyError: 'lamp'\x1b[2J"


class Failing(OperationCommand):
    """Fails with what it was made with."""

    def __init__(self, failure: Failure) -> None:
        super().__init__()
        self.failure = failure

    def operate(self, options: dict[str, Any]) -> dict[str, Any]:
        raise UnitFailed(self.failure)


def test_code_that_fails_by_mistake_is_told_with_its_traceback() -> None:
    with pytest.raises(CommandError) as failed:
        Failing(Failure("Internal", "KeyError: 'lamp'", stack=STACK)).handle(json=False)
    first, place, line, last = str(failed.value).splitlines()
    assert first == "Internal: KeyError: 'lamp'"
    assert (place, line) == ("  shop/functions.py:7: in charge", "      return prices[sku]")
    assert "\x1b" not in last


def test_a_traceback_is_a_list_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError):
        Failing(Failure("Internal", "KeyError: 'lamp'", stack=STACK)).handle(json=True)
    said = json.loads(capsys.readouterr().out)
    assert said["stack"][0].strip() == "shop/functions.py:7: in charge"


@pytest.mark.parametrize(
    "failure",
    [
        Failure("Invalid", "no card", stack=STACK),
        Failure("Internal", "no card", stack="stack traceback:\n\t[engine]"),
        Failure("Internal", "no card"),
    ],
)
def test_a_failure_that_code_means_is_one_line(failure: Failure) -> None:
    with pytest.raises(CommandError) as failed:
        Failing(failure).handle(json=False)
    assert str(failed.value) == f"{failure.kind}: no card"
