"""The hosts that the units of a node can reach: by entry id, or by the pid of a unit that lives elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.contracts.host import Host
from engine.contracts.peers import Peers
from engine.hosts.actor.admission import ProcessStarter
from engine.pids import Pid


@dataclass(frozen=True, slots=True)
class Routes:
    """The mappings are the node's own and change as the registry does; `peers` are the other nodes of a fleet."""

    node_id: str
    process_hosts: Mapping[str, ProcessStarter]
    other_hosts: Mapping[str, Host]
    peers: Peers | None = None

    def is_own(self, pid: Pid) -> bool:
        """Whether it is a pid of this node; so is one that names no node."""
        return pid.node in ("", self.node_id)

    def elsewhere(self, pid: Pid) -> Host | None:
        """The host of a workflow, or of another node's actor; None for pids of this node and of no unit."""
        if self.is_own(pid):
            return None
        host = self.other_hosts.get(pid.host)
        return host or (self.peers.host(pid.node) if self.peers else None)
