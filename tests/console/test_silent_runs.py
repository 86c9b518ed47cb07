"""Runs that can't go on, in the whole product: what a person sees of each, by the command line and in the browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.product import Product, running, until

ENTRIES = """
version: "1.0"
namespace: silent
entries:
  - {name: client, kind: temporal.client}
  - {name: worker, kind: temporal.worker, client: client, task_queue: silent}
  - {name: processes, kind: process.host, host: {}}
  - name: fails
    kind: function.lua
    source: "return function() SAYS end"
  - name: gone
    kind: workflow.lua
    modules: [funcs]
    source: "return function() return funcs.call('silent:nothing') end"
  - name: flaky
    kind: workflow.lua
    modules: [funcs]
    source: "return function() return funcs.call('silent:fails') end"
  - name: nowhere
    kind: process.lua
    source: |
      return function()
        return process.with_options({["workflow.task_queue"] = "nobody-listens"}):spawn("silent:gone", "silent:worker")
      end
"""
FAILS = "return nil, errors.new({message = 'gateway says 503', kind = errors.UNAVAILABLE, retryable = true})"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("silent")
    with running(folder / "data", "--no-examples") as started:
        publish(started, folder, FAILS)
        yield started


def publish(product: Product, folder: Path, says: str) -> None:
    """Publish the entries, and what the function does."""
    (folder / "entries").mkdir(exist_ok=True)
    (folder / "entries" / "_index.yaml").write_text(ENTRIES.replace("SAYS", says))
    product.manage("apply", str(folder / "entries"))


def standing(product: Product, entry: str, key: str) -> dict[str, Any]:
    """The entry's run, once its state is that."""

    def found() -> dict[str, Any] | None:
        told = product.manage("runs", "--entry", entry)["runs"]
        return next((run for run in told if run["state"]["key"] == key), None)

    return until(found, f"{entry} is {key}")


def test_each_is_told_with_its_reason_and_a_call_that_succeeds_is_not_retrying_any_more(
    product: Product, tmp_path: Path
) -> None:
    for entry in ("silent:gone", "silent:flaky"):
        product.manage("start", entry, "--host", "silent:worker")
    gone = standing(product, "silent:gone", "failed")["state"]
    assert "'silent:nothing' not found in the registry: publish it or correct the id" in gone["error"]
    flaky = standing(product, "silent:flaky", "retrying")["state"]
    assert (flaky["call"], flaky["error"]) == ("silent:fails", "gateway says 503")
    assert flaky["attempt"] >= 4 and flaky["next_at"]
    product.manage("start", "silent:nowhere", "--host", "silent:processes")
    nowhere = standing(product, "silent:gone", "no_worker")["state"]
    assert (nowhere["queue"], nowhere["reason"]) == ("nobody-listens", "no worker serves task queue nobody-listens")

    session = product.session()
    for address in ("/", "/runs/", "/live/"):
        text = session.get(address)
        assert all(word in text for word in ("gateway says 503", "nobody-listens", "silent:nothing")), address

    publish(product, tmp_path, "return 'well'")
    run = standing(product, "silent:flaky", "completed")
    page = session.get(f"/runs/{run['workflow_id']}/{run['run_id']}/")
    assert "Completed" in page and 'id="trouble"' not in page
    assert product.manage("runs", "--status", "retrying")["runs"] == []
