from __future__ import annotations

import json
import os
import shutil
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from engine.entry import Entry
from tests.console.registry_cast import SHOP, create, delete, function, update
from wippy_console.management.operations import operator
from wippy_console.models import FeedEvent, Version
from wippy_console.services import registry
from wippy_console.services.registry import publishing

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A copy of the small tree in tests/data."""
    return Path(shutil.copytree(SHOP, tmp_path / "shop"))


def apply(*args: object) -> tuple[str, str, str]:
    """Run the command; what it printed, what it complained about, and its last word ("" = success)."""
    out, err = StringIO(), StringIO()
    try:
        call_command("apply", *map(str, args), stdout=out, stderr=err)
    except CommandError as error:
        return out.getvalue(), err.getvalue(), str(error)
    return out.getvalue(), err.getvalue(), ""


def apply_json(*args: object) -> dict[str, Any]:
    """Run the command with --json; the object that it printed."""
    out, _, failure = apply(*args, "--json")
    result: dict[str, Any] = json.loads(out)
    assert result["ok"] is not bool(failure)
    return result


def add(folder: Path, text: str) -> None:
    """Append entries to the index."""
    with (folder / "_index.yaml").open("a") as file:
        file.write(text)


def test_a_tree_becomes_one_version_and_what_changed_is_told(shop: Path) -> None:
    out, err, failure = apply(shop, "-m", "first")
    assert (err, failure) == ("", "")
    assert out.splitlines() == [
        "created shop.lib:money",
        "created shop:charge",
        "created shop:place_order",
        "created shop:temporal",
        "created shop:worker",
        "Version 1: 5 created, 0 updated, 0 deleted, 0 unchanged.",
    ]
    version = Version.objects.get()
    assert (version.message, version.source, version.author) == ("first", "apply", operator())


def test_an_unchanged_tree_makes_no_version_and_says_so(shop: Path) -> None:
    apply(shop)
    assert apply(shop) == ("Nothing changed: version 1 holds all 5 entries already.\n", "", "")
    assert Version.objects.count() == 1


def test_only_what_differs_is_published(shop: Path) -> None:
    apply(shop)
    (shop / "lib" / "money.lua").write_text("return {shown = tostring}\n")
    out, _, _ = apply(shop)
    assert out.splitlines() == ["updated shop.lib:money", "Version 2: 0 created, 1 updated, 0 deleted, 4 unchanged."]
    assert [row.entry_id for row in Version.objects.get(number=2).revisions.all()] == ["shop.lib:money"]


def test_entries_that_the_tree_does_not_hold_stay_unless_pruned(shop: Path) -> None:
    create(function("elsewhere"), Entry("shop:old", "function.lua", {}, {"source": "return {}"}))
    apply(shop)
    assert len(registry.entries()) == 7
    out, _, _ = apply(shop, "--prune")
    assert out.splitlines()[:-1] == ["deleted shop:old"]
    assert registry.entry("app:elsewhere")  # its namespace is none of the folder's
    assert len(registry.entries()) == 6


def test_pruning_what_others_use_goes_when_they_go_too(shop: Path) -> None:
    apply(shop)
    shutil.rmtree(shop / "lib")
    (shop / "lib").mkdir()
    (shop / "lib" / "_index.yaml").write_text("namespace: shop.lib\n")
    _, err, failure = apply(shop, "--prune")
    assert "shop.lib:money: can't be deleted: used by shop:charge (imports.money), shop:place_order" in err
    assert failure.endswith("1 problem, nothing was changed.")
    index = shop / "_index.yaml"
    text = index.read_text().replace("    imports:\n      money: shop.lib:money\n", "")
    index.write_text(text.replace("    imports: {money: shop.lib:money}\n", ""))
    assert apply(shop, "--prune")[2] == ""


def test_entries_elsewhere_count_when_the_tree_is_validated(tmp_path: Path) -> None:
    create(function("a"))
    (tmp_path / "_index.yaml").write_text(
        "namespace: app\nentries:\n  - {name: x, kind: registry.entry, meta: {depends_on: [a]}}\n"
    )
    assert apply(tmp_path)[2] == ""


def test_every_problem_is_listed_with_file_and_line_and_nothing_changes(shop: Path) -> None:
    (shop / "place_order.lua").write_text("local x = 1\nlocal y = = 2\n")
    add(shop, "\n  - {name: a, kind: function lua}\n  - {name: b, kind: function.lua, source: file://gone.lua}\n")
    add(shop, "  - {name: c, kind: temporal.worker, client: nobody, task_queue: ''}\n")
    out, err, failure = apply(shop)
    assert out == ""
    assert err.splitlines() == [
        f"{shop}/_index.yaml:41: shop:a kind: `function lua` is no kind (did you mean `function.lua`?)",
        f"{shop}/_index.yaml:42: shop:b source: can't read file://gone.lua: no such file",
        f"{shop}/_index.yaml:43: shop:c client: there is no entry `shop:nobody`",
        f"{shop}/_index.yaml:43: shop:c task_queue: must not be empty",
        f"{shop}/place_order.lua:2: shop:place_order source: not valid Lua: unexpected symbol near '='",
    ]
    assert failure == f"{shop}: 5 problems, nothing was changed."
    assert not Version.objects.exists()


def test_a_warning_is_printed_and_the_tree_is_published(shop: Path) -> None:
    add(shop, "\n  - {name: web, kind: http.static, path: '/'}\n")
    out, err, failure = apply(shop)
    assert err.startswith(f"warning: {shop}/_index.yaml:41: shop:web kind: the kind `http.static` is unknown")
    assert failure == ""
    assert "created shop:web" in out


def test_check_validates_and_changes_nothing(shop: Path) -> None:
    out, _, failure = apply(shop, "--check")
    assert failure == ""
    assert out.splitlines()[0] == "would be created shop.lib:money"
    assert out.splitlines()[-1] == "Valid; it would be: 5 created, 0 updated, 0 deleted, 0 unchanged."
    (shop / "place_order.lua").write_text("(")
    assert "1 problem" in apply(shop, "--check")[2]
    assert not Version.objects.exists()


def test_check_finds_faults_of_endpoints_where_they_stand(shop: Path) -> None:
    add(shop, """
  - {name: api, kind: http.router, prefix: /api, middleware: [token_auth]}
  - {name: e, kind: http.endpoint, meta: {router: api}, method: GET, path: users, func: charge, auth: none}
  - name: w
    kind: workflow.lua
    source: return {}
    meta:
      webhooks:
        - {path: /a, auth: none, starts: true}
        - {path: /b, starts: true}
""")  # fmt: skip
    assert [line.partition(" (")[0] for line in apply(shop, "--check")[1].splitlines()] == [
        f"{shop}/_index.yaml:41: shop:api middleware.0: there is no `token_auth` here",
        f"{shop}/_index.yaml:42: shop:e path: must begin with a slash, as /orders/{{id}}",
        f"{shop}/_index.yaml:49: shop:w meta.webhooks.1.auth: is missing: who may send?",
    ]
    assert not Version.objects.exists()


def test_json_is_one_object_whatever_happens(shop: Path, tmp_path: Path) -> None:
    checked = apply_json(shop, "--check")
    assert (checked["published"], checked["version"], len(checked["created"])) == (False, 0, 5)
    applied = apply_json(shop)
    assert (applied["published"], applied["version"], applied["warnings"]) == (True, 1, [])
    assert apply_json(shop)["unchanged"] == 5
    (shop / "place_order.lua").write_text("(")
    refused = apply_json(shop)
    (problem,) = refused["problems"]
    assert (problem["file"], problem["line"]) == (f"{shop}/place_order.lua", 1)
    assert refused["published"] is False
    assert "no such folder" in apply_json(tmp_path / "none")["error"]


def test_a_folder_that_is_none_or_empty_is_told(tmp_path: Path) -> None:
    assert apply(tmp_path / "none")[2].endswith("there is no such folder")
    assert apply(Path(__file__))[2].endswith("not a folder")
    assert "there is no `_index.yaml`" in apply(tmp_path)[1]


def test_links_and_pipes_do_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    secret = tmp_path / "secret.lua"
    secret.write_text("return 'secret'")
    tree = tmp_path / "tree"
    (tree / "sub").mkdir(parents=True)
    (tree / "link.lua").symlink_to(secret)
    (tree / "inside.lua").write_text("return 1")
    (tree / "fine.lua").symlink_to(tree / "inside.lua")
    (tree / "loop").symlink_to(tree)
    (tree / "turn.lua").symlink_to(tree / "turn.lua")
    os.mkfifo(tree / "pipe.lua")
    names = ("link", "fine", "pipe", "turn", "loop/inside")
    (tree / "_index.yaml").write_text(
        "namespace: app\nentries:\n"
        + "".join(f"  - {{name: {name}, kind: function.lua, source: 'file://{name}.lua'}}\n" for name in names)
    )
    _, err, _ = apply(tree)
    assert [line.split("can't read ")[1] for line in err.splitlines()] == [
        "file://link.lua: a link that leads out of the folder",
        "file://pipe.lua: not a regular file",
        "file://turn.lua: a link that leads to itself",
        "file://loop/inside.lua: no such file",
    ]


def test_files_that_can_not_be_read_are_told_not_thrown(tmp_path: Path) -> None:
    (tmp_path / "_index.yaml").write_bytes(b"namespace: app\nentries:\n  - {name: \xff}\n")
    assert "_index.yaml: can't be read: not UTF-8 text: byte 0xff in line 3" in apply(tmp_path)[1]
    (tmp_path / "_index.yaml").write_text('namespace: app\nentries:\n  - {name: "a\\u001b[31m", kind: x}\n')
    out, err, _ = apply(tmp_path)
    assert "\x1b" not in out + err
    os.rename(tmp_path / "_index.yaml", os.fsencode(tmp_path) + b"/\xff.yaml")
    out, err, _ = apply(tmp_path)
    (out + err).encode()


def test_hidden_folders_are_left_out(shop: Path) -> None:
    shutil.copytree(shop, shop / ".git")
    assert apply(shop)[2] == ""


def test_somebody_who_publishes_meanwhile_is_not_overwritten(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apply(shop)
    (shop / "lib" / "money.lua").write_text("return {1}\n")
    original = publishing.preview

    def slow(base: int | None, changes: registry.Changes, user: Any) -> Any:
        found = original(base, changes, user)
        current = registry.entry("shop.lib:money")
        registry.save_entry(
            operator(), current.id, base=1, kind=current.kind, meta={}, data={"source": "return {2}"}, message=""
        )
        return found

    monkeypatch.setattr(publishing, "preview", slow)
    assert "shop.lib:money was changed in version 2" in apply(shop)[2]


MONEY = "shop.lib:money"


def edit_money() -> None:
    """Somebody changes the library in the browser."""
    found = registry.entry(MONEY)
    update(Entry(MONEY, found.kind, found.meta, {**found.data, "source": "return {shown = print}\n"}))


def test_what_was_changed_in_the_browser_since_is_not_overwritten_but_shown(shop: Path) -> None:
    apply(shop)
    edit_money()
    (shop / "place_order.lua").write_text("return {main = function() return 1 end}\n")
    out, err, failure = apply(shop)
    assert failure.endswith("1 problem, nothing was changed.") and out == ""
    assert f"{MONEY}: was changed since it was last applied, in version 2 by {operator()}" in err
    assert "--force takes the file, --keep-edited leaves the entry" in err
    assert "  -return {shown = print}" in err and "  +++ files" in err
    assert registry.current_number() == 2
    assert apply_json(shop)["edited"][0]["entry_id"] == MONEY


def test_the_files_are_taken_by_force_and_edits_are_kept_on_demand(shop: Path) -> None:
    apply(shop)
    edit_money()
    (shop / "place_order.lua").write_text("return {main = function() return 1 end}\n")
    out, _, failure = apply(shop, "--keep-edited")
    assert (out.splitlines()[:2], failure) == (
        [f"kept {MONEY} as {operator()} left it", "updated shop:place_order"],
        "",
    )
    assert "print" in registry.entry(MONEY).data["source"]
    assert apply(shop, "--force")[0].splitlines()[0] == f"updated {MONEY}"
    assert "print" not in registry.entry(MONEY).data["source"]
    assert apply(shop)[2] == ""  # applied last by the files: nothing is in the way any more


def test_a_version_by_apply_names_who_was_at_the_command_line(shop: Path) -> None:
    apply(shop)
    (event,) = FeedEvent.objects.filter(kind="PUBLISHED")
    assert event.data["author"] == Version.objects.get().publisher == operator().get_username()
    assert event.data["author"].startswith("cli:")


def test_an_edit_that_the_files_have_too_is_no_conflict(shop: Path) -> None:
    apply(shop)
    edit_money()
    (shop / "lib" / "money.lua").write_text("return {shown = print}\n")
    assert apply(shop)[2] == ""


def test_what_was_deleted_or_made_in_the_browser_is_not_undone(shop: Path) -> None:
    apply(shop)
    registry.publish(
        operator(),
        registry.Changes(create=(Entry("shop:made", "registry.entry", {}, {}),)),
        base=1,
        message="",
        source="editor",
    )
    delete("shop:place_order")
    _, err, failure = apply(shop, "--prune")
    assert failure.endswith("2 problems, nothing was changed.")
    assert "shop:made: was changed since" in err and "shop:place_order: was changed since" in err
    assert apply(shop, "--prune", "--keep-edited")[2] == ""
    assert {"shop:made", MONEY} < {each.id for each in registry.entries()}
