"""Recordings: a history together with the programs and entries that its run saw, as one JSON file.

A recording needs no registry: whatever becomes of entries and linking, its programs stay as they were.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory

from engine.entry import Entry
from engine.errors import ProgramError
from engine.hosts.temporal.settings import WorkerSettings
from engine.program import Program
from wippy_console.env import ROOT

FOLDER = Path(__file__).parent / "histories"


@dataclass(frozen=True)
class Recording:
    """One history and what is needed to replay it. `programs` are by digest, `entries` by id."""

    history: WorkflowHistory
    programs: Mapping[str, Program]
    entries: Mapping[str, Entry]
    worker: str
    client: str
    task_queue: str

    def settings(self) -> WorkerSettings:
        """The settings of the worker that recorded it."""
        return WorkerSettings(RecordedCatalog(self), self.worker, self.client, self.task_queue)

    def save(self, path: Path) -> None:
        """Write the file."""
        data = {
            "worker": self.worker,
            "client": self.client,
            "task_queue": self.task_queue,
            "programs": {digest: program.to_json() for digest, program in sorted(self.programs.items())},
            "entries": [entry.to_json() for _, entry in sorted(self.entries.items())],
            "workflow_id": self.history.workflow_id,
            "history": self.history.to_json_dict(),
        }
        path.write_text(portable(json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False)), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Recording:
        """Read the file."""
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        entries = [Entry(e["id"], e["kind"], e["meta"], e["data"]) for e in data["entries"]]
        return cls(
            history=WorkflowHistory.from_json(data["workflow_id"], data["history"]),
            programs={digest: Program.from_json(p) for digest, p in data["programs"].items()},
            entries={entry.id: entry for entry in entries},
            worker=data["worker"],
            client=data["client"],
            task_queue=data["task_queue"],
        )


class RecordedCatalog:
    """The registry as a recording saw it: one version, which is every version."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording

    def entry(self, entry_id: str) -> Entry | None:
        return self._recording.entries.get(entry_id)

    def entry_at(self, entry_id: str, version: int) -> Entry | None:
        return self._recording.entries.get(entry_id)

    def written_at(self, entry_id: str, version: int) -> Entry | None:
        return self._recording.entries.get(entry_id)

    def state(self, version: int) -> Mapping[str, Entry]:
        return self._recording.entries

    def entries(self, kind: str) -> list[Entry]:
        return [entry for entry in self._recording.entries.values() if entry.kind == kind]

    def current(self, entry_id: str) -> Program:
        raise ProgramError("a replay starts nothing", entry_id=entry_id)

    def pinned(self, digest: str) -> Program:
        try:
            return self._recording.programs[digest]
        except KeyError:
            raise ProgramError(f"there is no program {digest}") from None

    def version(self) -> int:
        return 1


def portable(text: str) -> str:
    """What a recording keeps: stack traces name files from the top of the project, not from the machine's root."""
    return text.replace(f"{ROOT}/", "") + "\n"
