from __future__ import annotations

from typing import Any

import pytest

from engine.entry import Entry
from engine.registry import fields, kinds
from engine.registry.problems import Problem, errors_in, warnings_in
from tests.engine.registry.checking import entry, function, problems, told, workflow

CLIENT = entry("client", "temporal.client", address="localhost:7233")
HOST = entry("processes", "process.host")


def signal(**fields: Any) -> Entry:
    return workflow("w", {"signals": [{"topic": "decision", **fields}]})


def test_every_known_kind_passes_without_a_word() -> None:
    body = {"source": "return {}"}
    for kind in sorted(kinds.LUA):
        assert told(Entry("app:x", kind, {}, body)) == []
    for kind in ("registry.entry", "contract.binding", "terminal.host", "function.lua.bc"):
        assert told(Entry("app:x", kind, {}, {"anything": [1]})) == []


FOREIGN = ["http.static", "sql.database", "store.kv.raft", "ns.dependency", "exec.native", "s3", "banana.lua"]


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_foreign_kind_is_kept_with_a_warning(kind: str) -> None:
    (problem,) = problems(entry("x", kind, whatever=1))
    assert problem.severity == "warning"
    assert kind in problem.message


@pytest.mark.parametrize(
    ("kind", "meant"),
    [("functon.lua", "function.lua"), ("workflow.lau", "workflow.lua"), ("proces.host", "process.host"),
     ("temporal.workers", "temporal.worker"), ("Function.lua", "function.lua"), ("libary.lua", "library.lua")],
)  # fmt: skip
def test_a_kind_that_looks_misspelt_loads_with_a_warning_that_names_the_one_meant(kind: str, meant: str) -> None:
    (problem,) = problems(entry("x", kind))
    assert problem.severity == "warning"
    assert f"did you mean `{meant}`?" in str(problem)


@pytest.mark.parametrize("kind", ["", "a b", ".lua", "x..y", "x\n"])
def test_a_malformed_kind_is_an_error(kind: str) -> None:
    assert errors_in(problems(entry("x", kind)))


@pytest.mark.parametrize("entry_id", ["x", ":x", "app:", "a b:c", "app:a:b", "app:x y", "app:" + "x" * 500])
def test_an_id_must_be_namespace_and_name(entry_id: str) -> None:
    assert errors_in(problems(Entry(entry_id, "registry.entry")))


def test_bad_fields_are_named_with_what_they_may_be() -> None:
    bad = entry(
        "s", "process.service", process=5, host="processes", lifecycle={"startup": "optionl", "auto_start": "yes"}
    )
    assert told(HOST, bad) == [
        'app:s lifecycle.auto_start: must be true or false, not "yes"',
        'app:s lifecycle.startup: must be one of `required`, `optional`, not "optionl" (did you mean `optional`?)',
        "app:s process: must be text, not 5",
    ]


def test_a_missing_field_is_named() -> None:
    assert told(entry("w", "temporal.worker")) == ["app:w client: is missing", "app:w task_queue: is missing"]
    assert told(entry("f", "function.lua")) == ["app:f source: is missing"]


def test_an_unknown_field_is_a_warning_that_names_the_one_meant() -> None:
    (problem,) = problems(function("f", metod="run"))
    assert problem.severity == "warning"
    assert problem.hint == "did you mean `method`?"
    (inner,) = warnings_in(problems(entry("h", "process.host", lifecycle={"auto_strat": True})))
    assert inner.field == "lifecycle.auto_strat"


def test_unknown_worker_options_pass_unless_they_look_like_slips() -> None:
    def worker(**options: Any) -> Entry:
        return entry("w", "temporal.worker", client="client", task_queue="q", worker_options=options)

    assert told(CLIENT, worker(some_future_option=1)) == []
    (problem,) = problems(CLIENT, worker(identiti="x"))
    assert "did you mean `identity`?" in str(problem)


@pytest.mark.parametrize("value", ["10s", "1h30m", "500ms", "1.5s", 1500, "${env:STOP_TIMEOUT}"])
def test_a_duration_is_go_text_or_a_number(value: Any) -> None:
    assert told(entry("h", "process.host", lifecycle={"stop_timeout": value})) == []


@pytest.mark.parametrize("value", ["10", "ten seconds", "-5s", -1, True, []])
def test_anything_else_is_no_duration(value: Any) -> None:
    (problem,) = problems(entry("h", "process.host", lifecycle={"stop_timeout": value}))
    assert problem.field == "lifecycle.stop_timeout"


def test_a_client_needs_neither_address_nor_namespace() -> None:
    assert told(entry("c", "temporal.client")) == []


def test_placeholders_stand_for_text() -> None:
    client = entry("c", "temporal.client", address="${env:HOST}:${env:PORT}", auth={"type": "${env:AUTH}"})
    assert told(client) == []
    assert errors_in(problems(entry("c", "temporal.client", address="${env:}")))
    assert errors_in(problems(entry("c", "temporal.client", address="${env:A B}")))


def test_credentials_must_be_complete() -> None:
    def client(**auth: Any) -> Entry:
        return entry("c", "temporal.client", address="x:1", auth=auth)

    assert told(client(type="api_key", api_key="${env:KEY}")) == []
    assert told(client(type="mtls", cert_file="a", key_file="b")) == []
    assert told(client(type="api_key")) == [
        "app:c auth: needs `api_key` or `api_key_file` or `api_key_env` or `value_from_env`"
    ]
    assert told(client(type="mtls", cert_file="a")) == ["app:c auth: needs `key_file` or `key_pem` or `key_pem_env`"]
    assert told(client(type="mtls", cert_pem="a", key_pem_env="KEY")) == []
    assert told(client(type="api_key", value_from_env="KEY")) == []


def test_a_placeholder_with_a_typed_default_stands_for_a_number() -> None:
    def found(**options: Any) -> list[Problem]:
        return list(fields.check(entry("w", "temporal.worker", client="c", task_queue="q", worker_options=options)))

    assert not found(max_concurrent_activity_execution_size="${env:SLOTS|100}", identity="", build_id_env="B")
    assert not found(identity="${HOSTNAME|me}-$${x}", use_versioning="${env:V|false}")
    (problem,) = found(max_concurrent_activity_execution_size="${env:SLOTS|true}")
    assert problem.field == "worker_options.max_concurrent_activity_execution_size"
    assert not problems(entry("h", "process.host", host={"workers": "${env:N|4}"}))
    (problem,) = problems(entry("h", "process.host", host={"workers": "${env:N|true}"}))
    assert problem.field == "host.workers"
    (problem,) = problems(entry("h", "process.host", host={"workers": "${env:N}"}))
    assert problem.hint == "give the placeholder a default of that type, as in `${env:NAME|8}`"


def test_a_default_must_be_what_its_field_takes() -> None:
    def found(timeout: str) -> list[str]:
        return told(entry("h", "process.host", lifecycle={"stop_timeout": timeout}))

    assert found("${env:T|5s}") == found("${env:T}") == found("${env:T|}") == found("${env:A|1}${env:B|s}") == []
    assert found("${env:T|abc}") == [
        'app:h lifecycle.stop_timeout: must be a duration such as "500ms", "30s" or "1h30m", not "abc"'
    ]


@pytest.mark.parametrize("method", ["", "a b", "end", "1st", "a.b", 5, "${env:METHOD}", "${env:METHOD|1}"])
def test_a_method_is_a_name_that_lua_can_hold(method: Any) -> None:
    (problem,) = problems(function("f", method=method))
    assert problem.field == "method"


def test_a_signal_with_all_its_fields_passes() -> None:
    complete = signal(
        label="Approve", payload={"approved": True}, schema={"type": "object"}, role="approvers", reason="required",
        tone="positive", description="Lets the order go.",
    )  # fmt: skip
    assert told(complete) == []


@pytest.mark.parametrize(
    ("fields", "where"),
    [({"tone": "angry"}, "tone"), ({"reason": "maybe"}, "reason"), ({"topic": ""}, "topic"), ({"topic": "@x"}, "topic"),
     ({"label": 5}, "label"), ({"role": []}, "role"), ({"schema": {"type": "objekt"}}, "schema"),
     ({"schema": 1}, "schema"), ({"schema": {"pattern": "("}}, "schema"),
     ({"schema": {"$ref": "https://example.com/s"}}, "schema"),
     ({"schema": {"$ref": "#/$defs/none"}}, "schema"), ({"schema": {"$ref": "#"}}, "schema")],
)  # fmt: skip
def test_a_signal_is_refused_field_by_field(fields: dict[str, Any], where: str) -> None:
    assert [each.field for each in problems(signal(**fields))] == [f"meta.signals.0.{where}"]


def test_a_schema_may_refer_to_its_own_parts() -> None:
    tree = {
        "$ref": "#/$defs/node",
        "$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}},
    }
    assert told(signal(schema=tree)) == []


def test_signals_that_nobody_asks_for_are_a_warning() -> None:
    meta = {"signals": [{"topic": "t"}]}
    assert problems(entry("f", "function.lua", meta, source="return {}"))[0].severity == "warning"


def test_an_input_schema_must_be_one() -> None:
    assert problems(workflow("w", {"input_schema": {"type": 5}}))[0].field == "meta.input_schema"
    assert told(workflow("w", {"input_schema": {"type": "object"}, "free": {"as": ["air"]}})) == []


@pytest.mark.parametrize(
    "value", ["a\0b", "\ud800", 2**63, float("inf"), float("nan"), {1: "x"}, {"\0": 1}, object(), b"x"]
)
def test_what_no_database_can_hold_is_refused(value: Any) -> None:
    assert errors_in(problems(entry("x", "registry.entry", value=value)))


def test_values_nested_without_end_are_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert errors_in(problems(entry("x", "registry.entry", value=endless)))


def test_a_nul_in_lua_names_its_line() -> None:
    (problem,) = problems(entry("l", "library.lua", source="local a\nlocal b = '\0'"))
    assert (problem.field, problem.line) == ("source", 2)


def test_a_placeholder_where_it_stays_literal_is_a_warning() -> None:
    meta = {"temporal": {"workflow": {"name": "${env:NAME}"}}}
    (problem,) = problems(entry("w", "workflow.lua", meta, source="return {}"))
    assert (problem.severity, problem.field) == ("warning", "meta.temporal.workflow.name")
    assert "stays as it is written" in problem.message


@pytest.mark.parametrize(
    ("kind", "data", "field"),
    [
        ("temporal.worker", {"client": "client", "task_queue": "${env:QUEUE}"}, "task_queue"),
        ("temporal.client", {"address": "${env:ADDRESS}", "tq_prefix": "${env:STAGE}-"}, "tq_prefix"),
    ],
)
def test_a_placeholder_in_the_name_of_a_queue_is_a_warning(kind: str, data: dict[str, str], field: str) -> None:
    [problem] = fields.check(Entry("app:x", kind, {}, data))
    assert (problem.severity, problem.field) == ("warning", field)


COMPLETE = {
    "users": ["ann"],
    "via": "update",
    "quorum": {"approve": 2, "reject": 1, "of": ["finance", "ann"], "self": False},
    "payload": {"approved": True},
    "default": True,
    "due": "4h",
    "priority": 70,
    "assign": "$.order.manager",
    "follow_up": "1d",
    "escalate": {"after": "4h", "to": "directors"},
    "lapse": 3_600_000,
    "guest": "$.customer.email",
    "notify": [{"who": ["starter", "finance"], "when": ["asked", "overdue"], "how": ["email"]}],
}


def test_what_a_question_may_have_passes_at_a_signal_and_at_the_question() -> None:
    assert told(signal(**COMPLETE)) == []
    names = ("due", "priority", "assign", "follow_up", "escalate", "lapse", "guest", "notify")
    question = {"title": "Refund", "text": "Pay {amount}?", **{name: COMPLETE[name] for name in names}}
    people = {"search": ["customer", "order.id"], "mask": ["card.number"], "summary": "{order.id}"}
    notify = {"who": ["ops"], "when": ["failed"], "how": ["chat"]}
    assert told(workflow("w", {"question": question, "notify": notify, **people})) == []
    assert told(workflow("w", {"question": "Pay {amount}?"})) == []


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"via": "mail"}, 'via: must be one of `signal`, `update`, not "mail"'),
        ({"quorum": {"approve": 0}}, "quorum.approve: must be at least 1, not 0"),
        ({"quorum": {"approve": 2}, "payload": "yes"},
         "payload: must be a mapping: the votes of the quorum are put into it"),
        ({"quorum": {"reject": 1}}, "quorum.approve: is missing"),
        ({"due": "soon"}, 'due: must be a duration such as "30m", "24h" or "7d", not "soon"'),
        ({"due": 0}, "due: must be more than 0, not 0"),
        ({"lapse": "0s"}, 'lapse: must be a duration such as "30m", "24h" or "7d", not "0s"'),
        ({"follow_up": 10**13},
         "follow_up: must be at most 9000000000000, not 10000000000000 (a number is milliseconds)"),
        ({"default": True}, "default: needs `due`: the time at which this answer is given"),
        ({"assign": "manager"},
         'assign: must be a path into the first argument such as "$.customer.email", not "manager"'),
        ({"guest": "$."}, 'guest: must be a path into the first argument such as "$.customer.email", not "$."'),
        ({"escalate": {"after": "4h"}}, "escalate.to: is missing"),
        ({"priority": 101}, "priority: must be at most 100, not 101"),
        ({"users": ["ann", 5]}, "users.1: must be text, not 5"),
        ({"notify": {"how": ["fax"]}},
         'notify.how.0: must be one of `email`, `webhook`, `chat`, `browser`, not "fax"'),
        ({"notify": [{"when": ["never"]}]},
         "notify.0.when.0: must be one of `asked`, `due_soon`, `overdue`, `escalated`, `failed`, `exit`, "
         'not "never"'),
    ],
)  # fmt: skip
def test_what_a_signal_says_of_its_question_is_refused_in_words(fields: dict[str, Any], wrong: str) -> None:
    assert told(signal(**fields)) == [f"app:w meta.signals.0.{wrong}"]


def test_an_unknown_field_of_a_question_is_a_warning() -> None:
    (problem,) = problems(workflow("w", {"question": {"prioritty": 5}}))
    assert (problem.field, problem.severity) == ("meta.question.prioritty", "warning")
    assert problem.hint == "did you mean `priority`?"


def test_one_answer_of_a_topic_is_the_default_and_something_is_due() -> None:
    def asked(question: Any, *topics: str) -> list[str]:
        return told(workflow("w", {"question": question, "signals": [{"topic": t, "default": True} for t in topics]}))

    assert asked({"due": "4h"}, "first", "second") == []
    assert asked({"due": "4h"}, "first", "first") == [
        "app:w meta.signals: 2 answers of the topic `first` have `default: true`, and only one can be given"
    ]


def test_a_masked_path_that_another_field_would_show_is_a_warning() -> None:
    meta = {
        "mask": ["card", "$.to.iban", "a..b"],
        "search": ["card.number", "id"],
        "summary": "{to.iban} {to.name} {id}",
    }
    found = [(each.field, each.severity, each.message.partition(" ")[0]) for each in problems(workflow("w", meta))]
    assert found == [
        ("meta.mask", "warning", "`a..b`"),
        ("meta.search", "warning", "`card.number`"),
        ("meta.summary", "warning", "`to.iban`"),
    ]
    assert not problems(workflow("w", {"mask": ["$"]}))


def test_what_is_of_people_is_free_where_nothing_runs() -> None:
    assert told(entry("x", "registry.entry", {"search": 5, "notify": "x", "mask": 1, "summary": []})) == []
    assert [each.field for each in problems(workflow("w", {"search": "customer", "notify": "me", "summary": 5}))] == [
        "meta.notify", "meta.search", "meta.summary",
    ]  # fmt: skip
    (problem,) = problems(Entry("app:f", "function.lua", {"question": "Go?"}, {"source": "return {}"}))
    assert (problem.field, problem.severity) == ("meta.question", "warning")


def test_a_schema_that_takes_too_long_to_apply_is_refused() -> None:
    schema: dict[str, Any] = {"$ref": "#/$defs/d0", "$defs": {"d40": {"type": "string"}}}
    for n in range(40):
        schema["$defs"][f"d{n}"] = {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2}
    (problem,) = problems(signal(schema=schema))
    assert problem.field == "meta.signals.0.schema"
    assert "too much work" in problem.message


def kept_in(**names: Any) -> list[Problem]:
    """What is wrong with the names of a store's table."""
    store = Entry("app:x", "store.sql", {}, {"database": "app:db", **names})
    return [each for each in problems(store, entry("db", "db.sql.sqlite", file="a.db")) if each.entry_id == "app:x"]


@pytest.mark.parametrize("field", ["table_name", "id_column_name", "payload_column_name", "expire_column_name"])
@pytest.mark.parametrize("name", ["", "a b", 'a"', "a;", "1a", "a-b", "a.b.c", "x" * 64, "é", 7])
def test_tables_and_columns_of_stores_are_plain_names(field: str, name: Any) -> None:
    (problem,) = kept_in(**{field: name})
    assert (problem.field, problem.severity) == (field, "error")


def test_a_table_of_a_store_may_stand_in_a_schema() -> None:
    assert kept_in(table_name="Shop.kv_1", id_column_name="_id", cleanup_interval="10m") == []
