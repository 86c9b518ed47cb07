"""What entries take from the environment."""

from __future__ import annotations

from typing import Any

import pytest

from engine.registry.placeholders import filled

ENVIRON = {"PORT": "90", "NAME": "me", "EMPTY": "", "ON": "true"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${env:NAME}", "me"),
        ("a-${env:NAME}-${env:NONE|b}", "a-me-b"),
        ("${NAME|x}${NONE|y}", "mey"),
        ("${NONE} ${name|x}", "${NONE} ${name|x}"),
        ("$${env:NAME} $${NAME|x}", "${env:NAME} ${NAME|x}"),
        ("${env:PORT|8080}", 90),
        ("${env:NONE|8080}", 8080),
        ("${env:NONE|true}", True),
        ("${env:ON|false}", True),
        ("${env:NONE|1.5}", 1.5),
        ('${env:PORT|"8080"}', "90"),
        ('${env:NONE|"8080"}', "8080"),
        ("port ${env:NONE|8080}", "port 8080"),
        ("${env:NONE|" + "[" * 100_000 + "}", "[" * 100_000),
        ("${env:NONE|" + "1" * 5000 + "}", "1" * 5000),
        ("${env:NONE|null}", "null"),
        ("is ${env:NONE|true}", "is true"),
        ("${env:NONE|}", ""),
        ("${env:EMPTY|x}", ""),
        ("${env:NONE|[1]}", "[1]"),
    ],
)
def test_texts(text: str, value: Any) -> None:
    assert filled(text, ENVIRON) == value
    assert filled({"a": [text]}, ENVIRON) == {"a": [value]}


def test_a_variable_that_is_not_set_raises_or_is_what_the_caller_says() -> None:
    assert filled("${env:NONE}", ENVIRON, missing="") == ""
    with pytest.raises(KeyError, match="NONE"):
        filled("${env:NONE}", ENVIRON)


def test_a_field_names_the_variable_of_another() -> None:
    given = {"key_env": "NAME", "other": "kept", "other_env": "EMPTY", "none_env": "NONE", "odd_env": 5}
    assert filled(given, ENVIRON) == {**given, "key": "me"}
