"""The entries of docs/lua.md#endpoints are valid, and come to the addresses that the page tells."""

from __future__ import annotations

from pathlib import Path

from engine.entry import Entry
from engine.registry.hooks.route import Route, of_entry
from engine.registry.tree import parse
from engine.registry.validate import validate
from tests.engine.registry.checking import no_check

PAGE = Path(__file__).parents[2] / "docs" / "lua.md"


def test_the_entries_of_the_page_load_without_a_word_and_serve_what_it_says() -> None:
    section = PAGE.read_text().partition("\n### Endpoints\n")[2]
    written = section.partition("```yaml\n")[2].partition("```")[0]
    tree = parse({"_index.yaml": written, "order.lua": "return {}"})
    func = Entry("shop:on_order_changed", "function.lua", {}, {"source": "return {}"})
    entries = {**tree.entries, func.id: func}
    assert not tree.problems
    assert not validate(entries, no_check)
    routes = [found for entry in entries.values() for found in of_entry(entry, entries) if isinstance(found, Route)]
    assert [each.name for each in routes] == [
        "POST /hooks/shop/orders/{id}", "POST /hooks/orders", "POST /hooks/orders/paid"
    ]  # fmt: skip
