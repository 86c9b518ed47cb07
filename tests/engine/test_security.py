"""Evaluation of policies: what a scope says of an action."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.bounded.globs import glob
from engine.security.conditions import BadPolicyError, Request
from engine.security.context import Actor, Policy, Security, evaluate, is_permitted
from engine.security.rules import ALLOW, DENY, UNDEFINED, Rule
from engine.testing import Driver, program_of

ALICE = Actor("user:alice", {"role": "editor", "clearance": 2, "team": {"name": "blue"}, "tags": ["a", "b"]})


def policy(effect: str = ALLOW, actions: Any = "*", resources: Any = "*", **rest: Any) -> Policy:
    return Policy("t:p", {"actions": actions, "resources": resources, "effect": effect, **rest})


def request(action: str = "doc.read", resource: str = "document:1", **meta: Any) -> Request:
    return Request(ALICE.to_json(), action, resource, meta)


def holds(field: str, operator: str, value: Any = None, **meta: Any) -> bool:
    condition = {"field": field, "operator": operator, "value": value}
    return evaluate([policy(conditions=[condition])], request(**meta)) == ALLOW


VERDICTS = {
    ALLOW: policy(),
    DENY: policy(DENY),
    UNDEFINED: policy(actions="never"),
}


@given(st.lists(st.sampled_from(sorted(VERDICTS))), st.randoms())
def test_deny_wins_over_allow_over_nothing_in_any_order(kinds: list[str], random: Any) -> None:
    wanted = DENY if DENY in kinds else ALLOW if ALLOW in kinds else UNDEFINED
    policies = [VERDICTS[kind] for kind in kinds]
    assert evaluate(policies, request()) == wanted
    random.shuffle(policies)
    assert evaluate(policies, request()) == wanted


@given(st.lists(st.sampled_from([ALLOW, DENY, UNDEFINED])))
def test_an_unknown_or_unreadable_policy_makes_a_scope_grant_nothing(kinds: list[str]) -> None:
    for broken in (Policy("t:gone"), Policy("t:odd", {"effect": "allow"})):
        scope = (*(VERDICTS[kind] for kind in kinds), broken)
        assert not is_permitted(Security(ALICE, scope), False, "a", "b")


@given(st.text(alphabet="ab*", max_size=8), st.text(alphabet="ab", max_size=10))
def test_a_star_stands_for_any_text(pattern: str, text: str) -> None:
    def slow(p: str, t: str) -> bool:
        if not p:
            return not t
        if p[0] == "*":
            return slow(p[1:], t) or (bool(t) and slow(p, t[1:]))
        return bool(t) and p[0] == t[0] and slow(p[1:], t[1:])

    assert glob(pattern, text) == slow(pattern, text)


def test_actions_and_resources_are_one_pattern_or_several() -> None:
    reading = policy(actions=["*.read", "*.get"], resources="document:*")
    assert evaluate([reading], request("doc.get")) == ALLOW
    assert evaluate([reading], request("doc.write")) == UNDEFINED
    assert evaluate([reading], request("doc.get", "image:1")) == UNDEFINED


@pytest.mark.parametrize(
    ("field", "operator", "value", "wanted"),
    [
        ("actor.id", "eq", "user:alice", True),
        ("actor.meta.role", "ne", "admin", True),
        ("actor.meta.team.name", "eq", "blue", True),
        ("actor.meta.clearance", "lt", 3, True),
        ("actor.meta.clearance", "lte", 2, True),
        ("actor.meta.clearance", "gt", 2, False),
        ("actor.meta.clearance", "gte", 2.0, True),
        ("actor.meta.clearance", "gt", "1", False),
        ("action", "in", ["doc.read", "doc.write"], True),
        ("action", "nin", ["doc.read"], False),
        ("actor.meta.role", "exists", True, True),
        ("actor.meta.role", "exists", None, True),
        ("actor.meta.role", "exists", False, False),
        ("actor.meta.boss", "nexists", True, True),
        ("resource", "contains", "ment", True),
        ("actor.meta.tags", "contains", "b", True),
        ("resource", "ncontains", "public", True),
        ("resource", "matches", "^doc.*[0-9]$", True),
        ("resource", "matches", "ument", True),
        ("actor.id", "nmatches", "^system:", True),
        ("meta.owner", "eq", "user:alice", False),
        ("meta.owner", "ne", "user:alice", True),
        ("meta.owner", "lt", 3, False),
        ("meta.size", "eq", 1, True),
        ("meta.open", "eq", True, True),
        ("meta.size", "eq", True, False),
    ],
)
def test_operators(field: str, operator: str, value: Any, wanted: bool) -> None:
    assert holds(field, operator, value, size=1, open=True) is wanted


def test_all_conditions_must_hold_and_may_compare_two_fields() -> None:
    owner = policy(
        conditions=[
            {"field": "meta.owner", "operator": "eq", "value_from": "actor.id"},
            {"field": "meta.locked", "operator": "ne", "value": True},
        ]
    )
    assert evaluate([owner], request(owner="user:alice")) == ALLOW
    assert evaluate([owner], request(owner="user:bob")) == UNDEFINED
    assert evaluate([owner], request(owner="user:alice", locked=True)) == UNDEFINED


def test_a_pattern_that_could_take_for_ever_counts_against_the_request() -> None:
    hostile = [{"field": "meta.text", "operator": "matches", "value": r"^(a+)+\1$"}]
    text = "a" * 200 + "!"
    assert evaluate([policy(ALLOW, conditions=hostile)], request(text=text)) != ALLOW
    assert evaluate([policy(), policy(DENY, conditions=hostile)], request(text=text)) == DENY


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"effect": "permit"}, "effect"),
        ({"actions": None}, "actions"),
        ({"resources": []}, "resources"),
        ({"conditions": [{"field": "user", "operator": "eq", "value": 1}]}, "conditions.0.field"),
        ({"conditions": [{"field": "action", "operator": "is", "value": 1}]}, "conditions.0.operator"),
        ({"conditions": [{"field": "action", "operator": "eq"}]}, "conditions.0"),
        ({"conditions": [{"field": "action", "operator": "in", "value": "a"}]}, "conditions.0.value"),
        ({"conditions": [{"field": "action", "operator": "matches", "value": "("}]}, "conditions.0.value"),
        ({"conditions": [{"field": "action", "operator": "eq", "value_from": "x"}]}, "conditions.0.value_from"),
    ],
)
def test_a_bad_policy_names_the_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(BadPolicyError) as caught:
        Rule.read({"actions": "*", "resources": "*", "effect": "allow", **change})
    assert caught.value.field == field


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("security", [None, Security(ALICE), Security(None, (policy(),))])
def test_without_actor_or_scope_the_node_decides(security: Security | None, strict: bool) -> None:
    assert is_permitted(security, strict, "a", "b") is not strict


@pytest.mark.parametrize("strict", [False, True])
def test_with_both_only_an_allowing_scope_permits(strict: bool) -> None:
    assert is_permitted(Security(ALICE, (policy(),)), strict, "a", "b")
    assert not is_permitted(Security(ALICE, ()), strict, "a", "b")
    assert not is_permitted(Security(ALICE, (policy(actions="c"),)), strict, "a", "b")


@pytest.mark.parametrize(
    "security", [Security(ALICE), Security(None, ()), Security(ALICE, (Policy("t:a"), Policy("t:b")))]
)
def test_a_context_travels_by_reference(security: Security) -> None:
    assert Security.from_json(security.to_json()) == security
    scope = security.to_json().get("scope", [])
    assert all(isinstance(item, str) for item in scope)


@pytest.mark.parametrize("data", ["x", {"actor": {}}, {"actor": {"id": 1}}, {"scope": "x"}, {"scope": [1]}])
def test_what_is_no_context_is_refused_rather_than_taken_for_none(data: Any) -> None:
    with pytest.raises(ValueError, match="must"):
        Security.from_json(data)


def said(expression: str, **meta: Any) -> str:
    return evaluate([policy(expression=expression)], request(**meta))


@pytest.mark.parametrize(
    "expression",
    [
        '(actor.meta.role == "editor" && action == "doc.write") || action == "doc.read"',
        "actor.meta.role in ['admin', `editor`] and actor.meta.clearance >= 2",
        "not (meta.owner != actor.id)",
        "!!meta.public",
        'resource startsWith "doc" && resource endsWith ":1" && resource contains "ment"',
        'resource matches "^document:[0-9]+$"',
        'action not in ["doc.delete"] and meta.gone == nil and meta.owner != nil',
        "meta.level > -1 && meta.level < 2.5",
        'meta.text == "a \\"quoted\\" word"',
    ],
)
def test_expressions_that_hold(expression: str) -> None:
    assert said(expression, owner="user:alice", public=True, level=1, text='a "quoted" word') == ALLOW


@pytest.mark.parametrize(
    "expression",
    [
        'actor.meta.role == "admin"',
        "meta.nothing == meta.nowhere",
        "meta.owner",
        "meta.public && meta.nothing",
        'action == "doc.write" || false',
        "[1, 2] == meta.level",
        "meta.level == true",
    ],
)
def test_expressions_that_do_not_hold(expression: str) -> None:
    assert said(expression, owner="user:alice", public=True, level=1) == UNDEFINED


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "(",
        "action ==",
        "action = 1",
        'os.system("x")',
        "actor.meta",
        "action action",
        "1 +",
        "[1",
        "(" * 60 + "1" + ")" * 60,
    ],
)
def test_a_bad_expression_is_refused_and_denies(expression: str) -> None:
    with pytest.raises(BadPolicyError):
        Rule.read({"actions": "*", "resources": "*", "effect": "allow", "expression": expression})
    assert said(expression) == DENY


@given(st.text(alphabet="ac()[]!&|=<>. \"'12,inot", max_size=30))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    assert said(text) in (ALLOW, DENY, UNDEFINED)


def test_an_expression_counts_together_with_conditions() -> None:
    both = policy(expression="true", conditions=[{"field": "action", "operator": "eq", "value": "other"}])
    assert evaluate([both], request()) == UNDEFINED


HOSTILE_PATTERNS = ['("("):rep(5000)..(")"):rep(5000)', '"a{99999999999999999999}"', '("x"):rep(1000000)', '"["']


@pytest.mark.parametrize("pattern", HOSTILE_PATTERNS)
@pytest.mark.parametrize("kind", ["function", "process"])
def test_a_pattern_that_code_brings_along_breaks_no_unit_and_allows_nothing(pattern: str, kind: str) -> None:
    condition = {"field": "resource", "operator": "matches", "value_from": "meta.like"}
    security = Security(ALICE, (policy(conditions=[condition]),))
    source = f'return {{main = function() return require("security").can("a", "b", {{like = {pattern}}}) end}}'
    program = program_of(source, modules=["security"])
    assert Driver(program, kind, security=security).value is False
