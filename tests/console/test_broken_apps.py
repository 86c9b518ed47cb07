"""Apps of WIPPY_APPS that can't be loaded, or have no tables: one line says which, where and what to do."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.product import MANAGE, Product

MODEL = """
from django.db import models
class Bill(models.Model):
    number = models.IntegerField()
"""


def checked(folder: Path, named: str = "billing", **files: str) -> subprocess.CompletedProcess[str]:
    """`manage.py check` with an app of these files."""
    app = folder / "apps" / "billing"
    app.mkdir(parents=True)
    for name, text in {"__init__": "", **files}.items():
        (app / f"{name}.py").write_text(text)
    product = Product(folder / "data")
    variables = {**product.environment, "WIPPY_APPS": named, "WIPPY_APPS_PATH": str(app.parent), "WIPPY_DEBUG": "0"}
    return subprocess.run([*MANAGE, "check"], env=variables, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("module", "text", "said"),
    [
        ("__init__", "import nowhere", "billing/__init__.py, line 1: ModuleNotFoundError: No module named 'nowhere'"),
        ("models", "\nthis is no Python", "billing/models.py, line 2: SyntaxError: invalid syntax"),
        ("functions", "1 / 0", "billing/functions.py, line 1: ZeroDivisionError: division by zero"),
        ("urls", "import nowhere", "billing/urls.py, line 1: ModuleNotFoundError: No module named 'nowhere'"),
    ],
)
def test_an_app_that_fails_to_import_is_one_line(tmp_path: Path, module: str, text: str, said: str) -> None:
    done = checked(tmp_path, **{module: text})
    told = f"manage.py: WIPPY_APPS: billing can't be loaded: {said} (WIPPY_DEBUG=1 shows more)"
    assert (done.returncode, done.stderr.strip()) == (1, told)


@pytest.mark.parametrize(
    ("named", "said"), [("nosuch", "no Python package nosuch"), ("auth", "no Python package auth"), ("os", "")]
)
def test_a_name_that_is_no_app_is_one_line(tmp_path: Path, named: str, said: str) -> None:
    done = checked(tmp_path, named)
    assert said in done.stderr and "Traceback" not in done.stderr


def test_an_app_whose_label_is_taken_is_one_line(tmp_path: Path) -> None:
    config = "from django.apps import AppConfig\nclass Billing(AppConfig):\n    name, label = 'billing', 'auth'\n"
    done = checked(tmp_path, apps=config)
    assert "Traceback" not in done.stderr and "aren't unique, duplicates: auth" in done.stderr
    assert "give one of WIPPY_APPS (billing) another, as `label` of its AppConfig" in done.stderr


def test_models_without_migrations_are_warned_of(tmp_path: Path) -> None:
    done = checked(tmp_path, models=MODEL)
    assert "billing, an app of WIPPY_APPS, has models and no migrations" in done.stderr
    assert "manage.py makemigrations billing" in done.stderr


def test_models_that_changed_without_a_migration_are_told_when_tables_are_made(tmp_path: Path) -> None:
    app = tmp_path / "apps" / "billing"
    (app / "migrations").mkdir(parents=True)
    for each in ("__init__", "migrations/__init__"):
        (app / f"{each}.py").write_text("")
    (app / "models.py").write_text(MODEL)
    product = Product(tmp_path / "data")
    variables = {**product.environment, "WIPPY_APPS": "billing", "WIPPY_APPS_PATH": str(app.parent)}

    def told(*command: str) -> str:
        return subprocess.run([*MANAGE, *command], env=variables, capture_output=True, text=True, check=True).stdout

    migrate = "from wippy_console.supervision.installation import migrate; print(migrate())"
    told("makemigrations", "billing")
    assert "without a migration" not in told("shell", "-v0", "-c", migrate)
    (app / "models.py").write_text(MODEL + "    colour = models.CharField(max_length=9)\n")
    said = told("shell", "-v0", "-c", migrate).strip()
    assert said == "up to date, but models changed without a migration: manage.py makemigrations billing"
