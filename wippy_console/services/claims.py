"""Claims: leases and names that one node of the fleet holds and no other, as long as it is alive."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from wippy_console.models import Claim, Node
from wippy_console.services.errors import Unavailable

NAME, SERVICE = Claim.Kind.NAME, Claim.Kind.SERVICE


def acquire(kind: Claim.Kind, key: str, node_id: str, pid: str = "") -> Claim:
    """The claim as it stands: the node's own if nobody alive has it. Unavailable when the node itself is not alive.

    A node holds it for one `pid`: another one of the same node gets the claim of the first.
    """
    if found := holder(kind, key):  # the rule, which costs no lock
        return found
    with transaction.atomic():
        me = Node.objects.filter(id=node_id).first()
        if me is None or not me.is_alive:
            raise Unavailable("This node is taken for dead: it could not write its heartbeat for too long.")
        claims = Claim.objects.select_for_update().select_related("node")
        claim, _ = claims.get_or_create(kind=kind, key=key, defaults={"node": me, "pid": pid})
        if not claim.node.is_alive:
            claim.node, claim.pid, claim.since = me, pid, timezone.now()
            claim.save()
        return claim


def holder(kind: Claim.Kind, key: str) -> Claim | None:
    """The claim, when a live node has it."""
    claim = Claim.objects.select_related("node").filter(kind=kind, key=key).first()
    return claim if claim is not None and claim.node.is_alive else None


def revoke(kind: Claim.Kind, key: str) -> bool:
    """Drop a claim, whoever has it; whether there was one."""
    return bool(Claim.objects.filter(kind=kind, key=key).delete()[0])


def release(kind: Claim.Kind, node_id: str, pid: str = "") -> bool:
    """Drop the claims that a node has for a pid; whether there was one."""
    return bool(Claim.objects.filter(kind=kind, node_id=node_id, pid=pid).delete()[0])
