from __future__ import annotations

from engine.entry import Entry
from engine.registry.imports import cycles, reachable
from engine.registry.problems import Problem, errors_in
from engine.registry.sources import Source
from engine.registry.validate import validate
from tests.engine.registry.checking import entry, function, library, no_check, problems, told, workflow

CLIENT = entry("client", "temporal.client", address="localhost:7233")
HOST = entry("processes", "process.host")
PROCESS = entry("p", "process.lua", source="return {}")


def test_an_import_that_is_missing_names_the_nearest_library() -> None:
    assert told(library("money"), function("f", imports={"m": "app:mony"})) == [
        "app:f imports.m: there is no entry `app:mony` (did you mean `app:money`?)"
    ]


def test_bare_names_stand_in_their_own_namespace() -> None:
    assert told(library("money"), function("f", imports={"m": "money"})) == []
    other = Entry("other:f", "function.lua", {}, {"source": "return {}", "imports": {"m": "money"}})
    assert told(library("money"), other) == ["other:f imports.m: there is no entry `other:money`"]


def test_only_libraries_and_functions_can_be_imported() -> None:
    assert problems(function("f", imports={"g": "g"}), function("g")) == []
    (problem,) = problems(function("f", imports={"g": "g"}), entry("g", "process.lua", source="return {}"))
    allowed = "`function.lua`, `library.lua`, `module.lua`"
    assert problem.message == f"`app:g` is a `process.lua`, and only {allowed} can stand here"


def test_references_must_be_of_the_right_kind() -> None:
    service = entry("s", "process.service", process="processes", host="p")
    assert [each.field for each in problems(HOST, PROCESS, service)] == ["host", "process"]
    worker = entry("w", "temporal.worker", client="processes", task_queue="q")
    assert [each.field for each in problems(HOST, worker)] == ["client"]
    routed = entry("f", "function.lua", {"temporal": {"activity": {"worker": "client"}}}, source="x")
    assert [each.field for each in problems(CLIENT, routed)] == ["meta.temporal.activity.worker"]


def test_dependencies_must_exist_whatever_their_kind() -> None:
    host = entry("h", "process.host", lifecycle={"requires": ["client"], "depends_on": ["app:none"]})
    assert told(CLIENT, host) == ["app:h lifecycle.depends_on.0: there is no entry `app:none`"]
    assert told(entry("x", "registry.entry", {"depends_on": ["ns:wippy.test"]})) == []


def test_an_import_cycle_is_named_once() -> None:
    a, b, c = library("a", imports={"x": "b"}), library("b", imports={"x": "c"}), library("c", imports={"x": "a"})
    assert told(a, b, c) == ["app:a imports: imports itself in a circle: app:a -> app:b -> app:c -> app:a"]
    assert told(library("a", imports={"me": "a"})) == ["app:a imports: imports itself in a circle: app:a -> app:a"]


def test_services_that_wait_for_each_other_are_named() -> None:
    a = entry("a", "process.host", lifecycle={"requires": ["b"]})
    b = entry("b", "process.host", lifecycle={"requires": ["a"]})
    assert told(a, b) == ["app:a lifecycle: waits for itself in a circle: app:a -> app:b -> app:a"]


def test_a_service_that_its_own_host_waits_for_is_a_cycle() -> None:
    host = entry("h", "process.host", host={}, lifecycle={"depends_on": ["s"]})
    service = entry("s", "process.service", process="p", host="h")
    (problem,) = told(host, service, entry("p", "process.lua", source="return {}"))
    assert problem == "app:h lifecycle: waits for itself in a circle: app:h -> app:s -> app:h"


def test_only_what_is_supervised_waits_for_what_its_meta_depends_on() -> None:
    a, b = (entry(name, "function.lua", {"depends_on": [other]}, source="return {}") for name, other in ("ab", "ba"))
    assert told(a, b) == []


def test_a_chain_of_imports_may_be_long() -> None:
    graph = {f"{n:05}": [f"{n + 1:05}"] for n in range(20_000)}
    assert cycles(graph) == []
    assert cycles({**graph, "20000": ["00000"]})[0][:2] == ("00000", "00001")


def test_diamonds_are_no_cycles() -> None:
    assert cycles({"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []}) == []
    assert cycles({"a": ["b"], "b": ["a", "c"], "c": ["b"]}) == [("a", "b"), ("b", "c")]


def test_a_module_that_is_not_here_is_a_warning() -> None:
    (misspelt,) = problems(function("f", modules=["jsn"]))
    assert (misspelt.field, misspelt.hint) == ("modules.0", "did you mean `json`?")
    (foreign,) = problems(function("f", modules=["queue"]))
    assert misspelt.severity == foreign.severity == "warning"
    assert told(function("f", modules=["process", "string", "registry", "events", "env", "security"])) == []


def test_a_workflow_may_use_only_what_replays() -> None:
    assert told(workflow("w", modules=["funcs", "time", "uuid", "crypto", "json", "logger", "workflow"])) == []
    for name in ("registry", "events", "env", "security", "sql"):
        (problem,) = errors_in(problems(workflow("w", modules=[name])))
        assert f"the module `{name}` is not allowed in a workflow" in problem.message


def test_a_library_brings_its_modules_into_the_workflow() -> None:
    settings = library("settings", modules=["env"])
    prices = library("prices", imports={"settings": "settings"})
    assert told(settings, prices, workflow("w", imports={"prices": "prices"})) == [
        "app:w imports.prices: the module `env` is not allowed in a workflow, and `app:prices`, `app:settings` "
        "brings it (call a function that uses it, by funcs.call)"
    ]
    assert told(settings, prices, function("f", imports={"prices": "prices"})) == []


def test_what_is_in_use_can_not_be_deleted() -> None:
    users = [function("f", imports={"m": "money"}), function("g", imports={"x": "money"})]
    assert told(*users, deleted=("app:money",)) == [
        "app:money: can't be deleted: used by app:f (imports.m), app:g (imports.x)"
    ]


def test_untouched_entries_are_not_checked_again_but_what_binds_them_is() -> None:
    odd = function("odd", method="1st", imports={"m": "gone"})
    fine = function("fine")
    found = validate({each.id: each for each in (odd, fine)}, no_check, touched=["app:fine"])
    assert [each.field for each in found] == ["imports.m"]


def test_every_source_goes_through_the_given_check() -> None:
    asked = []

    def check(text: str, chunk: str) -> Source:
        asked.append((text, chunk))
        return Source(Problem("wrong", line=3))

    found = validate({"app:f": function("f"), "app:x": entry("x", "registry.entry", source="no Lua")}, check)
    assert asked == [("return {}", "app:f")]
    assert [(each.entry_id, each.field, each.line) for each in found] == [("app:f", "source", 3)]


def test_wrong_shapes_do_not_confuse_the_whole() -> None:
    odd = entry(
        "o", "workflow.lua", {"signals": 5, "temporal": []}, source=5, modules={"a": 1}, imports=["x"], method={}
    )
    odder = entry("p", "function.lua", source="x", modules=[1, None], imports={"a": None, "": "app:x"})
    assert {each.entry_id for each in problems(odd, odder)} == {"app:o", "app:p"}


def test_the_shortest_way_to_a_library_is_known() -> None:
    entries = {
        each.id: each
        for each in (library("a", imports={"b": "b", "c": "c"}), library("b", imports={"c": "c"}), library("c"))
    }
    assert reachable("app:a", entries)["app:c"] == ("app:a", "app:c")


def test_an_entry_named_only_for_its_order_may_be_missing() -> None:
    (problem,) = problems(entry("x", "registry.entry", {"depends_on": ["gone"]}))
    assert (problem.severity, problem.field) == ("warning", "meta.depends_on.0")
