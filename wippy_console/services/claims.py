"""Claims: what one node of the fleet has and no other. A claim counts as long as its node is alive."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from wippy_console.models import Claim, Node
from wippy_console.services.errors import Unavailable

NAME, SERVICE = Claim.Kind.NAME, Claim.Kind.SERVICE


def take(kind: Claim.Kind, key: str, node_id: str, pid: str = "") -> Claim:
    """The claim as it stands: the node's own if nobody alive has it. Unavailable when the node itself is not alive.

    A node has it for one `pid`: another one of the same node gets the claim of the first.
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


def give_back(kind: Claim.Kind, node_id: str, key: str = "", pid: str = "") -> bool:
    """Drop claims of a node: that of a key, those of a pid, or all of the kind; whether there was one."""
    claims = Claim.objects.filter(kind=kind, node_id=node_id)
    claims = claims.filter(key=key) if key else claims
    claims = claims.filter(pid=pid) if pid else claims
    return bool(claims.delete()[0])
