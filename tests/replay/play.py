"""Replays recordings in this OS process: `python -m tests.replay.play FILE...`; exit code 1 when one differs."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from engine.hosts.temporal.worker.worker import replayer
from tests.replay.recording import Recording


async def play(path: Path) -> str:
    """What is wrong with the replay of a recording, or ""."""
    recording = Recording.load(path)
    result = await replayer(recording.settings()).replay_workflow(recording.history, raise_on_replay_failure=False)
    return "" if result.replay_failure is None else f"{path.name}: {result.replay_failure}"


async def main(paths: list[Path]) -> int:
    """The exit code."""
    problems = [problem for path in paths if (problem := await play(path))]
    sys.stdout.write("\n".join([*problems, f"{len(paths) - len(problems)} of {len(paths)} replayed"]) + "\n")
    return 1 if problems else 0


if __name__ == "__main__":
    code = asyncio.run(main([Path(name) for name in sys.argv[1:]]))
    sys.stdout.flush()
    # The SDK's threads crash some interpreters that exit while they wind down (sdk-python issue 300).
    os._exit(code)
