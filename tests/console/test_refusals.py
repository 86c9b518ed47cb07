"""Forms that carry a refusal: what stands on which form, and what becomes a page of its own."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest
from django.contrib.auth.models import User
from django.test import Client

from engine.entry import Entry
from tests.console.registry_cast import create
from wippy_console.forms.plain import EndForm, StartForm
from wippy_console.forms.refusals import EVERY, Outcome, submit
from wippy_console.forms.schema import SchemaForm
from wippy_console.services import runs
from wippy_console.services.errors import Conflict, Refused, Unavailable
from wippy_console.services.exact import Path

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}, "workflow_id": {"type": "string"}}}
SENT = {"worker": "app:w", "f-city": "Bonn"}


class Worker:
    id = "app:w"


def forms(data: Any) -> tuple[StartForm, SchemaForm]:
    workers: Any = [Worker()]
    return StartForm(workers, data), SchemaForm(SCHEMA, data)


def refuse(refusal: Refused) -> NoReturn:
    raise refusal


def test_forms_are_acted_on_when_all_are_sent_and_valid() -> None:
    assert submit(lambda: 7, *forms(SENT)) == Outcome(done=True, value=7)
    assert submit(lambda: refuse(Refused("never")), *forms(None)) == Outcome()
    assert submit(lambda: refuse(Refused("never")), *forms({"f-city": "Bonn"})) == Outcome(status=422)


def test_errors_stand_at_the_fields_that_they_name_and_others_above_the_form() -> None:
    form, fields = forms(SENT)
    paths: dict[Path, list[str]] = {("city",): ["is far"], ("city", "street"): ["is long"], ("mayor",): ["is out"]}
    assert submit(lambda: refuse(Refused("no", {"worker": ["is full"]}, paths)), form, fields).status == 422
    assert form.errors == {"worker": ["is full"]}
    assert fields.errors == {"city": ["is far", "street: is long"], "__all__": ["mayor: is out"]}


def test_a_name_that_both_forms_have_is_told_apart() -> None:
    form, fields = forms(SENT)
    submit(lambda: refuse(Refused("no", paths={("workflow_id",): ["is odd"]})), form, fields)
    assert not form.errors
    assert fields.errors == {"workflow_id": ["is odd"]}
    form, fields = forms(SENT)
    submit(lambda: refuse(Conflict("no", {"workflow_id": ["is taken"]})), form, fields, shown=EVERY)
    assert form.errors == {"workflow_id": ["is taken"]}
    assert not fields.errors


def test_a_refusal_that_names_nothing_stands_above_the_form() -> None:
    form, fields = forms(SENT)
    submit(lambda: refuse(Refused("not like this")), form, fields)
    assert not form.errors
    assert fields.errors == {"__all__": ["not like this"]}
    alone = forms(SENT)[0]
    submit(lambda: refuse(Refused("not like this")), alone)
    assert alone.errors == {"__all__": ["not like this"]}


def test_every_refusal_stands_on_the_form_unless_it_shows_only_some() -> None:
    for refusal in (Conflict("taken"), Unavailable("away")):
        form, fields = forms(SENT)
        with pytest.raises(Refused):
            submit(lambda refusal=refusal: refuse(refusal), form, fields, shown=[422])  # type: ignore[misc]
        assert submit(lambda refusal=refusal: refuse(refusal), form, fields).status == refusal.status  # type: ignore[misc]
        assert fields.errors == {"__all__": [refusal.message]}


def test_the_lines_of_a_reason_end_as_they_were_typed() -> None:
    form = EndForm({"reason": "one\r\ntwo"})
    assert form.is_valid()
    assert form.cleaned_data["reason"] == "one\ntwo"


@pytest.mark.django_db
def test_a_taken_id_is_said_at_its_field_and_the_draft_is_kept(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    create(
        Entry("app:c", "temporal.client", {}, {"address": "localhost:1"}),
        Entry("app:w", "temporal.worker", {}, {"client": "c", "task_queue": "q"}),
        Entry("app:f", "workflow.lua", {"input_schema": SCHEMA}, {"source": "return { main = function() end }"}),
    )
    taken = Conflict("taken", {"workflow_id": ["taken"]})
    monkeypatch.setattr(runs, "start", lambda *_, **__: refuse(taken))
    client.force_login(User.objects.create_superuser("root"))
    answer = client.post("/runs/start/", {**SENT, "entry": "app:f", "workflow_id": "order 7"})
    text = answer.content.decode()
    assert (answer.status_code, "order 7" in text, "Bonn" in text) == (409, True, True)
    assert text.index("taken") > text.index('id="id_workflow_id"')


def test_an_id_is_sent_as_it_was_typed() -> None:
    form, _ = forms({**SENT, "workflow_id": " order 7 "})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["workflow_id"] == " order 7 "
