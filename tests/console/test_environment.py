"""What the environment may say, and what is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from environs.exceptions import EnvError
from pytest_django import Settings

from wippy_console.checks import check_python, check_serving, check_temporal
from wippy_console.env import (
    ADDRESS_FILE,
    CHOICE_FILE,
    CREDENTIALS,
    OWN_SECRETS,
    ROOT,
    read_environment,
    stored_secret,
    variables_for_entries,
    variables_for_lua,
)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, data_dir: Path) -> pytest.MonkeyPatch:
    """An environment that names a data folder and nothing else."""
    for name in ("PORT", "TEMPORAL_ADDRESS", "TEMPORAL_PORT", "SECRET_KEY", "DATABASE_URL", "WIPPY_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WIPPY_DATA", str(data_dir))
    return monkeypatch


def ids(messages: list[Any]) -> list[str]:
    assert all(message.hint for message in messages)
    return [message.id for message in messages]


def test_the_secret_key_is_made_once_and_read_by_its_owner_alone(bare: pytest.MonkeyPatch, data_dir: Path) -> None:
    first, second = read_environment(), read_environment()
    assert first.secret_key == second.secret_key
    assert len(first.secret_key) > 50
    assert (data_dir / "secret_key").stat().st_mode & 0o777 == 0o600


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_new_data_folder_is_its_owners_alone(bare: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = tmp_path / "some" / "data"
    bare.setenv("WIPPY_DATA", str(made))
    before = os.umask(0o022)
    try:
        read_environment()
    finally:
        os.umask(before)
    assert mode(made) == 0o700


def test_files_of_older_versions_are_taken_from_others_and_a_folder_of_ones_own_is_warned_of(
    bare: pytest.MonkeyPatch, data_dir: Path, settings: Settings
) -> None:
    """It may hold other things, which are nobody's to close."""
    (data_dir / "logs").mkdir()
    older = [data_dir / name for name in ("console.sqlite3", "console.sqlite3-wal", "logs/web.log", "logs/web.log.1")]
    other = data_dir / "other.txt"
    for path in (*older, other):
        path.touch()
        path.chmod(0o644)
    data_dir.chmod(0o755)
    read_environment()
    assert {mode(path) for path in older} == {0o600} and (mode(other), mode(data_dir)) == (0o644, 0o755)
    settings.WIPPY_DATA = data_dir
    assert "wippy_console.W004" in ids(check_serving())
    data_dir.chmod(0o700)
    assert "wippy_console.W004" not in ids(check_serving())


def test_what_is_written_into_the_data_folder_is_its_owners_alone(tmp_path: Path) -> None:
    around = {**os.environ, "WIPPY_DATA": str(tmp_path / "data"), "DATABASE_URL": ""}
    around["DJANGO_SETTINGS_MODULE"] = "wippy_console.settings"
    line = f"umask 022; exec {sys.executable} manage.py migrate contenttypes"
    subprocess.run(["sh", "-c", line], cwd=ROOT, env=around, check=True, capture_output=True)
    made = [*(tmp_path / "data").rglob("*")]
    assert made and {mode(path) & 0o077 for path in [tmp_path / "data", *made]} == {0}


def test_starters_at_the_same_time_agree_on_one_secret_key(data_dir: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: stored_secret(data_dir / "secret_key"), range(40)))
    assert len(keys) == 1
    assert [path.name for path in data_dir.iterdir()] == ["secret_key"]


def test_other_commands_find_the_embedded_temporal_by_the_data_folder(bare: pytest.MonkeyPatch, data_dir: Path) -> None:
    assert read_environment().temporal.address == "127.0.0.1:7233"
    (data_dir / ADDRESS_FILE).write_text("127.0.0.1:4711")
    assert read_environment().temporal.address == "127.0.0.1:4711"
    assert read_environment().temporal.embedded


def test_a_given_temporal_comes_before_the_embedded_one(bare: pytest.MonkeyPatch, data_dir: Path) -> None:
    (data_dir / ADDRESS_FILE).write_text("127.0.0.1:4711")
    bare.setenv("TEMPORAL_ADDRESS", "temporal.example:7233")
    temporal = read_environment().temporal
    assert (temporal.address, temporal.embedded) == ("temporal.example:7233", False)


@pytest.mark.parametrize("port", ["eighty", "0", "65536", "-1"])
def test_an_impossible_port_is_refused_by_name(bare: pytest.MonkeyPatch, port: str) -> None:
    bare.setenv("PORT", port)
    with pytest.raises(EnvError, match='"PORT"'):
        read_environment()


def test_the_default_settings_raise_no_message() -> None:
    assert check_serving() == []
    assert check_temporal() == []


def test_serving_others_in_clear_text_is_warned_of(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["console.example"]
    assert ids(check_serving()) == ["wippy_console.W001"]


def test_debug_pages_are_for_this_machine_alone(settings: Settings) -> None:
    settings.DEBUG = settings.SECURE = True
    settings.ALLOWED_HOSTS = ["console.example"]
    assert ids(check_serving()) == ["wippy_console.E001", "wippy_console.E002"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"client_cert": "a.pem", "embedded": False}, "wippy_console.E003"),
        ({"api_key": "secret", "embedded": True}, "wippy_console.E004"),
    ],
)
def test_half_given_access_to_temporal_is_refused(settings: Settings, changes: dict[str, Any], expected: str) -> None:
    settings.TEMPORAL = replace(settings.TEMPORAL, **changes)
    assert ids(check_temporal()) == [expected]


def test_pages_may_run_no_inline_script_or_style() -> None:
    policy: dict[str, Any] = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    assert not [name for name, sources in policy.items() if "'unsafe-inline'" in sources or "'unsafe-eval'" in sources]


def test_entries_and_lua_are_not_given_the_console_s_own_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*OWN_SECRETS, *CREDENTIALS, "SHOP_MODE"):
        monkeypatch.setenv(name, "x")
    assert not variables_for_entries().keys() & set(OWN_SECRETS)
    assert not variables_for_lua().keys() & {*OWN_SECRETS, *CREDENTIALS}
    assert variables_for_lua()["SHOP_MODE"] == variables_for_entries()["TEMPORAL_API_KEY"] == "x"


def test_the_example_shop_comes_with_up_alone(bare: pytest.MonkeyPatch, data_dir: Path) -> None:
    bare.delenv("WIPPY_EXAMPLES", raising=False)

    def apps(*words: str) -> tuple[str, ...]:
        bare.setattr(sys, "argv", ["manage.py", *words])
        return read_environment().apps

    assert apps("up") == ("shop",)
    assert apps("up", "--no-examples") == apps("worker") == apps("web") == apps() == ()
    (data_dir / CHOICE_FILE).write_text("yes")
    assert apps("worker") == ("shop",)
    (data_dir / CHOICE_FILE).write_text("no")
    assert apps("up") == ()


def test_apps_named_by_their_configuration_bring_the_code_of_their_package(bare: pytest.MonkeyPatch) -> None:
    bare.delenv("WIPPY_PYTHON_FUNCTIONS", raising=False)
    bare.setenv("WIPPY_APPS", "shop,firm.billing.apps.BillingConfig")
    assert read_environment().python_functions == ("shop.*", "firm.billing.*")


@pytest.mark.parametrize("pattern", ["*", "*.functions.*", "sho?.*", "shop", "shop.payments:", "shop:charge()", "a b"])
def test_patterns_of_python_code_that_match_nothing_or_any_package_are_refused(
    settings: Settings, pattern: str
) -> None:
    settings.PYTHON_FUNCTIONS = ("shop.*", pattern)
    (message,) = check_python()
    assert message.id == "wippy_console.E006" and pattern in message.msg and message.hint


def test_patterns_of_packages_modules_and_functions_are_fine(settings: Settings) -> None:
    settings.PYTHON_FUNCTIONS = ("shop.*", "shop.payments.re*", "shop.payments:charge", "shop.pay[a-z]*:*")
    assert check_python() == []
