"""`manage.py export`: the registry as files, and back."""

from __future__ import annotations

import shutil
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from engine.entry import Entry
from tests.console.registry_cast import SHOP, create, function
from tests.console.test_apply import apply
from wippy_console.management.operations import operator
from wippy_console.services import registry

pytestmark = pytest.mark.django_db


def export(*args: object) -> list[str]:
    out = StringIO()
    call_command("export", *map(str, args), stdout=out)
    return out.getvalue().splitlines()


def test_what_is_exported_is_what_apply_takes(tmp_path: Path) -> None:
    apply(SHOP)
    create(function("made", "-- made in the browser\nreturn {}\n"))
    folder = tmp_path / "new"
    assert export(folder, "--check")[-1] == f"{folder} would hold version 2 of the registry."
    assert not folder.exists()
    assert "written app/made.lua" in export(folder)
    assert (folder / "app" / "made.lua").read_text() == "-- made in the browser\nreturn {}\n"
    assert apply(folder)[0].startswith("Nothing changed: version 2 holds all 6 entries")
    assert export(folder) == [f"{folder} holds version 2 of the registry."]


def test_an_exported_change_leaves_the_rest_of_a_file_alone(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SHOP, tmp_path / "shop"))
    before = (folder / "_index.yaml").read_text()
    (folder / "_index.yaml").write_text("# ours\n" + before)
    apply(folder)
    found = registry.entry("shop:worker")
    made = Entry(found.id, found.kind, found.meta, {**found.data, "task_queue": "other"})
    registry.publish(operator(), registry.Changes(update=(made,)), base=1, message="", source="editor")
    assert export(folder)[0] == "written _index.yaml"
    assert (folder / "_index.yaml").read_text() == "# ours\n" + before.replace("task_queue: shop", "task_queue: other")
    assert apply(folder)[2] == ""


def test_a_folder_that_can_not_be_read_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "_index.yaml").write_text("namespace: [")
    with pytest.raises(CommandError, match="export into an empty folder"):
        export(tmp_path)
    assert (tmp_path / "_index.yaml").read_text() == "namespace: ["


def test_a_namespace_that_readers_of_folders_skip_comes_back(tmp_path: Path) -> None:
    create(Entry("app.node_modules.__pycache__:x", "library.lua", {}, {"source": "return 1"}))
    export(tmp_path)
    assert apply(tmp_path)[0].startswith("Nothing changed: version 1 holds all 1 entries")
