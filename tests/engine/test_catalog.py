from __future__ import annotations

import pytest

from engine.entry import Entry
from engine.errors import ProgramError
from engine.memory.catalog import MemoryCatalog


def function(source: str) -> Entry:
    return Entry("app:f", "function.lua", {}, {"source": source})


def test_every_publish_makes_a_version_and_old_ones_stay_readable() -> None:
    catalog = MemoryCatalog([function("return 1")])
    assert catalog.publish(function("return 2")) == catalog.version() == 2
    assert catalog.entry_at("app:f", 1) == function("return 1")
    assert catalog.entry("app:f") == function("return 2")
    catalog.publish(delete=["app:f"])
    assert catalog.entry("app:f") is None
    assert catalog.entries("function.lua") == []


def test_a_program_stays_known_by_its_digest_after_its_entry_changed() -> None:
    catalog = MemoryCatalog([function("return 1")])
    old = catalog.current("app:f")
    catalog.publish(function("return 2"))
    assert catalog.current("app:f").digest != old.digest
    assert catalog.pinned(old.digest) is old
    with pytest.raises(ProgramError):
        catalog.pinned("unknown")
