"""Files of engine/lua/services are found, and each name has one handler."""

from __future__ import annotations

import re
from collections import Counter

from engine.lua import service_requests
from engine.lua.state import KERNEL

ASKED = re.compile(r'k\.service\(\s*"([\w.]*\w)"')


def offered() -> list[str]:
    tables = ("PURE", "WITH_WORLD", "WITH_IDENTITY")
    return [name for file in service_requests._FILES for table in tables for name in getattr(file, table, ())]


def test_each_file_offers_something() -> None:
    tables = {"PURE", "WITH_WORLD", "WITH_IDENTITY"}
    assert [file.__name__ for file in service_requests._FILES if not tables & vars(file).keys()] == []


def test_no_name_is_offered_twice() -> None:
    assert [name for name, times in Counter(offered()).items() if times > 1] == []


def test_whatever_the_kernel_asks_by_its_full_name_is_offered() -> None:
    asked = {name for path in KERNEL.glob("*.lua") for name in ASKED.findall(path.read_text("utf-8"))}
    assert asked and asked - {"send"} <= set(offered())  # the unit itself sends
