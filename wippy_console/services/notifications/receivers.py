"""Who is told: those whom the entry names and those who wish it themselves, as far as they may see what it is about."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q

from wippy_console import permissions
from wippy_console.models import NotificationPreference, Question, Run
from wippy_console.services import questions
from wippy_console.services.notifications import rules
from wippy_console.services.notifications.rules import Rule

MOST = 500
"""Receivers of one notice; a group may be larger, and each needs a look at their rights."""


@dataclass(frozen=True, slots=True)
class News:
    """A fact that people may be told of. `fact` names it, so that nobody is told of it twice.

    `declared` is `meta.notify`; a question has its own.
    """

    kind: str
    fact: str
    question: Question | None = None
    run: Run | None = None
    users: tuple[Any, ...] = ()
    declared: Any = None
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def rules(self) -> list[Rule]:
        """What the author says of it."""
        said = self.question.options.get("notify") if self.question is not None else None
        return rules.rules_for(self.kind, said or self.declared)


@dataclass(frozen=True, slots=True)
class Receiver:
    """One who is told, and the methods that the entry asks for; their own wishes come on top."""

    user: User
    how: tuple[str, ...] = ()


def receivers(news: News, wishing: Iterable[User]) -> list[Receiver]:
    """Everybody who is told and may see it; `wishing` are those whom it concerns and who chose its kind themselves."""
    how: dict[int, set[str]] = {}
    people: dict[int, User] = {}

    def add(user: User, methods: Iterable[str] = ()) -> None:
        people[user.pk] = user
        how.setdefault(user.pk, set()).update(methods)

    for rule in news.rules:
        for user in _named(rule.who, news):
            add(user, rule.how)
    for user in news.users:
        add(user)
    for user in wishing:
        add(user)
    seeing = those_who_may(people.values(), news.question, news.run)
    return [Receiver(user, tuple(how[user.pk])) for user in seeing]


def may_be_told(user: User, question: Question | None, run: Run | None) -> bool:
    """Whether the user may see what it is about: no notification tells more than the console would."""
    return bool(those_who_may([user], question, run))


def those_who_may(people: Collection[User], question: Question | None, run: Run | None) -> list[User]:
    """The same of many: three queries for all who may see it, a few more for each who may only answer."""
    subject = question or run
    if subject is None:
        return []
    seeing = {user.pk for user in permissions.those_with(people, permissions.VIEW_RUN, subject.namespace)}
    return [user for user in people if user.pk in seeing or (user.is_active and _only_answers(user, question))]


def _only_answers(user: User, question: Question | None) -> bool:
    return question is not None and questions.may_answer(user, question)


def concerned(news: Sequence[News], wishes: Iterable[NotificationPreference]) -> dict[int, list[User]]:
    """By place in the list, those who chose the kind and whose business it is: a question to answer, a run of theirs.

    One query for each who chose, none for each fact.
    """
    asked = {each.question.pk for each in news if each.question is not None}
    found: dict[int, list[User]] = {}
    for wish in wishes:
        user = wish.user
        mine = set(questions.open_for(user).filter(pk__in=asked).values_list("pk", flat=True)) if asked else set()
        for place, each in enumerate(news):
            if wish.chosen.get(each.kind) and _is_business(user, each, mine):
                found.setdefault(place, []).append(user)
    return found


def _is_business(user: User, news: News, answerable: Collection[int]) -> bool:
    if news.kind in (rules.ASSIGNED, rules.MENTIONED):  # it is told to somebody in particular
        return False
    if news.question is not None:
        return news.question.pk in answerable
    return news.run is not None and news.run.started_by_id == user.pk


def _named(who: Sequence[str], news: News) -> list[User]:
    """The people that the words stand for."""
    found: list[User | None] = []
    names = [name for name in who if name not in (rules.STARTER, rules.ASSIGNEE, rules.CANDIDATES)]
    run = news.question.run if news.question is not None else news.run
    if rules.STARTER in who and run is not None:
        found.append(questions.starter_of(run))
    if rules.ASSIGNEE in who and news.question is not None:
        found.append(questions.holder(news.question))
    if rules.CANDIDATES in who and news.question is not None:
        found += _candidates(news.question)
    if names:
        found += _people(names, names)
    return [user for user in found if user is not None]


def _candidates(question: Question) -> list[User]:
    """Those who are asked by name or by group; where everybody is, nobody in particular."""
    rows = [row for row in question.roles.all() if row.role or row.user]
    named = _people([row.user for row in rows if row.user], [row.role for row in rows if row.role])
    return permissions.those_with(named, permissions.SIGNAL_RUN, question.namespace)


def _people(names: Sequence[str], groups: Sequence[str]) -> list[User]:
    meant = Q(username__in=names) | Q(groups__name__in=groups)
    return list(User.objects.filter(meant, is_active=True).distinct().order_by("pk")[:MOST])


def wishing(kinds: Collection[str]) -> list[NotificationPreference]:
    """The preferences of those who chose one of the kinds: one query, however much happened."""
    chosen = Q()
    for kind in kinds:
        chosen |= Q(chosen__has_key=kind)
    found = NotificationPreference.objects.filter(chosen, user__is_active=True).select_related("user")
    return list(found.order_by("pk"))
