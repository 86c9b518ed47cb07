"""docs/conformance.md tells what is tested, now and in whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.parsing import CaseError, cases, parse
from tests.conformance.sections import PYTHON, SECTIONS
from tests.conformance.table import PAGE, page

ROOT = Path(__file__).parents[2]
HEAD = "--- 5.1 Send\nlocal M = {}\n"


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text("utf-8") == page(), "stale: run `python -m tests.conformance.table` and commit the page"


def test_every_section_is_tested() -> None:
    assert set(SECTIONS) == set(PYTHON) | {case.topic.section for case in cases()}


def test_the_python_tests_that_it_names_exist() -> None:
    missing = [path for modules in PYTHON.values() for path in modules if not (ROOT / path).is_file()]
    assert not missing


def test_a_case_reads_as_it_is_written() -> None:
    text = f"{HEAD}-- on: function process\n-- modules: time funcs\n--- It is\n--- kept\nfunction M.kept(env)\nend\n"
    (case,) = parse("s05_send", text)
    assert (case.units, case.modules, case.behaviour) == (("function", "process"), ("time", "funcs"), "It is kept")
    assert (case.topic.part, case.topic.title, case.line) == ("5.1", "Send", 7)
    assert case.entry_id("process") == "conf.s05_send:kept.process"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("send", HEAD, ":1: a case file is called"),
        ("s06_send", HEAD, ":1: the first line must be"),
        ("s05_send", HEAD, ":1: holds no"),
        ("s05_send", f"{HEAD}function M.kept()\nend", ":3: say above `kept`"),
        ("s05_send", f"{HEAD}-- on: actor\n--- It is\nfunction M.kept()\nend", ":5: `on:` names some of"),
    ],
)
def test_a_badly_written_file_is_refused(name: str, text: str, message: str) -> None:
    with pytest.raises(CaseError, match=r"tests/conformance/cases/\w+\.lua") as caught:
        parse(name, text)
    assert message in str(caught.value)
