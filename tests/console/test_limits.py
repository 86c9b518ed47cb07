"""Limits of an entry's own, as authors meet them: applying, the editor, Lua that publishes."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client

from tests.console.registry_cast import author, create, function, update
from tests.console.test_apply import add, apply, shop  # noqa: F401 - a fixture
from tests.console.test_registry_from_lua import run
from wippy_console import permissions
from wippy_console.models import Program, Version
from wippy_console.services import registry

pytestmark = pytest.mark.django_db(transaction=True)

TOO_MUCH = "must be at most 512, not 1024"


@pytest.fixture(autouse=True)
def groups(transactional_db: None) -> None:
    permissions.install_groups(Group, Permission)


def test_a_check_names_file_line_and_field(shop: Path) -> None:  # noqa: F811
    text = "\n  - name: big\n    kind: function.lua\n    source: return {}\n    limits:\n      memory: 1024\n"
    add(shop, text)
    _, err, failure = apply(shop, "--check")
    assert err.startswith(f"{shop}/_index.yaml:45: shop:big limits.memory: {TOO_MUCH} (take the work in parts")
    assert "1 problem" in failure
    assert not Version.objects.exists()


def test_limits_travel_in_the_program_and_make_a_new_one() -> None:
    create(function("f"))
    update(function("f", limits={"memory": 256}))
    (plain, raised) = Program.objects.filter(entry_id="app:f").order_by("version__number")
    assert [dict(each.content).get("limits") for each in (plain, raised)] == [None, {"memory": 256}]


def test_the_editor_shows_a_refusal_at_its_field_and_keeps_the_draft(client: Client) -> None:
    create(function("f"))
    client.force_login(author("ada"))
    draft = {"base": "1", "source": "return {}", "fields_text": "limits:\n  memory: 1024\n"}
    response = client.post("/registry/edit/app:f/", draft)
    page = response.content.decode()
    assert response.status_code == 422
    assert f'<span class="mono">limits.memory</span> {TOO_MUCH} <span class="hint">take the work in parts' in page
    assert "memory: 1024" in page
    assert client.post("/registry/edit/app:f/", {**draft, "fields_text": "limits: {memory: 512}"}).status_code == 302
    assert registry.entry("app:f").data["limits"] == {"memory": 512}
    assert "memory: 512" in client.get("/registry/app:f/?tab=fields").content.decode()


def test_a_published_limit_holds_on_a_node() -> None:
    create(function("f", "return function() while true do end end", limits={"instructions": 300_000}))
    body = "local _, err = funcs.call('app:f') return err:message()"
    assert run(body) == "instruction limit exceeded: more than 300000 Lua instructions in one step"


def test_lua_reads_limits_of_every_version_and_is_refused_alike() -> None:
    create(function("f", limits={"memory": 256}))
    body = """
        local entry = registry.get("app:f")
        entry.data.limits = { memory = 300, instructions = 300000000 }
        local version = assert(registry.snapshot():changes():update(entry):apply())
        local old, new = registry.snapshot_at(1):get("app:f").data.limits, registry.get("app:f").data.limits
        entry.data.limits.memory = 1024
        local _, err = registry.snapshot():changes():update(entry):apply()
        local problem = err:details().problems[1]
        return { old.memory, new.memory, new.instructions, problem.field, problem.message }
    """
    assert run(body) == [256, 300, 300_000_000, "limits.memory", TOO_MUCH]
