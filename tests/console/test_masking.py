"""Masked paths: where they lead, what entries declare of them, and who sees through the dots."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import serializers
from django.db import DatabaseError
from django.test import Client

from engine.entry import Entry
from engine.errors import Failure
from engine.memory.catalog import MemoryCatalog
from engine.steps import Wait
from tests.console.made_histories import Made
from tests.console.registry_cast import create
from tests.console.test_projection import SEEN, TIMER
from wippy_console.management.operations import operator
from wippy_console.models import Question, Run
from wippy_console.models.masks import Veil, declared
from wippy_console.services import registry
from wippy_console.services.masking import MASK, masked, of_entry
from wippy_console.services.projection import write
from wippy_console.services.registry import Changes
from wippy_console.services.secrets import Shown

GIVEN: dict[str, Any] = {"card": {"number": "4111", "month": 5}, "lines": [{"sku": "a"}, {"sku": "b"}], "n": None}


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("card.number", {**GIVEN, "card": {"number": MASK, "month": 5}}),
        ("$.card.month", {**GIVEN, "card": {"number": "4111", "month": MASK}}),
        ("card", {**GIVEN, "card": MASK}),
        ("card.*", {**GIVEN, "card": {"number": MASK, "month": MASK}}),
        ("lines.sku", {**GIVEN, "lines": [{"sku": MASK}, {"sku": MASK}]}),
        ("lines.*.sku", {**GIVEN, "lines": [{"sku": MASK}, {"sku": MASK}]}),
        ("lines.1.sku", {**GIVEN, "lines": [{"sku": "a"}, {"sku": MASK}]}),
        ("$", MASK),
    ],
)
def test_a_path_puts_dots_where_it_leads(path: str, shown: Any) -> None:
    assert masked(GIVEN, [path]) == shown


@pytest.mark.parametrize("path", ["card.holder", "lines.7.sku", "lines.x", "other", "n", "card.number.more"])
def test_a_path_that_leads_nowhere_leaves_the_very_value(path: str) -> None:
    assert masked(GIVEN, [path]) is GIVEN


def test_a_value_is_dots_wherever_else_it_turns_up() -> None:
    veil = Veil(["card"], [{"card": {"number": "4111-1111", "month": 5, "code": 123456}}])
    told = {"said": "card 4111-1111 of", "n": 123456, "m": 5, "list": ["4111-1111"], "4111-1111": b"x4111-1111"}
    assert veil.value(told) == {"said": f"card {MASK} of", "n": MASK, "m": 5, "list": [MASK], MASK: MASK}
    failure = veil.value(
        Failure("Invalid", "no 4111-1111", details={"card": 1, "a": "4111-1111"}, stack="at 4111-1111")
    )
    assert (failure.message, failure.details, failure.stack) == (f"no {MASK}", {"card": MASK, "a": MASK}, f"at {MASK}")


def test_of_a_value_that_was_cut_nothing_is_shown() -> None:
    assert masked([{"preview": '{"card": "4111', "bytes": 90_000}], ["card"]) == [{"preview": MASK, "bytes": 90_000}]


@pytest.mark.django_db
def test_a_mask_counts_for_older_runs_and_one_that_was_taken_away_for_its_own() -> None:
    def version(*mask: str) -> int:
        entry = Entry("app:f", "function.lua", {"mask": list(mask)} if mask else {}, {"source": "return {}"})
        return registry.publish(operator(), Changes(update=(entry,)), base=None, message="next").number

    before = create(Entry("app:f", "function.lua", {}, {"source": "return {}"})).number
    first = version("card", "name")
    second = version("card")
    assert (of_entry("app:f", before), of_entry("app:f", second)) == (("card",), ("card",))
    assert set(of_entry("app:f", first)) == {"card", "name"} and of_entry("app:other") == ()
    version()
    assert (of_entry("app:f", before), of_entry("app:f", second)) == ((), ("card",))


@pytest.mark.django_db
def test_masks_that_could_not_be_read_are_not_taken_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    create(Entry("app:f", "function.lua", {"mask": ["card"]}, {"source": "return {}"}))
    monkeypatch.setattr(declared, "_known", declared._Known())
    with monkeypatch.context() as away:
        away.setattr(declared, "_is_there", raise_away)
        with pytest.raises(DatabaseError):
            of_entry("app:f")
    assert of_entry("app:f") == ("card",)


def raise_away(version: Any) -> bool:
    raise DatabaseError("away")


@pytest.mark.django_db
def test_what_code_asks_with_a_masked_value_has_dots_and_its_assignee_is_found() -> None:
    ask = {"title": "Pay with 4111-1111-canary?", "text": "`4111-1111-canary`", "assign": "$.card"}
    entry = Entry("app:approval", "workflow.lua", {"mask": ["card"], "search": ["card"]}, {"source": "return {}"})
    create(entry)
    User.objects.create_user("4111-1111-canary", is_superuser=True)
    waits = (Wait("topic", "pay", 0, number=1, ask=ask), TIMER)
    write(MemoryCatalog([entry]), [replace(SEEN, waits=waits, input=({"card": "4111-1111-canary"},), topics=("pay",))])
    question = Question.objects.get()
    assert MASK in question.title and MASK in question.text
    assert question.assignee is not None or question.options["assignee"] == "4111-1111-canary"
    assert "canary" not in json.dumps([question.title, question.text, question.search])


@pytest.mark.django_db
@pytest.mark.parametrize("model", ["run", "vote"])
def test_no_list_of_the_admin_is_narrowed_by_what_is_masked(client: Client, model: str) -> None:
    client.force_login(User.objects.create_superuser("root"))
    for name in ("input", "result", "failure") if model == "run" else ("payload",):
        assert client.get(f"/admin/wippy_console/{model}/", {f"{name}__icontains": "4"}).status_code == 400


@pytest.mark.django_db
def test_a_row_that_is_saved_copied_or_dumped_keeps_the_whole_value() -> None:
    create(Entry("app:approval", "workflow.lua", {"mask": ["card"]}, {"source": "return {}"}))
    write(MemoryCatalog([]), [replace(SEEN, input=({"card": "4111"},))])
    run = Run.objects.get()
    assert run.input == [{"card": MASK}] and run.whole("input") == [{"card": "4111"}]
    run.save()
    run.refresh_from_db()
    write(MemoryCatalog([]), [replace(SEEN, history_length=9, input=None)])
    assert Run.objects.get().whole("input") == [{"card": "4111"}]
    (dumped,) = serializers.deserialize("json", serializers.serialize("json", Run.objects.all()))
    dumped.save()
    assert Run.objects.get().whole("input") == [{"card": "4111"}]


@pytest.mark.django_db
def test_of_a_followed_run_what_it_masks_is_kept_and_not_all_that_it_says() -> None:
    create(Entry("app:approval", "workflow.lua", {"mask": ["card"]}, {"source": "return {}"}))
    write(MemoryCatalog([]), [replace(SEEN, input=({"card": "4111"},))])
    made = Made("app:approval", {"card": "4111"})
    for number in range(100):
        made.whole_call("app:f", {"card": f"card-{number:03}", "text": f"{number} " * 10_000})
    made.signal("said", {"text": "card-007"})
    shown = Shown(Run.objects.get(), sees=False)
    tracemalloc.start()
    try:
        shown.more(made.events[:-1])
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 500_000, "of three million bytes"
    (last,) = shown.more(made.events[-1:])
    assert b"card-007" not in last.SerializeToString() and shown.veil().text("card-099") == MASK
