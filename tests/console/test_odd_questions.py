"""Whatever an entry or its code says of questions, right or wrong: the run's row is written, and its question asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone

from engine.entry import Entry
from engine.memory.catalog import MemoryCatalog
from engine.steps import Wait
from tests.console.test_projection import DEADLINE, SEEN
from wippy_console.models import Question, QuestionRole
from wippy_console.services import questions
from wippy_console.services.projection.writing import write
from wippy_console.services.questions.asks import OF_QUESTIONS

pytestmark = pytest.mark.django_db

FINE = {"topic": "approve", "label": "Fine"}
TIMER = Wait("timer", "", 3, int(DEADLINE.timestamp() * 1e9))
INPUT = ({"list": [1, {"a": "x"}], "deep": {"er": None}, "html": "<b>{list}</b>", "nul": "a\0b\ud800"},)
ODD: list[Any] = [
    None, True, -1, 10**30, float("inf"), "two", "x" * 10_000, "a\0b\ud800", "{list.9} {{list}} {html}{nul}", "$.list",
    [1], {"after": -1, "to": [1], "approve": "two", "of": 5},
]  # fmt: skip
OF_SIGNALS = (
    "label", "tone", "description", "schema", "payload", "reason", "role", "users", "groups", "via", "quorum",
    "default", "due", "priority", "assign", "follow_up", "escalate", "lapse", "guest", "notify", "title", "text",
    "index", "topic",
)  # fmt: skip


Case = tuple[dict[str, Any], Any]
"""The meta of an entry, and what its code asks."""


def ask_all(*cases: Case) -> None:
    """Runs of all cases in one batch: one that raised would cost the others their rows."""
    catalog = MemoryCatalog([Entry(f"app:n{n}", "workflow.lua", meta=meta) for n, (meta, _) in enumerate(cases)])
    seen = [
        replace(
            SEEN, run_id=str(n), entry_id=f"app:n{n}", input=INPUT,
            waits=(Wait("topic", "approve", 0, number=1, ask=ask), TIMER),
        )
        for n, (_, ask) in enumerate(cases)
    ]  # fmt: skip
    write(catalog, seen)
    write(catalog, [replace(each, waits=(*each.waits, Wait("inbox", "", 0)), history_length=99) for each in seen])
    found = Question.objects.exclude(channel="").prefetch_related("roles")
    assert len(found) == len(cases)
    assert all(each.roles.all() and each.labels and questions.of(each) for each in found)
    assert all(questions.ever_of(each.run) is not None for each in found)


@pytest.mark.parametrize("value", ODD, ids=lambda value: repr(value)[:30])
def test_a_field_of_an_answer_may_hold_anything(value: Any) -> None:
    ask_all(*(({"signals": [FINE, {"topic": "approve", "label": "Odd", field: value}]}, None) for field in OF_SIGNALS))


@pytest.mark.parametrize("value", ODD, ids=lambda value: repr(value)[:30])
def test_meta_may_hold_anything(value: Any) -> None:
    metas = [{"signals": [FINE, value, FINE], field: value} for field in ("question", "search", "title")]
    metas += [{"signals": [FINE], "question": {field: value}} for field in OF_QUESTIONS]
    ask_all(*((meta, None) for meta in metas))


@pytest.mark.parametrize("value", ODD, ids=lambda value: repr(value)[:30])
def test_what_code_asks_may_hold_anything(value: Any) -> None:
    fields = (*OF_SIGNALS, "signals", "payloads", "assignees")
    asks: list[Any] = [{"label": "Fine", field: value} for field in fields]
    asks += [{"signals": [{"label": "Fine", field: value}]} for field in fields]
    ask_all(*(({"signals": [FINE]}, ask) for ask in asks))


def test_topics_and_ids_of_other_systems_may_be_odd() -> None:
    name = "a\0b\ud800" + "x" * 400
    ask = {"payloads": {name: {}}, "groups": [name], "title": name}
    waits = (Wait("topic", name, 0, number=1, ask=ask), Wait("topic", "y" * 600, 0, number=2, ask=ask))
    write(MemoryCatalog([]), [replace(SEEN, entry_id=f"{name}:x", workflow_id=name, waits=waits)])
    assert Question.objects.count() == 2


def test_a_question_whose_answers_change_keeps_whom_it_was_escalated_to_and_until_when_it_was_put_off() -> None:
    meta = {"signals": [FINE, {"topic": "more"}], "question": {"escalate": {"after": "1h", "to": "bosses"}}}
    catalog = MemoryCatalog([Entry("app:approval", "workflow.lua", meta=meta)])
    inbox, topic = Wait("inbox", "", 0, number=1), Wait("topic", "more", 0, number=2)
    write(catalog, [replace(SEEN, waits=(inbox,))])
    now = timezone.now()
    Question.objects.update(escalated_at=now, follow_up_at=now)
    QuestionRole.objects.create(question=Question.objects.get(), role="bosses")
    write(catalog, [replace(SEEN, waits=(inbox, topic), history_length=99)])
    found = Question.objects.get(channel="")
    assert found.labels == ["Fine"] and found.follow_up_at == now
    assert set(found.roles.values_list("role", flat=True)) == {"", "bosses"}
