"""Who may give which answer to a question."""

from __future__ import annotations

from typing import Any

from wippy_console import permissions
from wippy_console.models import Question
from wippy_console.services import accounts
from wippy_console.services.questions.signals import Signal, of, voters_of


def may_give(user: Any, signal: Signal, question: Question | None) -> bool:
    """Whether the user is among those who may give that answer; the right to answer at all is another matter.

    Superusers are, and who acts for somebody at the command line is whom they act for.
    """
    groups = [*signal.roles, *escalated_to(question)]
    users, voters = signal.users, voters_of(signal, of(question) if question is not None else [])
    if user.is_superuser or not (signal.roles or users or voters):
        return True
    name = accounts.person(user).get_username()
    return name in users or name in voters or any(permissions.in_role(user, group) for group in (*groups, *voters))


def who_may(signal: Signal, question: Question | None) -> str:
    """Those in words, for somebody who is none of them."""
    voters = voters_of(signal, of(question) if question is not None else [])
    groups = dict.fromkeys([*signal.roles, *escalated_to(question), *voters])
    named = [f"members of {' or '.join(groups)}"] if groups else []
    return f"Only {' or '.join([*named, *signal.users])} may answer this."


def escalated_to(question: Question | None) -> list[str]:
    """The group that may answer as well since the question was escalated."""
    if question is None or question.escalated_at is None:
        return []
    return list(filter(None, [escalation_of(question)]))


def escalation_of(question: Question) -> str:
    """The group that is asked as well when nobody answers in time, "" for none."""
    escalate = question.options.get("escalate")
    group = escalate.get("to") if isinstance(escalate, dict) else None
    return group if isinstance(group, str) else ""
