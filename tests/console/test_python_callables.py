"""Which callables entries may name: those of the apps, defined there, by WIPPY_PYTHON_FUNCTIONS."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from engine.errors import UnitFailed
from wippy_console.services.python_functions import resolved


def test_a_function_of_an_app_is_found() -> None:
    assert resolved("shop:charge", "shop.functions:charge").__name__ == "charge"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("os:system", "PermissionDenied"),
        ("shop.bank:os.system", "PermissionDenied"),
        ("shop.models:Order.delete", "PermissionDenied"),
        ("shop.models:Order.objects.all", "PermissionDenied"),
        ("shop.functions:sdk.start", "PermissionDenied"),
        ("shopping.functions:charge", "PermissionDenied"),
        ("shop.functions:nothing", "NotFound"),
        ("shop.functions:State.PAID", "Invalid"),
    ],
)
def test_what_is_not_the_apps_own_is_refused(text: str, kind: str) -> None:
    with pytest.raises(UnitFailed) as refused:
        resolved("shop:charge", text)
    assert refused.value.failure.kind == kind
    assert refused.value.failure.retryable is False


def test_patterns_narrow_it(settings: Settings) -> None:
    settings.PYTHON_FUNCTIONS = ("shop.functions.re*",)
    assert resolved("shop:refund", "shop.functions:refund").__name__ == "refund"
    with pytest.raises(UnitFailed, match="not among WIPPY_PYTHON_FUNCTIONS"):
        resolved("shop:charge", "shop.functions:charge")
