"""What `json` and `base64` tell of a slip, and what runs begun before were told."""

from __future__ import annotations

from typing import Any

import pytest

from engine.steps import KERNEL
from engine.testing import Driver


def told(body: str, kernel: int = KERNEL) -> Any:
    driver = Driver.of_source(
        f"return {{main = function() local _, err = {body} return err and err:message() end}}", kernel=kernel
    )
    return driver.value


def test_a_validation_without_data_says_that_it_is_required() -> None:
    assert told("json.validate({type = 'object'})") == "json.validate: data is required"
    assert told("json.validate({type = 'object'}, nil)") == "$: None is not of type 'object'"
    assert told("json.validate({type = 'null'}, nil)") is None
    assert told("json.validate({type = 'null'})", kernel=1) is None


@pytest.mark.parametrize("kernel", [1, 2])
def test_of_errors_in_a_schema_the_same_is_told_whatever_the_order_of_a_table(kernel: int) -> None:
    names = ("alpha", "beta", "gamma", "delta", "zeta")
    broken = ", ".join(f"{name} = {{type = '{name}'}}" for name in names)
    found = {told(f"json.validate({{properties = {{{broken}}}}}, 1)", kernel=kernel) for _ in range(8)}
    assert found == {"json.validate: bad schema: 'alpha' is not valid under any of the given schemas"}
    keywords = "enum = {1}, const = 2, minProperties = 5, maxProperties = 0, maxLength = 1"
    assert len({told(f"json.validate({{{keywords}}}, {{a = 1, b = 2}})", kernel=kernel) for _ in range(8)}) == 1


@pytest.mark.parametrize(("text", "at"), [("SGV?bG8=", 3), ("SGVsbG8", 7), ("=", 1), ("SGVs\\nb-8=", 6)])
def test_bad_base64_names_the_first_byte_that_is_wrong(text: str, at: int) -> None:
    assert told(f"base64.decode('{text}')") == f"base64.decode: illegal base64 data at input byte {at}"


def test_runs_begun_before_are_told_of_bad_base64_as_before() -> None:
    assert "illegal" not in told("base64.decode('SGV?bG8=')", kernel=1)
