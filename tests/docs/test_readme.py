"""README names every variable and command; pages and files stay as short as they are said to be."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import ROOT, name_of, text_files, text_of

CODE = ROOT / "wippy_console"
_READS = (
    re.compile(
        r"""(?:\benv\.(?:str|int|bool|float|list)\(|\benviron(?:\.get|\.pop|\.setdefault)?[([])["']([A-Z_]+)["']"""
    ),
    re.compile(r'^PARENT = "([A-Z_]+)"', re.MULTILINE),
    re.compile(r"\$\{([A-Z_]+):?-"),
)
"""How Python reads the environment, how it names what it reads, and how scripts do."""
INNER = frozenset(("DJANGO_SETTINGS_MODULE", "TEMPORAL_DEBUG"))
"""Which settings to load, and what tests tell the SDK, are no choices of an operator's."""


def test_the_table_has_every_variable() -> None:
    table = set(re.findall(r"`([A-Z_]+)`", _table()))
    missing = sorted(_variables() - table)
    assert not missing, f"README.md lacks rows for {', '.join(missing)}"


def test_the_table_has_no_other_variable() -> None:
    table = {name for row in _table().splitlines() for name in re.findall(r"`([A-Z_]+)`", row.split("|")[1])}
    unread = sorted(table - _variables())
    assert not unread, f"nothing reads {', '.join(unread)} of README.md"


def test_every_command_is_named() -> None:
    named = set(re.findall(r"`(\w+)`", text_of(ROOT / "README.md")))
    commands = {path.stem for path in (CODE / "management" / "commands").glob("[a-z]*.py")}
    assert not commands - named, f"README.md does not name {', '.join(sorted(commands - named))}"


@pytest.mark.parametrize(
    ("page", "lines"), [("README.md", 120), ("CONTRIBUTING.md", 80), ("docs/architecture.md", 200)]
)
def test_a_page_stays_short(page: str, lines: int) -> None:
    assert text_of(ROOT / page).count("\n") <= lines


def test_files_are_as_short_as_contributing_says() -> None:
    code = [path for path in text_files() if path.suffix in (".py", ".lua") and path.parent.name != "migrations"]
    product = [path for path in code if name_of(path).startswith(("engine/", "wippy_console/"))]
    long = [name_of(path) for path in product if text_of(path).count("\n") > 400]
    assert not long, f"split {', '.join(long)}"


def _variables() -> set[str]:
    texts = [text_of(path) for path in (*CODE.rglob("*.py"), *(ROOT / "scripts").glob("*.sh"))]
    return {name for text in texts for pattern in _READS for name in pattern.findall(text)} - INNER


def _table() -> str:
    return "\n".join(line for line in text_of(ROOT / "README.md").splitlines() if line.startswith("| `"))
