"""docs/lua.md documents every name that Lua code can use, no other; its examples and those of docs/questions.md run."""

from __future__ import annotations

import pytest

from engine.registry.module_names import GLOBALS
from engine.registry.tree import parse
from tests.conformance.kernel_names import kernel_names, plain_lua_names
from tests.conformance.manual import FILE, Part, examples, fences, parts
from tests.conformance.parsing import Case
from tests.conformance.runs import Runs

EXAMPLES = [(case, unit) for case in examples() for unit in case.units]
OURS = frozenset(("require",))
"""Present in each entry's own environment, which `kernel_names` does not see."""


@pytest.mark.asyncio(loop_scope="package")
@pytest.mark.parametrize(("case", "unit"), EXAMPLES, ids=[f"{case.topic.name}[{unit}]" for case, unit in EXAMPLES])
async def test_example(case: Case, unit: str, runs: Runs) -> None:
    wrong = await runs.outcome(case, unit)
    if wrong:
        pytest.fail(wrong, pytrace=False)


def test_every_name_is_documented() -> None:
    documented = {name for part in parts() for name in part.names}
    missing = kernel_names() - plain_lua_names() - documented - GLOBALS - {part.module for part in parts()}
    missing = {name for name in missing if not _is_table(name)}
    told = [f'{FILE} lacks a heading "### `{name}(...)`" in the section of its module' for name in sorted(missing)]
    assert not missing, "\n".join([*told, "with a text, its errors and an example (see tests/conformance/manual.py)"])


def test_no_other_name_is_documented() -> None:
    known = kernel_names() | OURS
    wrong = [
        f"{FILE}:{part.line}: `{name}` does not exist" for part in parts() for name in part.names if name not in known
    ]
    assert not wrong, "\n".join(wrong)


def test_every_module_has_a_section() -> None:
    wanted = {name for name in kernel_names() if "." not in name and ":" not in name} - plain_lua_names() - {"unpack"}
    missing = wanted - {part.module for part in parts()} - GLOBALS
    assert not missing, f"{FILE} lacks the sections " + ", ".join(f'"## `{name}`"' for name in sorted(missing))


def test_every_part_has_an_example() -> None:
    without = [
        f"{FILE}:{part.line}: {part.heading}: add a ```lua example" for part in parts() if not _has_example(part)
    ]
    assert not without, "\n".join(without)


def test_python_examples_run() -> None:
    for fence in fences():
        if fence.language == "python":
            code = compile("\n" * (fence.line - 1) + fence.text, f"docs/{fence.page}", "exec")
            exec(code, {"__name__": "example"})


def test_yaml_examples_are_valid() -> None:
    for fence in fences():
        if fence.language == "yaml":
            tree = parse({"docs/_index.yaml": fence.text})
            problems = [each for each in tree.problems if "no such file" not in each.message]
            assert not problems, f"docs/{fence.page}:{fence.line}: {problems[0]}"


def _is_table(name: str) -> bool:
    return any(other.startswith(f"{name}.") for other in kernel_names())


def _has_example(part: Part) -> bool:
    return any(fence.language in ("lua", "yaml") for fence in part.fences)
