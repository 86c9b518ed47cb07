"""docs/questions.md has a row for every field that may be said of a question, and none for another."""

from __future__ import annotations

import re

from engine.registry.asking import ASK, QUESTION, SIGNAL
from tests.docs.pages import ROOT, text_of

PAGE = text_of(ROOT / "docs" / "questions.md")


def fields_below(heading: str) -> list[str]:
    """The fields in the first table of the section."""
    section = PAGE.partition(f"\n## {heading}\n")[2]
    assert section, f"docs/questions.md has no section {heading!r}"
    return re.findall(r"(?m)^\| `(\w+)` \|", re.split(r"\n##+ ", section)[0])


def test_every_field_of_an_answer_stands_in_one_of_the_tables() -> None:
    answers, whole = fields_below("Answers: `meta.signals`"), fields_below("The question as a whole: `meta.question`")
    assert sorted(whole) == sorted(QUESTION["properties"])
    assert sorted([*answers, *whole]) == sorted({*SIGNAL["properties"], *QUESTION["properties"]})


def test_every_field_of_code_alone_stands_in_its_table() -> None:
    alone = set(ASK["properties"]) - set(SIGNAL["properties"]) - set(QUESTION["properties"])
    assert sorted(fields_below("Asked in code: `ask`")) == sorted(alone)
