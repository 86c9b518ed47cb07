"""The fields of an entry in the editor: read as `apply` reads them, and whatever they hold, an answer with words."""

from __future__ import annotations

import pytest
from django import forms
from django.test import Client

from engine.check import check_source
from engine.entry import Entry
from engine.registry.problems import errors_in
from engine.registry.texts import fields_text
from engine.registry.validate import validate
from tests.console.registry_cast import create, function
from wippy_console.forms import suggestions
from wippy_console.forms.entry import KINDS, read_fields
from wippy_console.services import registry


def bomb(levels: int) -> str:
    rows = ["l0: &l0 [" + ",".join("x" * 9) + "]"]
    rows += [f"l{i}: &l{i} [" + ",".join([f"*l{i - 1}"] * 9) + "]" for i in range(1, levels)]
    return "\n".join(rows)


def test_fields_of_an_entry_survive_yaml() -> None:
    meta = {"title": "Grüße: ü", "n": 1, "list": [1, {"a": None}], "day": "2026-01-31", "yes": "no", "e": ""}
    entry = Entry("a:b", "function.lua", meta, {"source": "x", "method": "main", "text": "two\nlines\n\n"})
    assert read_fields(fields_text(entry)) == {"meta": meta, "method": "main", "text": "two\nlines\n\n"}


@pytest.mark.parametrize(("text", "line"), [("a: [1\n", 2), ("a: 1\n b: 2\n", 2), ("- a\n", 1), ("meta: 3\n", 1)])
def test_unreadable_fields_name_the_line(text: str, line: int) -> None:
    with pytest.raises(forms.ValidationError) as caught:
        read_fields(text)
    assert [error.line for error in caught.value.error_list] == [line]  # type: ignore[attr-defined]


def test_every_wrong_line_is_told() -> None:
    with pytest.raises(forms.ValidationError) as caught:
        read_fields("a: !!binary aGk=\nb: 1\nb: 2\n")
    assert [error.message for error in caught.value.error_list] == [
        "Line 1: the tag `binary` is not supported here",
        "Line 3: the key `b` stands here twice",
    ]


def test_a_date_is_the_text_that_was_written() -> None:
    assert read_fields("meta: {released: 2026-01-31}") == {"meta": {"released": "2026-01-31"}}


@pytest.mark.django_db
def test_warnings_are_shown_although_the_entry_is_published(admin_client: Client) -> None:
    create(function("charge"), function("edited"))
    source = "return function()\n  return funcs.call('app:chagre')\nend"
    base = registry.current_number()
    sent = {"base": base, "source": source, "fields_text": "modules: [funcs, sound]", "message": ""}
    answer = admin_client.post("/registry/edit/app:edited/", sent, follow=True)
    page = answer.content.decode()
    assert registry.current_number() == base + 1 and "is published" in page
    assert "app:edited line 2: there is no entry `app:chagre`" in page and "did you mean `app:charge`?" in page
    assert "app:edited modules.1: the module `sound` is not provided here" in page


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("meta: {a: !!binary aGk=}", "the tag `binary` is not supported here"),
        ("meta: {a: !!set {x, y}}", "the tag `set` is not supported here"),
        ("meta: {a: " + "1" * 5000 + "}", "not a valid int"),
        ("meta: " + "[" * 3000, "nested deeper than 64 levels"),
        (bomb(7), "over 100000 values"),
        ("a: " + "x" * (1 << 20), "longer than 1,048,576 characters"),
        ("a: \0", "Null characters are not allowed"),
    ],
    ids=["binary", "set", "digits", "deep", "aliases", "long", "nul"],
)
def test_fields_that_can_not_be_read_come_back_with_words(admin_client: Client, text: str, told: str) -> None:
    create(function("edited"))
    before = registry.current_number()
    sent = {"base": before, "source": "return {}", "fields_text": text, "message": ""}
    answer = admin_client.post("/registry/edit/app:edited/", sent)
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert registry.current_number() == before


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.startswith("http.")])
def test_what_the_form_of_an_endpoint_suggests_lacks_only_what_it_names(kind: str) -> None:
    fields = read_fields(suggestions.fields(kind))
    entry = Entry("app:x", kind, fields.pop("meta", {}), fields)
    named = {
        "app:my_router": Entry("app:my_router", "http.router", {}, {"auth": "none"}),
        "app:my_function": function("my_function"),
    }
    assert not errors_in(validate({"app:x": entry, **named}, check_source))
