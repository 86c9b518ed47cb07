"""A function and a workflow that hold threads, in the whole product: neighbours go on, a restart forgets nothing."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.product import Product, running, until

pytestmark = pytest.mark.slow

CORPUS = Path(__file__).parents[1] / "attacks" / "corpus"
INDEX = """
version: "1.0"
namespace: bad
entries:
  - {name: temporal, kind: temporal.client, address: "${env:TEMPORAL_ADDRESS}"}
  - {name: worker, kind: temporal.worker, client: temporal, task_queue: bad, lifecycle: {auto_start: true}}
  - {name: chain, kind: function.lua, source: file://chain.lua}
  - {name: flow, kind: workflow.lua, source: file://chain.lua}
  - {name: fine, kind: function.lua, source: "return function() return 'fine' end"}
  - {name: waits, kind: workflow.lua, source: "return function() return process.listen('go'):receive() end"}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The entries; `chain.lua` never ends, and does so within single instructions."""
    made = tmp_path_factory.mktemp("bad")
    (made / "_index.yaml").write_text(INDEX)
    shutil.copy(CORPUS / "index_chain.lua", made / "chain.lua")
    return made


@pytest.fixture(scope="module")
def product(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    data = tmp_path_factory.mktemp("quarantined") / "data"
    with running(data, "--no-examples", WIPPY_STEP_SECONDS="1") as started:
        started.manage("apply", str(folder))
        until(lambda: call(started, "bad:fine")[0] == 0, "functions answer")
        yield started


def call(product: Product, entry: str) -> tuple[int, str]:
    """The exit code and all that a call printed."""
    done = product.command("call", entry)
    return done.returncode, done.stdout + done.stderr


def state_of(product: Product, run_id: str) -> str:
    """The state of a run in the list of runs."""
    return next(str(run["state"]["key"]) for run in product.manage("runs")["runs"] if run["run_id"] == run_id)


def quarantine_of(product: Product, entry: str) -> str:
    """The id of the active quarantine of an entry, "" for none."""
    code = (
        "from wippy_console.services import quarantine; "
        f"print(*[each.pk for each in quarantine.active() if each.entry_id == '{entry}'])"
    )
    return product.command("shell", "--no-imports", "-c", code).stdout.strip()


def lift(product: Product, entry: str) -> str:
    """Lift the quarantine as the administrator, by the form of the page."""
    session = product.session()
    path = f"/workers/quarantine/{quarantine_of(product, entry)}/"
    session.get(path)
    return session.post(path, {"key": str(uuid.uuid4())})


def test_stuck_units_are_quarantined_for_themselves_alone_until_somebody_lifts_them(
    product: Product, folder: Path
) -> None:
    waiting: Any = product.manage("start", "bad:waits")
    stuck: Any = product.manage("start", "bad:flow")
    assert "LimitExceeded" in call(product, "bad:chain")[1]
    assert call(product, "bad:fine") == (0, '"fine"\n')
    until(lambda: quarantine_of(product, "bad:flow"), "the workflow is quarantined")
    until(lambda: state_of(product, stuck["run_id"]) == "quarantined", "the run says so")
    assert "quarantined since" in call(product, "bad:chain")[1]

    product.kill_everything()
    product.start()
    until(lambda: call(product, "bad:fine")[0] == 0, "functions answer again")
    assert "quarantined since" in call(product, "bad:chain")[1]
    assert state_of(product, stuck["run_id"]) == "quarantined"
    product.manage("signal", waiting["pid"], "go", '"on"')
    until(lambda: state_of(product, waiting["run_id"]) == "completed", "the neighbour's run goes on")

    assert "may run on bad:chain again" in lift(product, "bad:chain")
    until(lambda: "LimitExceeded" in call(product, "bad:chain")[1], "it is tried again")
    assert quarantine_of(product, "bad:chain") != ""

    (folder / "chain.lua").write_text("return function() return 'mended' end\n")
    product.manage("apply", str(folder))
    until(lambda: call(product, "bad:chain") == (0, '"mended"\n'), "another version is not quarantined")
    mended: Any = product.manage("start", "bad:flow")
    until(lambda: state_of(product, mended["run_id"]) == "completed", "nor is one of the workflow")
    assert state_of(product, stuck["run_id"]) == "quarantined"
