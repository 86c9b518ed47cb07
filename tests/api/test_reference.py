"""The page of the document."""

from __future__ import annotations

from django.test import Client

from tests.console.operating import Cast
from wippy_console.api import reference, v1


def test_the_page_tells_of_every_operation_and_has_no_code_of_others(cast: Cast, client: Client) -> None:
    assert client.get("/api/docs/").status_code == 302
    client.force_login(cast.viewer)
    answered = client.get("/api/docs/")
    assert answered.status_code == 200
    text = answered.content.decode()
    document = v1.api.get_openapi_schema()
    for methods in document["paths"].values():
        for told in methods.values():
            assert f'id="{told["operationId"]}"' in text
    assert "swagger" not in text and "<style" not in text
    assert client.get("/static/ninja/swagger-ui.css").status_code == 404


def test_an_operation_is_told_with_what_it_takes_answers_and_a_line_to_copy() -> None:
    (start,) = (each for each in reference.operations() if each.name == "runs_start")
    assert (start.method, start.path, start.group) == ("POST", "/api/v1/runs", "runs")
    taken = {value.name: value for value in start.takes}
    assert taken["entry"].required and taken["entry"].where == "body" and "500 characters" in taken["entry"].text
    assert not taken["workflow_id"].required and taken["Idempotency-Key"].where == "header"
    (created,) = start.answers
    assert created.status == "201"
    assert {"run_id", "state.key", "started_at"} <= {value.name for value in created.values}
    assert """--json '{"entry": "…"}'""" in start.curl


def test_every_operation_says_what_it_does() -> None:
    silent = [each.name for each in reference.operations() if not each.title or not each.text]
    assert not silent, f"give these a summary and a docstring: {', '.join(silent)}"


def test_names_of_operations_are_unique() -> None:
    names = [each.name for each in reference.operations()]
    assert len(set(names)) == len(names)
