"""Schemas that would hold up whoever publishes them: all of one entry have one budget."""

from __future__ import annotations

from typing import Any

from engine.bounded import schemas
from engine.check import check_source
from engine.entry import Entry
from engine.registry.problems import errors_in
from engine.registry.validate import MOST_CHECKS, validate

COSTLY = {
    "$defs": {"end": {"type": "string"}}
    | {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}" if n < 20 else "#/$defs/end"}] * 9} for n in range(21)},
    "$ref": "#/$defs/d0",
}


def published(**meta: Any) -> tuple[list[str], int]:
    """Where errors are and what they say, and the checks that it took to find them."""
    entry = Entry("app:x", "workflow.lua", meta, {"source": "return { main = function() end }"})
    with schemas.budget(10**9) as spent:
        found = validate({entry.id: entry}, check_source)
        return [f"{each.field}: {each.message}" for each in errors_in(found)], spent()


def test_many_costly_schemas_cost_no_more_than_one() -> None:
    told, spent = published(signals=[{"topic": f"s{number}", "schema": COSTLY} for number in range(20)])
    assert len(told) == 20 and all("asks for too much work" in each for each in told)
    assert spent <= MOST_CHECKS + 20 * 2


def test_a_schema_that_is_too_large_is_refused_before_it_is_read() -> None:
    large = {"properties": {f"p{number}": {"type": "string"} for number in range(MOST_CHECKS // schemas.PART)}}
    told, spent = published(input_schema=large)
    assert told == ["meta.input_schema: not a usable JSON Schema: the schema asks for too much work on this value"]
    assert spent == 0


def test_large_schemas_within_the_budget_are_taken() -> None:
    def nested(depth: int) -> dict[str, Any]:
        return {"properties": {f"p{n}": nested(depth - 1) for n in range(7)}} if depth else {"type": "string"}

    told, spent = published(input_schema=nested(3), signals=[{"topic": "s", "schema": nested(3)}])
    assert not told and 0 < spent < MOST_CHECKS
