"""What `up` prepares before it starts processes."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError

from wippy_console.env import ROOT
from wippy_console.models import Revision, Version
from wippy_console.services import registry
from wippy_console.supervision.installation import (
    back_up_before_upgrade,
    first_administrator,
    load_examples,
    migrate,
    tree_digest,
    with_examples,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    """A copy of the examples, to be changed at will."""
    return Path(shutil.copytree(ROOT / "examples", tmp_path / "examples"))


def test_migrating_again_does_nothing() -> None:
    assert migrate() == "up to date"


def test_the_first_administrator_has_a_hashed_password_and_the_group() -> None:
    login = first_administrator()
    assert login is not None
    admin = User.objects.get(username=login.username)
    assert admin.check_password(login.password)
    assert login.password not in admin.password
    assert admin.is_superuser
    assert admin.groups.filter(name="administrator").exists()


def test_there_is_no_second_first_administrator() -> None:
    User.objects.create_superuser("root", password="known")
    assert first_administrator() is None
    assert User.objects.count() == 1


def test_the_examples_are_valid_and_loaded_as_one_version(examples: Path, data_dir: Path) -> None:
    assert load_examples(examples, data_dir / "mark") == "loaded"
    assert Version.objects.count() == 1
    assert Revision.objects.filter(entry_id="app.orders:order_processor").exists()


def test_unchanged_examples_make_no_new_version(examples: Path, data_dir: Path) -> None:
    load_examples(examples, data_dir / "mark")
    assert load_examples(examples, data_dir / "mark") == "unchanged"
    (data_dir / "mark").unlink()
    load_examples(examples, data_dir / "mark")
    assert Version.objects.count() == 1


def test_changed_examples_make_one_new_version(examples: Path, data_dir: Path) -> None:
    load_examples(examples, data_dir / "mark")
    source = examples / "orders" / "order_processor.lua"
    source.write_text("-- new\n" + source.read_text())
    assert load_examples(examples, data_dir / "mark") == "loaded"
    assert Version.objects.count() == 2


def test_loading_examples_says_nothing_unless_one_is_refused(
    examples: Path, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    load_examples(examples, data_dir / "mark")
    edited = next(each for each in registry.entries() if each.kind == "workflow.lua")
    data = {**edited.data, "source": f"-- mine\n{edited.data['source']}"}
    base, root = registry.current_number(), User.objects.create_superuser("root")
    registry.save_entry(root, edited.id, base=base, kind=edited.kind, meta=dict(edited.meta), data=data, message="")
    (examples / "more.txt").write_text("")
    capsys.readouterr()
    assert load_examples(examples, data_dir / "mark") == "loaded"
    assert capsys.readouterr() == ("", "")
    assert registry.entry(edited.id).data["source"].startswith("-- mine")
    index = next(examples.rglob("_index.yaml"))
    index.write_text("namespace: [")
    with pytest.raises(CommandError):
        load_examples(examples, data_dir / "mark")
    assert index.name in capsys.readouterr().err


def test_an_empty_database_gets_the_examples_whatever_the_folder_remembers(examples: Path, data_dir: Path) -> None:
    (data_dir / "mark").write_text(tree_digest(examples))
    assert load_examples(examples, data_dir / "mark") == "loaded"


def test_a_new_temporal_server_version_keeps_a_copy_of_the_old_database(data_dir: Path) -> None:
    database, mark = data_dir / "temporal.sqlite3", data_dir / "temporal.version"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("create table precious (what text)")
    mark.write_text("0.9")
    back_up_before_upgrade(database, mark)
    (copy,) = data_dir.glob("temporal.sqlite3.before-*")
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("select name from sqlite_master").fetchone() == ("precious",)
    copy.unlink()
    back_up_before_upgrade(database, mark)
    assert not list(data_dir.glob("temporal.sqlite3.before-*"))


def test_the_choice_of_examples_is_kept(tmp_path: Path) -> None:
    kept = tmp_path / "choice"
    assert with_examples(kept, None) is True
    assert kept.read_text() == "yes"  # for the web processes and workers that `up` starts
    assert with_examples(kept, False) is False
    assert with_examples(kept, None) is False
    assert with_examples(kept, True) is True
    assert with_examples(kept, None) is True
