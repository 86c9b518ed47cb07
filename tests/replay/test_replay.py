"""Recorded histories replay in an OS process that never saw them, whatever kernel recorded them."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from engine.hosts.temporal.worker.worker import replayer
from engine.program import Chunk, Program
from tests.engine.hosts.temporal.stage import Stage, body
from tests.patience import PATIENCE
from tests.replay.record import recorded
from tests.replay.recording import FOLDER, Recording
from tests.replay.scenarios import SCENARIOS, perform

ROOT = Path(__file__).parents[2]


def replayed_elsewhere(*paths: Path, seed: str = "random") -> str:
    """What a fresh OS process says after replaying the files; fails when one differs."""
    command = [sys.executable, "-m", "tests.replay.play", *map(str, paths)]
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_recorded_history_replays_in_a_fresh_process() -> None:
    paths = sorted(FOLDER.glob("*.json"))
    assert len(paths) >= 2 * len(SCENARIOS)
    assert f"{len(paths)} of {len(paths)} replayed" in replayed_elsewhere(*paths)


@pytest.mark.parametrize("name", SCENARIOS)
async def test_what_a_run_did_now_replays_in_fresh_processes(stage: Stage, tmp_path: Path, name: str) -> None:
    pid = await perform(stage, name)
    recordings = await recorded(stage, pid)
    paths = [tmp_path / f"{number}.json" for number in range(len(recordings))]
    for recording, path in zip(recordings, paths, strict=True):
        recording.save(path)
    # The order of native `pairs` differs between processes: twenty of them would show it.
    for seed in range(0, 20 if name == "pairs" else 2, 2):
        replays = (asyncio.to_thread(replayed_elsewhere, *paths, seed=str(n)) for n in (seed, seed + 1))
        await asyncio.gather(*replays)


SWAPS = [
    ("funcs.call('app:fn', 1) funcs.call('app:fn', 2)", "funcs.call('app:fn', 2) funcs.call('app:fn', 1)"),
    ("funcs.call('app:local', 1) funcs.call('app:local', 2)", "funcs.call('app:local', 2) funcs.call('app:local', 1)"),
    ("funcs.call('app:fn', {x = 1})", "funcs.call('app:fn', {x = 2})"),
    ("funcs.call('app:fn', 1)", "time.sleep('10ms')"),
    ("process.exec('app:child', 'app:worker', 1)", "process.exec('app:child', 'app:worker', 2)"),
]


@pytest.mark.parametrize(("before", "after"), SWAPS)
async def test_a_replay_notices_what_changed_places(stage: Stage, before: str, after: str) -> None:
    stage.function("app:fn", "return 1")
    stage.function("app:local", "return 1", temporal={"activity": {"local": True}})
    stage.workflow("app:child", "return 1")
    stage.workflow("app:w", before)
    pid = await stage.spawn("app:w")
    await stage.exit(pid)
    [recording] = await recorded(stage, pid)
    assert await problem(recording) is None
    changed = {digest: changed_to(program, after) for digest, program in recording.programs.items()}
    found = await problem(replace(recording, programs=changed))
    assert found is not None
    assert "TMPRL1100" in str(found) or "ondeterminism" in str(found)


async def problem(recording: Recording) -> Exception | None:
    """What a replay in this process finds."""
    result = await replayer(recording.settings()).replay_workflow(recording.history, raise_on_replay_failure=False)
    return result.replay_failure


def changed_to(program: Program, code: str) -> Program:
    """The program with another body for `app:w`, under the digest of the old one."""
    if program.entry_id != "app:w":
        return program
    chunk = program.chunks["app:w"]
    return replace(program, chunks={"app:w": Chunk("app:w", body(code), chunk.modules, chunk.imports)})
