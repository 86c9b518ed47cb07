"""`/metrics` of web and worker: who may read them, and that they tell what happens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.console.test_probes import answers, get, web
from tests.ports import free_port
from tests.product import Product, running, until

TOKEN = "open sesame"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def figures(port: int, **headers: str) -> dict[str, float]:
    """Values by name and labels."""
    status, text = get(port, "/metrics", **headers)
    assert status == 200, text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {" ".join([sample.name, *sample.labels.values()]): sample.value for sample in samples}


def test_figures_are_off_unless_they_are_wanted(data_dir: Path) -> None:
    with web(data_dir) as port:
        status, text = get(port, "/metrics")
        assert (status, text) == (404, "off: set WIPPY_METRICS_TOKEN, or WIPPY_METRICS_OPEN=1\n")


def test_figures_need_their_token_and_outlive_the_database(data_dir: Path) -> None:
    url = f"postgres://someone:hushhush@127.0.0.1:{free_port()}/nowhere"
    with web(data_dir, DATABASE_URL=url, WIPPY_METRICS_TOKEN=TOKEN) as port:
        for wrong in ({}, {"Authorization": TOKEN}, {"Authorization": "Bearer open"}, {"Authorization": "Bearer é"}):
            assert get(port, "/metrics", **wrong)[0] == 401, wrong
        found = figures(port, **BEARER)
        assert (found["wippy_database_up"], found["wippy_sockets"]) == (0, 0)
        assert found["process_resident_memory_bytes"] > 0


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    listen = f"127.0.0.1:{free_port()}"
    variables = {"WIPPY_METRICS_TOKEN": TOKEN, "WIPPY_METRICS_LISTEN": listen}
    with running(tmp_path_factory.mktemp("metrics"), **variables) as started:
        yield started


def test_a_run_shows_in_the_figures_of_web_and_worker(product: Product) -> None:
    port = int(product.variables["WIPPY_METRICS_LISTEN"].partition(":")[2])
    until(lambda: answers(port), "the worker answers")
    until(lambda: get(port, "/readyz")[0] == 200, "the worker is ready")
    assert json.loads(get(port, "/readyz")[1]) == {"database": "ok", "migrations": "ok", "feed": "ok"}
    assert get(port, "/metrics")[0] == 401 and get(port, "/")[0] == 404
    product.manage("start", "app.questions:expense", "--input", json.dumps({"what": "a desk", "amount": 5000}))
    until(lambda: figures(port, **BEARER)["wippy_step_seconds_count workflow"] > 0, "a workflow steps")
    found = figures(port, **BEARER)
    assert found["wippy_step_seconds_sum workflow"] > 0
    assert any(name.startswith("wippy_units ") for name in found)
    until(lambda: figures(product.port, **BEARER)["wippy_runs running"] >= 1, "the run is counted")
    found = figures(product.port, **BEARER)
    assert (found["wippy_database_up"], found["wippy_nodes"]) == (1, 1)
    assert any(name.startswith("wippy_queue_backlog ") for name in found)
    assert found["wippy_http_request_seconds_count 200"] > 0
