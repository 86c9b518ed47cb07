"""Brings to their end what a crash, an absent Temporal or a run that takes its time left pending."""

from __future__ import annotations

import logging
import random
from contextlib import suppress

from temporalio.service import RPCError

from wippy_console.models import Decision
from wippy_console.services.decisions import journal, wire
from wippy_console.services.errors import NoVerdict, Refused, Unavailable

logger = logging.getLogger(__name__)

VERDICTS_AT_ONCE = 5
"""So many runs are asked again for their verdict in one round, by turns of chance: each may take a moment."""


def resume(decision: Decision) -> Decision:
    """Finish a decision that a crash left pending; sends again with the same request id, so without a second effect."""
    return journal.finish(decision)


def resume_pending(older_than: float = 10.0) -> int:
    """Finish every decision pending for longer than that many seconds; returns how many. Called by the reconciler.

    A Temporal that is away, or a run that gives no verdict, keeps no other decision from its end.
    """
    finished, away = 0, set[str]()
    for decision in _by_turns(journal.unfinished(older_than)):
        if decision.run.client not in away:
            finished += _finished(decision, away)
    for decision in journal.unlinked():
        if decision.run.client not in away:
            with suppress(Refused, RPCError):
                journal.link(decision)
    return finished


def _by_turns(decisions: list[Decision]) -> list[Decision]:
    """What is done at once, then some of those that may wait for a run."""
    waiting = [each for each in decisions if each.via == wire.UPDATE]
    others = [each for each in decisions if each.via != wire.UPDATE]
    return [*others, *random.sample(waiting, min(len(waiting), VERDICTS_AT_ONCE))]


def _finished(decision: Decision, away: set[str]) -> bool:
    try:
        journal.finish(decision, wire.MOMENT)
    except NoVerdict:
        return False
    except Unavailable as unavailable:
        away.add(decision.run.client)
        logger.warning("Temporal (%s) does not answer, decisions wait: %s", decision.run.client, unavailable)
        return False
    except Refused as error:
        logger.info("decision %s: %s", decision.pk, error)
    except Exception:  # one that can't be finished must not keep the others from it
        logger.exception("could not finish decision %s", decision.pk)
        return False
    return True
