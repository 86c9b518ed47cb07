"""docs/api.md is followed literally, against a running site."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.api.conftest import cast, on_stage, rooms
from tests.console.operating import Stage
from tests.console.serving import running_web
from tests.docs.pages import ROOT, text_of
from tests.patience import PATIENCE
from wippy_console.models import Run
from wippy_console.services import access_tokens
from wippy_console.services.access_tokens import Limits

__all__ = ["cast", "on_stage", "rooms"]

PAGE = text_of(ROOT / "docs" / "api.md")
SHELL = re.findall(r"(?ms)^```sh\n(.*?)^```", PAGE)
(PYTHON,) = re.findall(r"(?ms)^```python\n(.*?)^```", PAGE)

needs_tools = pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="the walk needs curl and jq")


def said(command: list[str], **environment: str) -> list[str]:
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split()


@needs_tools
def test_the_page_is_followed(on_stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", on_stage.address)
    who = on_stage.cast.approver
    token = access_tokens.make(who, who, "walk", Limits())[1]
    start, rest = SHELL
    with running_web() as (port, _):
        around = {"CONSOLE": f"http://127.0.0.1:{port}", "TOKEN": token, "ENTRY": "app.flows:approval"}
        (run_id,) = said(["sh", "-euc", start], **around)
        run = Run.objects.get(run_id=run_id)
        on_stage.ask(run, "decision", 0)
        assert said(["sh", "-euc", rest], **around, RUN=run_id) == [run_id, "sent", "completed"]
        assert said([sys.executable, "-c", PYTHON], **around) == [run_id, "completed"]
