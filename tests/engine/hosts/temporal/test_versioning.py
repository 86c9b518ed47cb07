"""Versioned workers: which build runs what, and that no run waits for a build for ever."""

from __future__ import annotations

import asyncio
import subprocess
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from temporalio.client import Client

from engine.errors import UnitFailed
from engine.hosts.temporal.worker.options import sdk_options, version_of
from tests.engine.hosts.temporal.stage import Stage, until, workflow_id
from tests.patience import PATIENCE
from wippy_console.supervision.dev_server import BINARY

WAITS = "process.listen('go'):receive() return funcs.call('app:build')"
NOW = "return funcs.call('app:build')"

Build = Callable[..., Awaitable[Stage]]


@pytest.fixture
def deployment() -> str:
    return f"shop-{uuid.uuid4().hex[:8]}"


@pytest.fixture
async def build(temporal_address: str, deployment: str) -> AsyncIterator[Build]:
    """Starts workers of builds of one deployment on one queue; a function tells which build ran it."""
    stages: list[Stage] = []
    queue = uuid.uuid4().hex

    async def start(build_id: str, behavior: str = "pinned") -> Stage:
        options = {
            "deployment_name": deployment,
            "build_id": build_id,
            "use_versioning": True,
            "default_versioning_behavior": behavior,
        }
        client = await Client.connect(temporal_address)
        stage = await Stage.on(client, queue=queue, worker_options=options)
        stages.append(stage)
        stage.workflow("app:waits", WAITS)
        stage.workflow("app:now", NOW)
        stage.function("app:build", f"return '{build_id}'")
        for name in ("app:waits", "app:now"):
            stage.catalog.current(name)
        await until(lambda: knows(stage, build_id))
        return stage

    async def knows(stage: Stage, build_id: str) -> bool:
        done = await cli(stage, "describe", "--name", deployment)
        return done.returncode == 0 and build_id in done.stdout

    yield start
    for stage in stages:
        await stage.close()


async def cli(stage: Stage, *args: str) -> subprocess.CompletedProcess[str]:
    """Run `temporal worker deployment ...`, as an operator does."""
    address = stage.client.service_client.config.target_host
    command = [str(BINARY), "worker", "deployment", *args, "--address", address]
    return await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, check=False, timeout=PATIENCE
    )


async def make_current(stage: Stage, deployment: str, build_id: str) -> None:
    done = await cli(
        stage, "set-current-version", "--deployment-name", deployment, "--build-id", build_id, "--yes",
        "--ignore-missing-task-queues",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


async def began(stage: Stage, pid: str) -> None:
    await stage.waits_for(pid, "topic", "go")


async def test_the_first_build_is_current_by_itself_and_runs(build: Build, deployment: str) -> None:
    stage = await build("one")
    pid = await stage.spawn("app:now")
    assert (await stage.exit(pid)).value == "one"
    versioning = (await stage.host.describe(workflow_id(pid))).raw_description.workflow_execution_info.versioning_info
    assert versioning.deployment_version.build_id == "one"
    assert versioning.deployment_version.deployment_name == deployment


async def test_a_later_build_serves_new_runs_when_the_operator_says_so(build: Build, deployment: str) -> None:
    one = await build("one")
    pinned = await one.spawn("app:waits")
    await began(one, pinned)
    two = await build("two")
    assert await two.value("app:now") == "one"
    await make_current(two, deployment, "two")

    async def moved() -> bool:
        return bool(await two.value("app:now") == "two")

    await until(moved)
    await one.host.send(pinned, "go", (), "")
    assert (await one.exit(pinned)).value == "one"


async def test_a_run_that_may_be_upgraded_goes_on_with_the_current_build(build: Build, deployment: str) -> None:
    one = await build("one", "auto_upgrade")
    pid = await one.spawn("app:waits")
    await began(one, pid)
    two = await build("two", "auto_upgrade")
    await make_current(two, deployment, "two")

    async def moved() -> bool:
        return bool(await two.value("app:now") == "two")

    await until(moved)
    await two.host.send(pid, "go", (), "")
    assert (await two.exit(pid)).value == "two"


async def test_a_build_that_is_started_again_turns_nothing_back(build: Build, deployment: str) -> None:
    one = await build("one")
    assert await one.value("app:now") == "one"
    two = await build("two")
    await make_current(two, deployment, "two")
    await one.rest()
    await one.serve_again()
    await asyncio.sleep(1)
    assert await one.value("app:now") == "two"


async def test_a_start_may_be_pinned_to_a_build(build: Build, deployment: str) -> None:
    one = await build("one")
    assert await one.value("app:now") == "one"
    await build("two")
    version = {"deployment_name": deployment, "build_id": "two"}
    options = {"workflow.versioning_override": {"mode": "pinned", "version": version}}
    pinned = ""

    async def present() -> bool:
        """The queue learns of a build a moment after the deployment does."""
        nonlocal pinned
        try:
            pinned = await one.spawn("app:now", options=options)
        except UnitFailed as error:
            if "not present" not in error.failure.message:
                raise
        return bool(pinned)

    await until(present)
    assert (await one.exit(pinned)).value == "two"
    assert (await one.run("app:now", options={"workflow.versioning_override": "auto_upgrade"})).value == "one"


def test_versioning_without_a_build_is_refused() -> None:
    for given in ({"use_versioning": True}, {"use_versioning": True, "deployment_name": "shop", "build_id": ""}):
        with pytest.raises(UnitFailed, match="'app:worker': use_versioning needs a deployment_name and a build_id"):
            sdk_options("app:worker", given)


def test_a_build_without_versioning_is_only_told() -> None:
    options = sdk_options("app:worker", {"deployment_name": "shop", "build_id": "7"})
    assert options["deployment_config"].use_worker_versioning is False
    assert version_of(options) is None


def test_options_are_those_of_the_sdk() -> None:
    given: dict[str, Any] = {
        "max_concurrent_activity_execution_size": 7,
        "max_concurrent_workflow_task_execution_size": 8,
        "max_concurrent_local_activity_execution_size": 9,
        "max_concurrent_activity_task_pollers": 3,
        "max_concurrent_workflow_task_pollers": 1,
        "worker_activities_per_second": 2.5,
        "sticky_schedule_to_start_timeout": "7s",
        "worker_stop_timeout": 1500,
        "identity": "me",
        "disable_eager_activities": True,
        "local_activity_worker_only": True,
        "enable_session_worker": True,
        "max_concurrent_session_execution_size": 5,
        "unheard_of": 1,
    }
    options = sdk_options("app:worker", given)
    pollers = options.pop("activity_task_poller_behavior"), options.pop("workflow_task_poller_behavior")
    assert [poller.maximum for poller in pollers] == [3, 2]
    assert {name: str(value) for name, value in options.items()} == {
        "max_concurrent_activities": "7",
        "max_concurrent_workflow_tasks": "8",
        "max_concurrent_local_activities": "9",
        "max_activities_per_second": "2.5",
        "sticky_queue_schedule_to_start_timeout": "0:00:07",
        "graceful_shutdown_timeout": "0:00:01.500000",
        "max_heartbeat_throttle_interval": "0:00:02",
        "default_heartbeat_throttle_interval": "0:00:02",
        "identity": "me",
        "disable_eager_activity_execution": "True",
        "no_remote_activities": "True",
    }
