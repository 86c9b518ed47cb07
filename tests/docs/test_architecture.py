"""What docs/architecture.md and docs/temporal.md list is what the code has."""

from __future__ import annotations

import re
import tomllib
from itertools import groupby, pairwise, product
from typing import Any

import grimp
import pytest

from tests.docs.pages import ROOT, line_of, name_of, pages, text_files, text_of

_CLASS = re.compile(r"(?m)^(?:class )?([A-Z]\w+)(?: =|[(:])")
_STEP = re.compile(r"(?:(→|⇢)\s+|(?<=\*\* ))`((?:[\w.-]+/)+[\w.-]+\.\w+)`")
_NAMED = re.compile(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)\b")


def _journeys() -> list[str]:
    """The paragraphs of the section, each of which begins with its name in bold."""
    section = text_of(ROOT / "docs" / "architecture.md").partition("\n## Journeys\n")[2].partition("\n## ")[0]
    return re.findall(r"(?ms)^\*\*.*?(?=^\*\*|\Z)", section)


def test_the_layers_are_those_of_the_contract() -> None:
    layers = [re.split(r"\s{2,}", line)[0] for line in _drawings()[0].splitlines()]
    assert layers == _contracts()[0]["layers"], "draw the layers as the first contract of pyproject.toml has them"


def test_the_layers_within_rooms_are_those_of_the_contracts() -> None:
    drawn = " ".join(_drawings()[1].split())
    for contract in _contracts()[1:]:
        for room in contract.get("containers", ()):
            layers = f"{room} {' > '.join(contract['layers'])}"
            assert layers in drawn, f"draw in docs/architecture.md, as pyproject.toml has it: {layers}"


def test_every_room_of_the_engine_has_its_place_in_the_contract() -> None:
    placed = {name for line in _contracts()[0]["layers"] for name in line.split(" | ")}
    rooms = {path.stem for path in (ROOT / "engine").iterdir() if path.name[0] not in "_."}
    assert placed == {"wippy_console", *(f"engine.{room}" for room in rooms)}


def test_every_class_exists() -> None:
    known = {name for path in text_files() if path.suffix == ".py" for name in _CLASS.findall(text_of(path))}
    wrong = [
        f"{name_of(page)}:{line_of(text_of(page), match.start())}: there is no class {match[1]}"
        for page in pages()
        if page.name in ("architecture.md", "fleet.md", "pitfalls.md", "CONTRIBUTING.md", "events.md")
        for match in _NAMED.finditer(text_of(page))
        if match[1] not in known
    ]
    assert not wrong, "\n".join(wrong)


def test_every_header_is_told() -> None:
    code = text_of(ROOT / "engine" / "hosts" / "temporal" / "wire" / "headers.py")
    names = set(re.findall(r'(?m)^[A-Z]+ = "([a-z.-]+)"', code))
    told = set(re.findall(r"`([a-z.-]+)`", text_of(ROOT / "docs" / "temporal.md")))
    assert names and not names - told, f"docs/temporal.md does not tell of {', '.join(sorted(names - told))}"


def test_all_nine_journeys_are_told() -> None:
    assert len(_journeys()) == 9


@pytest.mark.parametrize("journey", [pytest.param(each, id=each.split("**")[1]) for each in _journeys()])
def test_a_journey_enters_each_room_once(journey: str) -> None:
    rooms = [room for _, room, _ in _entered(journey)]
    twice = sorted(room for room in set(rooms) if rooms.count(room) > 1)
    assert len(rooms) > 1 and not twice, f"{', '.join(twice)}: entered twice"


@pytest.mark.parametrize("journey", [pytest.param(each, id=each.split("**")[1]) for each in _journeys()])
def test_an_arrow_into_another_room_is_an_import(journey: str, imports: grimp.ImportGraph) -> None:
    wrong = [
        f"{here} → {there}"
        for (_, here, from_files), (arrow, there, to_files) in pairwise(_entered(journey))
        if arrow == "→" and not _joined(imports, from_files, to_files)
    ]
    assert not wrong, f"no file named here imports one named there, nor the reverse: {', '.join(wrong)}"


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    """All imports among the modules of the engine and of the console."""
    return grimp.build_graph("engine", "wippy_console", cache_dir=None)


def _entered(journey: str) -> list[tuple[str, str, list[str]]]:
    """The rooms on the way: the arrow that leads into each, its folder, and the files named there."""
    steps = _STEP.findall(journey)
    rooms = []
    for room, group in groupby(steps, key=lambda step: step[1].rpartition("/")[0]):
        found = list(group)
        rooms.append((found[0][0], room, [path for _, path in found]))
    return rooms


def _joined(imports: grimp.ImportGraph, some: list[str], others: list[str]) -> bool:
    pairs = [pair for here, there in product(some, others) for pair in ((here, there), (there, here))]
    return any(_imports(imports, importer, imported) for importer, imported in pairs)


def _imports(imports: grimp.ImportGraph, importer: str, imported: str) -> bool:
    """Whether the one file imports the other, or what its package shows of it."""
    name = imported.removesuffix(".py").replace("/", ".")
    found = imports.find_modules_directly_imported_by(importer.removesuffix(".py").replace("/", "."))
    package = name.rpartition(".")[0]
    shown = package in found and imports.direct_import_exists(importer=package, imported=name)
    return name in found or shown


def _contracts() -> list[dict[str, Any]]:
    contracts: list[dict[str, Any]] = tomllib.loads(text_of(ROOT / "pyproject.toml"))["tool"]["importlinter"][
        "contracts"
    ]
    return contracts


def _drawings() -> list[str]:
    return re.findall(r"(?ms)^```\n(.*?)^```", text_of(ROOT / "docs" / "architecture.md"))
