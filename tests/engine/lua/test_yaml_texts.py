"""What `yaml.encode` writes reads back as it was: ends of lines that only Unicode knows, marks, words of YAML."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.lua.services.yaml import decode, encode

ODD = (
    "\x85\u2028\u2029\ufeff\u00a0\t\n\r \x00\x07\x1b\x7f\x80\x9f\ud7ff\ue000\ufffd\uffff\U0001f600"
    ":#-?'\"\\%@`&*!|>{}[],=~ab01.e_+<"
)
MEANING = [
    "null", "~", "yes", "1_000", "0x1", "1e3", "=", "<<", "2001-01-01", "-", "---", "...", "%YAML", "!!str", "on",
    "0b1", "0o7", "1:20", ".inf", "+1", "1.", "", ".5",
]  # fmt: skip
TEXTS = (
    st.text(st.sampled_from(ODD), max_size=12)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
    | st.sampled_from(MEANING)
)


def places(text: str) -> list[Any]:
    return [[text], {text: 1}, {"a": text}, [[text]], {"a": [{text: text}]}, [text * 30], {f"k{text}": {"n": text}}]


@pytest.mark.parametrize("mark", ["\x85", "\u2028", "\u2029", "\ufeff", "\r", "\x00", "\x7f", "\u00a0"])
@pytest.mark.parametrize("text", ["{}", "{}a", "a{}", "a{}b", "a {} b", "a{}\nb", "# {}", "{}{}"])
def test_marks_that_yaml_may_drop_or_turn_into_spaces_come_back(mark: str, text: str) -> None:
    for value in places(text.replace("{}", mark)):
        assert decode(encode(value, 1_000), 1_000) == value


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_every_text_comes_back_wherever_it_stands(text: str) -> None:
    for value in places(text):
        assert decode(encode(value, 1_000), 1_000) == value
