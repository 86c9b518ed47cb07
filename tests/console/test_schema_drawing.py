"""What a schema is drawn as, and what people do with it without JavaScript."""

from __future__ import annotations

import base64
import itertools
import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from django.template.loader import render_to_string

from tests.console.browsing import Page, drawn
from wippy_console.forms.schema import MISSING, SchemaForm

LINE = {
    "type": "object", "required": ["sku"],
    "properties": {"sku": {"type": "string"}, "count": {"type": "integer", "default": 1}},
}  # fmt: skip
LINES = {"type": "object", "properties": {"lines": {"type": "array", "items": LINE}}}
TREE = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#"}}},
}
CARD = {
    "title": "Card",
    "required": ["kind", "number"],
    "properties": {"kind": {"const": "card"}, "number": {"type": "string"}},
}
BANK = {
    "title": "Bank",
    "required": ["kind", "iban"],
    "properties": {"kind": {"const": "bank"}, "iban": {"type": "string"}},
}
PAY = {"type": "object", "required": ["pay"], "properties": {"pay": {"oneOf": [CARD, BANK]}}}


def html(form: SchemaForm) -> str:
    return render_to_string("forms/nodes.html", {"nodes": form.nodes})


def send(schema: Any, page: Page, files: Any = None, **typed: Any) -> SchemaForm:
    return SchemaForm(
        schema, page.post_all({name.replace("__", "."): text for name, text in typed.items()}), files=files
    )


def value(schema: Any, typed: dict[str, Any], default: Any = MISSING) -> Any:
    """What the drawn form sends when that was typed."""
    form = SchemaForm(schema, drawn(SchemaForm(schema, value=default)).post_all(typed), value=default)
    assert form.is_valid(), form.errors
    return form.value()


def press(schema: Any, form: SchemaForm, button: str, act: str, **typed: Any) -> SchemaForm:
    """The form after a button of a list was pressed, with what was typed before."""
    found = SchemaForm(schema, drawn(form).post_all({**typed, f"{button}:do": act}))
    assert not found.is_valid() and found.is_edited
    return found


# --- lists ------------------------------------------------------------------------------------------


def test_items_are_added_moved_and_removed_and_nothing_typed_is_lost() -> None:
    form = press(LINES, SchemaForm(LINES), "f-lines", "add")
    form = press(LINES, form, "f-lines", "add", **{"f-lines.0.sku": "A", "f-lines.0.count": "not yet a number"})
    assert dict(drawn(form).sent)["f-lines.0.count"] == "not yet a number"
    form = press(LINES, form, "f-lines", "add", **{"f-lines.1.sku": "B"})
    form = press(LINES, form, "f-lines", "up 1", **{"f-lines.2.sku": "C"})
    form = press(LINES, form, "f-lines", "remove 2")
    sent = send(LINES, drawn(form))
    assert not sent.is_valid()
    assert sent.errors == {"lines.0.count": ["Write a number, like 12 or 12.5."]}
    sent = SchemaForm(LINES, drawn(sent).post_all({"f-lines.0.count": "7"}))
    assert sent.is_valid()
    assert sent.value() == {"lines": [{"sku": "B", "count": 1}, {"sku": "A", "count": 7}]}


def test_a_button_that_was_pressed_says_nothing_of_errors() -> None:
    form = press(LINES, SchemaForm(LINES), "f-lines", "add")
    assert 'class="errors"' not in html(press(LINES, form, "f-lines", "add"))


@pytest.mark.parametrize("act", ["remove 9", "up x", "down", "", "explode 0", "up 0", "down 1", "up ²"])
def test_a_button_nobody_drew_changes_nothing(act: str) -> None:
    form = SchemaForm(LINES, value={"lines": [{"sku": "A"}, {"sku": "B"}]})
    after = press(LINES, form, "f-lines", act)
    assert send(LINES, drawn(after)).value() == {"lines": [{"sku": "A"}, {"sku": "B"}]}


def test_a_list_whose_items_were_all_removed_is_empty_where_it_was_drawn_and_absent_else() -> None:
    schema = {"type": "object", "properties": {"lines": {**LINES["properties"]["lines"], "default": [{"sku": "A"}]}}}  # type: ignore[index]
    form = press(schema, SchemaForm(schema), "f-lines", "remove 0")
    assert send(schema, drawn(form)).value() == {"lines": []}
    form = press(LINES, press(LINES, SchemaForm(LINES), "f-lines", "add"), "f-lines", "remove 0")
    assert send(LINES, drawn(form)).value() == {}


def test_a_full_list_has_no_button_to_add() -> None:
    schema = {"type": "array", "items": LINE, "maxItems": 1}
    assert 'value="add"' in html(SchemaForm(schema, value=[]))
    assert 'value="add"' not in html(SchemaForm(schema, value=[{"sku": "A"}]))


def test_an_error_stands_at_its_item() -> None:
    sent = send(
        LINES, drawn(SchemaForm(LINES, value={"lines": [{"sku": "A"}, {"sku": "B"}]})), **{"f-lines__1__sku": ""}
    )
    assert sent.errors == {"lines.1.sku": ["This field is required."]}
    assert [each.label for each in sent.faulty] == ["Sku 2"]


def test_lists_within_lists_are_drawn_as_deep_as_they_are() -> None:
    whole = {"name": "a", "children": [{"name": "b", "children": [{"name": "c"}]}, {"name": "d"}]}
    assert value(TREE, {}, whole) == whole
    form = press(TREE, SchemaForm(TREE, value=whole), "f-children.0.children", "add")
    assert "f-children.0.children.1.name" in dict(drawn(form).sent)


def test_scalars_that_fit_no_line_are_items() -> None:
    schema = {"type": "array", "items": {"type": "string"}}
    assert drawn(SchemaForm(schema, value=["a", " b "])).types["f-value"] == "textarea"
    odd = ["a\nb", "", "c"]
    assert "f-value:n" in dict(drawn(SchemaForm(schema, value=odd)).sent)
    assert value(schema, {"f-value.2": "d"}, odd) == ["a\nb", "", "d"]


def test_a_list_that_is_the_whole_value_may_be_empty() -> None:
    for items in (LINE, {"type": "string"}, {"enum": ["x"]}):
        assert value({"type": "array", "items": items}, {}) == []


def test_a_request_can_t_name_millions_of_items() -> None:
    many = " ".join(str(number) for number in range(900_000))
    form = SchemaForm(LINES, QueryDict(f"f-lines:n={many}"))
    assert "up to 2,000 items" in form.errors["lines"][0]
    deep = "&".join(f"f-children.{number}.children:n={'+'.join(map(str, range(500)))}" for number in range(500))
    assert not SchemaForm(TREE, QueryDict(f"f-children:n={'+'.join(map(str, range(500)))}&{deep}")).is_valid()


def test_a_long_list_is_one_text() -> None:
    long = {"lines": [{"sku": str(number)} for number in range(300)]}
    assert drawn(SchemaForm(LINES, value=long)).types == {"f-lines": "textarea"}
    assert value(LINES, {}, long) == long


# --- alternatives -----------------------------------------------------------------------------------


def test_of_alternatives_the_chosen_one_is_sent_and_the_others_keep_their_text() -> None:
    typed = {"f-pay:pick": "1", "f-pay:0.number": "4111", "f-pay:1.iban": "DE1"}
    assert value(PAY, typed) == {"pay": {"kind": "bank", "iban": "DE1"}}
    form = SchemaForm(PAY, drawn(SchemaForm(PAY)).post_all({**typed, "f-pay:1.iban": ""}))
    assert form.errors == {"pay:1.iban": ["This field is required."]}
    assert dict(drawn(form).sent)["f-pay:0.number"] == "4111"


def test_none_of_required_alternatives_is_an_error_at_them() -> None:
    assert send(PAY, drawn(SchemaForm(PAY))).errors == {"pay": ["Choose one of these."]}


def test_alternatives_are_called_by_title_reference_mark_or_type() -> None:
    schema = {
        "$defs": {"Cash": {"type": "object", "properties": {"sum": {"type": "number"}}}},
        "oneOf": [CARD, {"$ref": "#/$defs/Cash"}, {**BANK, "title": ""}, {"type": "string"}],
    }
    assert [option.label for option in SchemaForm(schema).nodes[0].shape.options] == ["Card", "Cash", "bank", "Text"]  # type: ignore[attr-defined]


def test_a_discriminator_marks_what_has_no_constant() -> None:
    kind = {"type": "string"}
    schema = {
        "$defs": {
            "Cat": {"type": "object", "properties": {"kind": kind, "name": {"type": "string"}}},
            "Dog": {"type": "object", "properties": {"kind": kind}},
        },
        "oneOf": [{"$ref": "#/$defs/Cat"}, {"$ref": "#/$defs/Dog"}],
        "discriminator": {"propertyName": "kind", "mapping": {"cat": "#/$defs/Cat", "dog": "#/$defs/Dog"}},
    }  # fmt: skip
    form = SchemaForm(schema, QueryDict("f-value:pick=0&f-value:0.name=Tom"))
    assert "f-value:0.kind" not in dict(drawn(form).sent)
    assert form.value() == {"kind": "cat", "name": "Tom"}


def test_an_object_beside_null_is_chosen() -> None:
    schema = {"type": "object", "properties": {"a": {"anyOf": [LINE, {"type": "null"}], "default": None}}}
    assert value(schema, {}) == {"a": None}
    assert value(schema, {"f-a:pick": "1", "f-a:1.sku": "x"}) == {"a": {"sku": "x", "count": 1}}
    assert value(schema, {"f-a:pick": ""}) == {}


def test_a_box_beside_null_has_three_answers_and_none() -> None:
    schema = {"type": "object", "properties": {"a": {"type": ["boolean", "null"]}}}
    answers = {"": {}, "true": {"a": True}, "false": {"a": False}, "null": {"a": None}}
    assert {key: value(schema, {"f-a": key}) for key in answers} == answers


# --- choices ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("labels", [{"de": "Germany", "7": "Seven"}, ["Germany", "Seven"]])
def test_values_have_the_labels_that_the_schema_gives_them(labels: Any) -> None:
    page = html(SchemaForm({"enum": ["de", 7, "x"], "x-labels": labels}))
    assert ">Germany</span>" in page and ">Seven</span>" in page and ">x</span>" in page


def test_several_of_labelled_values_are_boxes() -> None:
    schema = {"type": "array", "items": {"oneOf": [{"const": "a", "title": "Alpha"}, {"const": 2}]}}
    page = html(SchemaForm(schema))
    assert page.count('type="checkbox"') == 2 and "Alpha" in page
    assert value(schema, {"f-value": ['"a"', "2"]}) == ["a", 2]


def test_a_default_that_is_none_of_the_choices_is_shown_and_refused() -> None:
    schema = {"type": "object", "properties": {"a": {"enum": ["x", "y"], "default": "z"}}}
    assert "not one of the choices" in html(SchemaForm(schema))
    assert list(send(schema, drawn(SchemaForm(schema))).errors) == ["a"]


# --- secrets, files, what is read-only --------------------------------------------------------------


def test_a_secret_is_never_drawn_again() -> None:
    schema = {"type": "object", "required": ["a"], "properties": {
        "a": {"type": "string"}, "key": {"type": "string", "writeOnly": True, "default": "dflt-secret"},
        "pin": {"type": "integer", "writeOnly": True},
        "deep": {"writeOnly": True, "type": "object", "properties": {"x": {"type": "string"}},
                 "additionalProperties": {"type": "string"}},
    }}  # fmt: skip
    first = SchemaForm(schema)
    assert drawn(first).types["f-key"] == "password"
    sent = SchemaForm(schema, drawn(first).post_all({"f-key": "hunter2", "f-pin": "4711", "f-deep.x": "s3cr3t"}))
    assert not sent.is_valid()
    page = html(first) + html(sent)
    assert not [word for word in ("dflt-secret", "hunter2", "4711", "s3cr3t") if word in page]
    assert value(schema, {"f-a": "1", "f-key": "hunter2"}) == {"a": "1", "key": "hunter2"}
    assert value(schema, {"f-a": "1"}) == {"a": "1", "key": "dflt-secret"}


@pytest.mark.parametrize(
    "part", [{"type": "string", "pattern": "^x$"}, {"type": "string", "maxLength": 3}, {"type": "integer"}, {"not": {}}]
)
def test_no_error_repeats_a_secret(part: dict[str, Any]) -> None:
    for schema in ({"a": {**part, "writeOnly": True}}, {"a": {"type": "object", "properties": {"b": part}, "not": {}}}):
        whole = {"type": "object", "properties": schema}
        sent = QueryDict("f-a=hunter2&f-a.b=hunter2")
        assert "hunter2" not in str(SchemaForm(whole, sent).errors)


def test_a_file_is_sent_as_base64() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "contentEncoding": "base64"}}}
    form = SchemaForm(schema)
    assert form.has_files and 'type="file"' in html(form)
    files = {"f-a": SimpleUploadedFile("x.bin", b"\x00\xff" * 9)}
    sent = SchemaForm(schema, drawn(form).post(), files=files)
    assert sent.is_valid()
    assert base64.b64decode(sent.value()["a"]) == b"\x00\xff" * 9
    large = SchemaForm(schema, drawn(form).post(), files={"f-a": SimpleUploadedFile("x.bin", b"x" * 1_400_001)})
    assert "too large" in large.errors["a"][0]
    assert list(SchemaForm(schema, QueryDict("f-a=no+base64")).errors) == ["a"]


def test_a_form_whose_list_may_hold_files_is_sent_as_multipart() -> None:
    assert SchemaForm({"type": "array", "items": {"properties": {"a": {"type": "string", "format": "byte"}}}}).has_files
    assert not SchemaForm(LINES).has_files


def test_what_is_read_only_is_shown_and_sent_whatever_a_browser_says() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "readOnly": True, "default": "as it is"}}}
    assert "as it is" in html(SchemaForm(schema))
    assert value(schema, {"f-a": "changed"}) == {"a": "as it is"}


def test_what_is_read_only_goes_with_its_item() -> None:
    item = {"type": "object", "properties": {"id": {"type": "integer", "readOnly": True}, "name": {"type": "string"}}}
    default = [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]
    schema = {"type": "object", "properties": {"lines": {"type": "array", "items": item, "default": default}}}
    form = press(schema, SchemaForm(schema), "f-lines", "up 1")
    form = press(schema, press(schema, form, "f-lines", "remove 0"), "f-lines", "add")
    assert send(schema, drawn(form), **{"f-lines__2__name": "c"}).value() == {
        "lines": [{"id": 2, "name": "b"}, {"name": "c"}]
    }


# --- odd schemas ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"$ref": "#/$defs/Nothing"}, "leads nowhere"),
        ({"$ref": "https://example.com/x.json"}, "leads nowhere"),
        ({"$ref": "#/properties/a"}, "it holds itself"),
        ({"type": "array", "prefixItems": [{"type": "string"}]}, "fixed places"),
        ({"type": "array"}, "a list of anything"),
        ({"type": "object"}, "any names"),
        ({"not": {"type": "string"}}, "JSON"),
        (True, "JSON"),
        ({"type": 7, "enum": "x", "properties": [], "items": 5, "oneOf": {}, "required": 3}, ""),
        (None, "JSON"),
    ],
)
def test_what_can_t_be_drawn_is_a_json_text_that_says_why(part: Any, words: str) -> None:
    page = html(SchemaForm({"type": "object", "properties": {"a": part}}))
    assert words in page and "<textarea" in page


def test_a_schema_that_doubles_at_every_level_is_drawn_in_time() -> None:
    names = [f"L{level}" for level in range(40)]
    parts = {
        name: {"type": "object", "properties": {"a": {"$ref": f"#/$defs/{below}"}, "b": {"$ref": f"#/$defs/{below}"}}}
        for name, below in itertools.pairwise(names)
    }
    page = html(SchemaForm({"$defs": {**parts, names[-1]: {"type": "string"}}, "$ref": "#/$defs/L0"}))
    assert "too large to be drawn" in page


def test_further_properties_are_kept_and_can_be_written() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "integer"}}
    assert value(schema, {"f-a": "x", "f-:rest": '{"n": 1}'}) == {"a": "x", "n": 1}
    assert value(schema, {}, {"a": "x", "n": 1}) == {"a": "x", "n": 1}
    form = SchemaForm(schema, drawn(SchemaForm(schema)).post_all({"f-:rest": '{"n": "one"}'}))
    assert form.errors == {":rest": ["n: Must be of type integer."]}


def test_a_broken_schema_leaves_the_form_standing() -> None:
    form = SchemaForm({"type": "object", "properties": {"a": {"type": "nonsense"}}}, QueryDict("f-a=1"))
    assert not form.is_valid()
    assert "broken JSON Schema" in form.non_field_errors()[0]


def test_allof_and_references_are_laid_into_one() -> None:
    schema = {
        "$defs": {"Base": {"properties": {"id": {"type": "integer"}}, "required": ["id"]}},
        "allOf": [{"$ref": "#/$defs/Base"}, {"properties": {"name": {"type": "string"}}}],
    }
    assert value(schema, {"f-id": "1", "f-name": "x"}) == {"id": 1, "name": "x"}


BASE = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}


@pytest.mark.parametrize(
    "part",
    [
        {"allOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}]},
        {"$ref": "#/$defs/A", "allOf": [{"$ref": "#/$defs/B"}, {"$ref": "#/$defs/Base"}]},
        {"$ref": "#/$defs/Base", "oneOf": [{"$ref": "#/$defs/AB"}]},
        {"allOf": [{"$ref": "#/$defs/Base"}, {"oneOf": [{"$ref": "#/$defs/AB"}]}]},
    ],
)
def test_what_parts_have_in_common_is_drawn_once(part: Any) -> None:
    base = {"$ref": "#/$defs/Base"}
    a = {"allOf": [base, {"properties": {"a": {"type": "string"}}}]}
    b = {"allOf": [base, {"properties": {"b": {"type": "string"}}}]}
    ab = {"allOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}]}
    schema = {"properties": {"p": part}, "required": ["p"], "$defs": {"Base": BASE, "A": a, "B": b, "AB": ab}}
    page = html(SchemaForm(schema))
    assert ("holds itself" in page, "<textarea" in page) == (False, False)
    assert value(schema, {"f-p.id": "1", "f-p.a": "x", "f-p.b": "y"}) == {"p": {"id": 1, "a": "x", "b": "y"}}


def test_alternatives_that_repeat_the_base_are_drawn() -> None:
    base = {"$ref": "#/$defs/Base"}
    one = {"allOf": [base, {"properties": {"kind": {"const": "a"}, "a": {"type": "string"}}, "required": ["kind"]}]}
    two = {"allOf": [base, {"properties": {"kind": {"const": "b"}, "b": {"type": "string"}}, "required": ["kind"]}]}
    schema = {"properties": {"p": {"allOf": [base], "oneOf": [one, two]}}, "$defs": {"Base": BASE}}
    page = html(SchemaForm(schema))
    assert ("holds itself" in page, "<textarea" in page, page.count(">Id") > 0) == (False, False, True)


def test_parts_that_share_parts_at_every_level_are_read_once() -> None:
    defs = {f"L{n}": {"allOf": [{"$ref": f"#/$defs/L{n + 1}"}] * 2} for n in range(20)}
    schema = {"$ref": "#/$defs/L0", "$defs": {**defs, "L20": BASE}}
    assert drawn(SchemaForm(schema)).types["f-id"] == "text"


def test_names_and_values_can_t_leave_their_attributes() -> None:
    odd = '"><script>alert(1)</script>'
    schema = {
        "type": "object",
        "title": odd,
        "properties": {odd: {"title": odd, "description": odd, "enum": [odd], "default": odd}},
    }
    page = html(SchemaForm(schema)) + html(SchemaForm(schema, QueryDict(json.dumps(odd))))
    assert "<script" not in page
