"""Decisions: an operator's answer, raw signal, cancel or terminate; audited, and sent exactly once."""

from __future__ import annotations

from wippy_console.services.decisions.acts import (
    RESERVED,
    answer,
    answer_by_clock,
    answer_by_topic,
    audit,
    buttons,
    cancel,
    decide,
    is_given,
    known,
    reset,
    send,
    send_raw,
    terminate,
    update,
)
from wippy_console.services.decisions.bulk import MOST, Result, common, decide_all, selected
from wippy_console.services.decisions.claims import assign, claim, postpone, release
from wippy_console.services.decisions.from_outside import answer_as_guest
from wippy_console.services.decisions.journal import has_failed, shown_payload
from wippy_console.services.decisions.listing import ACTIONS, Wanted, listed, one, told_payload
from wippy_console.services.decisions.payloads import refuse_unfit
from wippy_console.services.decisions.resuming import resume, resume_pending
from wippy_console.services.decisions.tally import Tally, tally
from wippy_console.services.decisions.values import Button

__all__ = [
    "ACTIONS",
    "MOST",
    "RESERVED",
    "Button",
    "Result",
    "Tally",
    "Wanted",
    "answer",
    "answer_as_guest",
    "answer_by_clock",
    "answer_by_topic",
    "assign",
    "audit",
    "buttons",
    "cancel",
    "claim",
    "common",
    "decide",
    "decide_all",
    "has_failed",
    "is_given",
    "known",
    "listed",
    "one",
    "postpone",
    "refuse_unfit",
    "release",
    "reset",
    "resume",
    "resume_pending",
    "selected",
    "send",
    "send_raw",
    "shown_payload",
    "tally",
    "terminate",
    "told_payload",
    "update",
]
