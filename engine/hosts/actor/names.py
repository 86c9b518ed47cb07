"""Registered names of one node: the scope LOCAL of docs/lua.md#process-names."""

from __future__ import annotations


def is_like_pid(name: str) -> bool:
    """Whether it could be taken for a pid: who held such a name would get what is meant for that unit."""
    return name.startswith("{")


class Names:
    """Names and the pids that hold them, both ways. Guarded by the lock of the `Table`."""

    def __init__(self) -> None:
        self._pids: dict[str, str] = {}
        self._names: dict[str, set[str]] = {}

    def claim(self, name: str, pid: str) -> str:
        """Give the name to `pid` unless it is held; returns the holder, which is `pid` on success."""
        holder = self._pids.setdefault(name, pid)
        if holder == pid:
            self._names.setdefault(pid, set()).add(name)
        return holder

    def holder(self, name: str) -> str | None:
        """The pid that holds the name, or None."""
        return self._pids.get(name)

    def release(self, name: str) -> bool:
        """Free the name; False when it was not held."""
        pid = self._pids.pop(name, None)
        if pid is None:
            return False
        held = self._names[pid]
        held.discard(name)
        if not held:
            del self._names[pid]
        return True

    def of(self, pid: str) -> tuple[str, ...]:
        """The names that a pid holds, sorted."""
        held = self._names.get(pid)
        return tuple(sorted(held)) if held else ()

    def drop(self, pid: str) -> None:
        """Free every name of a pid that ended."""
        for name in self._names.pop(pid, ()):
            del self._pids[name]
