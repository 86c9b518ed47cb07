"""Policies, token stores and the security of services, as they are checked when they are published."""

from __future__ import annotations

from typing import Any

import pytest

from engine.entry import Entry
from engine.registry.guarded import forbidden_to_lua
from engine.registry.problems import errors_in
from tests.engine.registry.checking import entry, found, index, problems, told

SERVICE: dict[str, Any] = {"process": "p", "host": "h"}
PROCESS = entry("p", "process.lua", source="return {}")
HOST = entry("h", "process.host")
READERS = entry(
    "readers", "security.policy", policy={"actions": "*.read", "resources": "*", "effect": "allow"}, groups=["staff"]
)


def test_a_broken_policy_is_told_with_field_and_line() -> None:
    text = """
  - name: p
    kind: security.policy
    policy:
      actions: "*"
      resources: "*"
      effect: permit
      conditions:
        - field: actor.id
          operator: equals
          value: x
"""
    assert found(index(text)) == [
        '_index.yaml:9: app:p policy.effect: must be one of `allow`, `deny`, not "permit"',
        "_index.yaml:12: app:p policy.conditions.0.operator: must be one of `eq`, `ne`, `lt`, `gt`, `lte`, `gte`, "
        '`in`, `nin`, `exists`, `nexists`, `contains`, `ncontains`, `matches`, `nmatches`, not "equals"',
    ]


@pytest.mark.parametrize(
    ("condition", "field"),
    [
        ({"field": "user.id", "operator": "eq", "value": 1}, "policy.conditions.0.field"),
        ({"field": "action", "operator": "matches", "value": "("}, "policy.conditions.0.value"),
        ({"field": "action", "operator": "in", "value": "x"}, "policy.conditions.0.value"),
        ({"field": "action", "operator": "eq"}, "policy.conditions.0"),
    ],
)
def test_what_a_condition_can_not_mean_is_told(condition: dict[str, Any], field: str) -> None:
    policy = {"actions": "*", "resources": "*", "effect": "allow", "conditions": [condition]}
    (problem,) = problems(entry("p", "security.policy", policy=policy))
    assert (problem.field, problem.severity) == (field, "error")


def test_an_expression_is_checked() -> None:
    policy = {"actions": "*", "resources": "*", "effect": "allow"}
    assert [each.field for each in problems(entry("e", "security.policy.expr", policy=policy))] == ["policy.expression"]
    good = entry("e", "security.policy.expr", policy={**policy, "expression": 'actor.id == "x"'})
    assert told(good) == []
    bad = entry("e", "security.policy.expr", policy={**policy, "expression": "__import__('os')"})
    assert [each.field for each in problems(bad)] == ["policy.expression"]


def test_a_token_store_is_checked() -> None:
    assert told(entry("t", "security.token_store", default_expiration="7d", token_key="${env:KEY}")) == []
    bad = entry("t", "security.token_store", token_length=4, default_expiration="soon", token_key="${env:", store="no")
    fields = [each.field for each in errors_in(problems(bad))]
    assert fields == ["default_expiration", "store", "token_key", "token_length"]


def test_a_service_names_policies_and_groups_that_exist() -> None:
    security = {"actor": {"id": "service:s"}, "policies": ["readers"], "groups": ["staff", "app:staff"]}
    assert (
        told(READERS, HOST, PROCESS, entry("s", "process.service", **SERVICE, lifecycle={"security": security})) == []
    )
    wrong = {"actor": {"meta": {}}, "policies": ["reader", "p"], "groups": ["stuff"]}
    service = entry("s", "process.service", **SERVICE, lifecycle={"security": wrong})
    assert told(READERS, HOST, PROCESS, service) == [
        "app:s lifecycle.security.actor.id: is missing",
        "app:s lifecycle.security.groups.0: no policy is of the group `stuff` (did you mean `app:staff`?)",
        "app:s lifecycle.security.policies.0: there is no entry `app:reader` (did you mean `app:readers`?)",
        "app:s lifecycle.security.policies.1: `app:p` is a `process.lua`, and only `security.policy`, "
        "`security.policy.expr` can stand here",
    ]


def test_functions_and_processes_name_policies_and_groups_that_exist() -> None:
    for kind in ("function.lua", "process.lua"):
        wrong = {"actor": {"id": "a"}, "policies": ["reader"], "groups": ["stuff"]}
        assert [each.field for each in problems(READERS, entry("x", kind, source="return {}", security=wrong))] == [
            "security.groups.0",
            "security.policies.0",
        ]
        right = {"actor": {"id": "a", "meta": {"role": "x"}}, "policies": ["readers"], "groups": ["staff"]}
        assert told(READERS, entry("x", kind, source="return {}", security=right)) == []
    (problem,) = problems(entry("w", "workflow.lua", source="return {}", security={"policies": ["gone"]}))
    assert problem.severity == "warning" and "has no effect" in problem.message


@pytest.mark.parametrize("kind", ["function.lua", "process.lua", "process.service"])
def test_code_can_not_publish_who_it_runs_as(kind: str) -> None:
    block = {"policies": ["readers"]}
    own = {"lifecycle": {"security": block}} if kind == "process.service" else {"security": block}
    acting = entry("x", kind, source="return {}", **own)
    plain = entry("x", kind, source="return {}")
    changes: list[tuple[dict[str, Entry], dict[str, Entry]]] = [
        ({}, {"app:x": acting}),
        ({"app:x": acting}, {}),
        ({"app:x": acting}, {"app:x": plain}),
    ]
    for before, after in changes:
        assert forbidden_to_lua(["app:x"], before, after, ()) == ["app:x"]
    assert forbidden_to_lua(["app:x"], {}, {"app:x": plain}, ()) == []


def test_code_can_not_open_doors_to_other_systems() -> None:
    def flow(*webhooks: str, source: str = "return {}") -> Entry:
        listed = [{"path": path, "starts": True, "auth": "none"} for path in webhooks]
        return entry("x", "workflow.lua", {"webhooks": listed} if listed else {}, source=source)

    def forbidden(before: Entry | None, after: Entry | None, *allowed: str) -> bool:
        old, new = ({each.id: each} if each else {} for each in (before, after))
        return forbidden_to_lua(["app:x"], old, new, allowed) == ["app:x"]

    for kind in ("http.endpoint", "http.router"):
        is_open, closed = entry("x", kind, auth="none"), entry("x", kind, auth={"token": {"secret_env": "KEY"}})
        assert forbidden(None, is_open) and forbidden(closed, is_open) and not forbidden(None, is_open, kind)
        assert not forbidden(is_open, None)
    assert forbidden(None, flow("/a")) and forbidden(flow(), flow("/a")) and forbidden(flow("/a"), flow("/b"))
    assert not forbidden(flow("/a"), flow("/a", source="return {1}")) and not forbidden(flow("/a"), flow())
    assert not forbidden(flow(), flow("/a"), "workflow.lua") and not forbidden(None, flow())


def test_a_policy_that_a_service_uses_can_not_be_deleted() -> None:
    service = entry("s", "process.service", **SERVICE, lifecycle={"security": {"policies": ["readers"]}})
    (problem,) = problems(HOST, PROCESS, service, deleted=("app:readers",))
    assert problem.message == "can't be deleted: used by app:s (lifecycle.security.policies.0)"


def test_a_policy_is_nothing_that_a_service_waits_for() -> None:
    service = entry("s", "process.service", **SERVICE, lifecycle={"security": {"policies": ["readers"]}})
    back = entry("readers", "security.policy", {"depends_on": ["s"]}, policy=READERS.data["policy"])
    assert told(HOST, PROCESS, service, back) == []


def test_security_is_not_for_workflows() -> None:
    (problem,) = problems(entry("w", "workflow.lua", source="return {}", modules=["security"]))
    assert (problem.field, problem.message) == ("modules.0", "the module `security` is not allowed in a workflow")
