"""The configuration samples of the document that the project implements load unchanged.

They are fragments: what they refer to and do not show is added around them.
"""

from __future__ import annotations

from engine.registry.tree import parse
from tests.engine.registry.checking import found

SUPERVISED = """\
# Process definition
- name: session_handler
  kind: process.lua
  source: file://session_handler.lua
  method: main

# Supervised service wrapping the process
- name: session_manager
  kind: process.service
  process: app:session_handler
  host: app:processes
  lifecycle:
    auto_start: true
    restart:
      max_attempts: 10
"""

DEFINITION = """\
- name: order_processor
  kind: workflow.lua
  source: file://order_processor.lua
  method: main
  modules:
    - funcs
    - time
"""

PROVIDER = """\
- name: temporal_worker
  kind: temporal.worker
  client: app:temporal_client
  task_queue: "orders"
  lifecycle:
    auto_start: true
"""

AROUND = """\
- name: processes
  kind: process.host
- name: temporal_client
  kind: temporal.client
  address: ${env:TEMPORAL_ADDRESS}
"""

FILES: dict[str, str | bytes] = {
    "_index.yaml": "namespace: app\nentries:\n" + AROUND + SUPERVISED + DEFINITION + PROVIDER,
    "session_handler.lua": "return {main = function() end}",
    "order_processor.lua": "return {main = function() end}",
}


def test_the_samples_load_without_a_problem() -> None:
    assert found(FILES) == []
    entries = parse(FILES).entries
    assert entries["app:session_manager"].data["lifecycle"] == {"auto_start": True, "restart": {"max_attempts": 10}}
    assert entries["app:temporal_worker"].data["task_queue"] == "orders"
    assert entries["app:order_processor"].data["modules"] == ["funcs", "time"]


def test_without_what_they_refer_to_they_are_refused() -> None:
    lonely = {**FILES, "_index.yaml": "namespace: app\nentries:\n" + SUPERVISED + DEFINITION + PROVIDER}
    assert [line.partition(": ")[2] for line in found(lonely)] == [
        "app:session_manager host: there is no entry `app:processes`",
        "app:temporal_worker client: there is no entry `app:temporal_client`",
    ]
