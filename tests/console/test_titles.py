"""Titles of entries, as lists show them: current, cheap, and of any shape that authors write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.entry import Entry
from tests.console.registry_cast import create, update
from wippy_console.services import registry

pytestmark = pytest.mark.django_db


def flow(name: str, **meta: str) -> Entry:
    return Entry(f"app:{name}", "workflow.lua", meta, {"source": "return {main = function() end}"})


def test_an_entry_without_a_title_is_left_out() -> None:
    assert registry.titles() == {}
    create(flow("named", title="  Send an\n invoice "), flow("plain"))
    assert registry.titles() == {"app:named": "Send an invoice"}


def test_a_new_version_is_seen_at_once() -> None:
    create(flow("flow", title="Before"))
    assert registry.titles() == {"app:flow": "Before"}
    update(flow("flow", title="After"))
    assert registry.titles() == {"app:flow": "After"}


def test_reading_again_costs_one_query(django_assert_num_queries: Callable[[int], Any]) -> None:
    create(*(flow(f"flow_{number}", title=f"Flow {number}") for number in range(20)))
    registry.titles()
    with django_assert_num_queries(1):
        assert len(registry.titles()) == 20
    with django_assert_num_queries(1):
        assert registry.workflows()[0] == ("app:flow_0", "Flow 0")
