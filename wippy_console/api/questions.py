"""Questions: what runs ask of people, who takes them, what is said about them, and their answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from wippy_console import permissions
from wippy_console.api.callers import key_of
from wippy_console.api.problems import within
from wippy_console.api.shapes import Body, Cursor, Json, Limit, Moment, Nothing, PageOf, Text, payloads
from wippy_console.models import Comment, Decision, Question, Vote
from wippy_console.services import comments, decisions, questions
from wippy_console.services.decisions import Button
from wippy_console.services.questions import Quorum, Wanted

router = Router()

Name = Annotated[Text, Field(max_length=150)]
Reason = Annotated[Text, Field(max_length=2000)]


class QuorumOut(Schema):
    """How many votes send an answer, how many against it end the vote; `own`: whether who started the run may vote."""

    approve: int
    reject: int
    of: list[str]
    own: bool


class AnswerOut(Schema):
    """An answer that may be given: members of `groups` and `users` may, where neither is said everybody who is asked.

    `payload_schema` is the JSON Schema of its payload, null where it has no fields; `payload` are the constants that
    are sent with it. `why_not` says why the caller can't give it now, "" where they can.
    """

    index: int
    topic: str
    label: str
    tone: str
    description: str
    payload_schema: Json = None
    payload: Json = None
    reason: Literal["required", "optional", "none"]
    groups: list[str]
    users: list[str]
    via: Literal["signal", "update"]
    quorum: QuorumOut | None
    is_default: bool
    why_not: str


class TallyOut(Schema):
    """How many votes an answer has and needs."""

    label: str
    given: int
    needed: int


class VoteOut(Schema):
    """Who voted what."""

    user: str
    label: str
    reason: str
    at: datetime


class Winner(Schema):
    """The decision that answered it; `by` is a user, or the address of a guest."""

    id: str
    by: str
    label: str
    topic: str
    reason: str
    state: Literal["pending", "sent", "failed"]
    at: datetime


class QuestionOut(Schema):
    """A question as lists have it.

    `asks` says in few words what is asked; `priority` is from 0 to 100; `due_at` is when its author wants an answer,
    `deadline` when the run waits no longer; `follow_up_at`: put off until then. `outcome` is "" while it is open, and
    `ended` says in words how it ended. `assignee` is who has it now, until `lapses_at`.
    """

    id: int
    run_id: str
    workflow_id: str
    entry: str
    asks: str
    title: str
    text: str
    priority: int
    opened_at: datetime
    due_at: datetime | None
    deadline: datetime | None
    follow_up_at: datetime | None
    escalates_at: datetime | None
    closed_at: datetime | None
    outcome: Literal["", "answered", "elsewhere", "defaulted", "expired", "withdrawn"]
    ended: str
    assignee: str
    lapses_at: datetime | None
    tally: list[TallyOut]


class QuestionWhole(QuestionOut):
    """A question with the answers that may be given, the votes, and the decision that won."""

    answers: list[AnswerOut]
    votes: list[VoteOut]
    decision: Winner | None


class Filters(Schema):
    """Empty ones want all; those that are set add up. `text`: each of its words, anywhere, in any case."""

    view: Literal[questions.VIEWS] = "open"  # type: ignore[valid-type]
    text: Annotated[Text, Field(max_length=200)] = ""
    run_id: Annotated[Text, Field(max_length=64)] = ""
    entry: Annotated[Text, Field(max_length=500)] = ""
    namespace: Annotated[Text, Field(max_length=500)] = ""
    label: Annotated[Text, Field(max_length=200)] = ""
    priority: Literal["", *questions.PRIORITIES] = ""  # type: ignore[valid-type]
    opened_from: Moment | None = None
    due_to: Moment | None = None
    cursor: Cursor = ""
    limit: Limit = 50


class AnswerIn(Body):
    """An answer: by its `index`, else by topic and label; both may be left out where the payload fits one answer alone.

    Constants that the answer declares are sent with it, whatever the payload has.
    """

    payload: Json = None
    topic: Annotated[Text, Field(max_length=500)] = ""
    label: Annotated[Text, Field(max_length=200)] = ""
    index: Annotated[int, Field(ge=0, le=2**31)] | None = None
    reason: Reason = ""


class Given(Schema):
    """What came of it: `sent` with the run's `verdict` if it gives one, or `counted` as a vote beside others."""

    id: str
    state: Literal["pending", "sent", "failed", "counted"]
    verdict: Json = None
    tally: list[TallyOut]


class ClaimIn(Body):
    """`over` names whom it is taken from, as the caller saw it; who else has it by then keeps it."""

    over: Name = ""


class AssignIn(Body):
    """To whom, and in place of whom (`over`, by default the caller). A reason is a comment, too."""

    to: Name
    over: Name = ""
    reason: Reason = ""


class PostponeIn(Body):
    """Until when it is hidden from everybody's list; null brings it back."""

    until: Moment | None


class CommentIn(Body):
    """Markdown; `@name` tells somebody of it who may see the question."""

    text: Annotated[Text, Field(max_length=100_000)]


class CommentOut(Schema):
    """What somebody said; of somebody without an account `by` is the address."""

    id: int
    by: str
    text: str
    at: datetime


@router.get("", response=PageOf[QuestionOut], summary="List questions")
def index(request: HttpRequest, filters: Query[Filters]) -> Any:
    """Those that the caller may answer: by priority, then the nearest date first; those of `done` newest first."""
    permissions.require(request.user, permissions.VIEW_QUESTION)
    page = questions.paged(request.user, filters.view, _wanted(filters), after=filters.cursor, size=filters.limit)
    return {"items": [_out(each) for each in page.rows], "next": page.next}


@router.get("/{int:question}", response=QuestionWhole, summary="Get a question", url_name="question")
def get(request: HttpRequest, question: int) -> Any:
    """Open or not, of any run that the caller may see."""
    return _whole(request, question)


@router.post("/{int:question}/answer", response=Given, summary="Answer a question, or vote")
def answer(request: HttpRequest, question: int, body: AnswerIn) -> Any:
    """One answer fits a question: who comes second gets 409, and reads who was first.

    Where the answer has a quorum this is the caller's vote; the last that is needed sends it. The payload is checked by
    the answer's schema. 503 says that the answer is kept and sent later, or that the run has not said yet what it makes
    of it: the same request with the same `Idempotency-Key` asks again.
    """
    asked, key = _found(request, question), key_of(request)
    payload = payloads(body)
    with within("payload"):
        made = decisions.answer(
            request.user,
            asked,
            *payload,
            index=body.index,
            topic=body.topic,
            label=body.label,
            reason=body.reason,
            key=key,
        )
    is_vote = isinstance(made, Vote)
    verdict = None if isinstance(made, Vote) else made.verdict
    told = {"id": str(made.pk), "state": "counted" if isinstance(made, Vote) else made.state, "verdict": verdict}
    return {**told, "tally": _tally(_found(request, question)) if is_vote else []}


@router.post("/{int:question}/claim", response=QuestionWhole, summary="Take a question")
def claim(request: HttpRequest, question: int, body: ClaimIn) -> Any:
    """For oneself; 409 names who else has it. Taking it again changes nothing."""
    decisions.claim(request.user, _found(request, question), over=body.over)
    return _whole(request, question)


@router.post("/{int:question}/release", response=QuestionWhole, summary="Put a question back")
def release(request: HttpRequest, question: int, body: Nothing) -> Any:
    """For anybody who is asked to take; 409 when the caller does not have it."""
    decisions.release(request.user, _found(request, question))
    return _whole(request, question)


@router.post("/{int:question}/assign", response=QuestionWhole, summary="Give a question to somebody")
def assign(request: HttpRequest, question: int, body: AssignIn) -> Any:
    """Who may answer it; they are told."""
    asked = _found(request, question)
    decisions.assign(request.user, asked, body.to, reason=body.reason, over=body.over)
    return _whole(request, question)


@router.post("/{int:question}/postpone", response=QuestionWhole, summary="Put a question off")
def postpone(request: HttpRequest, question: int, body: PostponeIn) -> Any:
    """It is in no open list until then."""
    decisions.postpone(request.user, _found(request, question), body.until)
    return _whole(request, question)


@router.get("/{int:question}/comments", response=PageOf[CommentOut], summary="List the comments on a question")
def list_comments(request: HttpRequest, question: int) -> Any:
    """The newest 200, the oldest of them first."""
    return {"items": [_comment(each) for each in comments.thread(_found(request, question))]}


@router.post("/{int:question}/comments", response={201: CommentOut}, summary="Comment on a question")
def comment(request: HttpRequest, question: int, body: CommentIn) -> Any:
    """Also on one that is over."""
    key = key_of(request)
    return Status(201, _comment(comments.comment(request.user, _found(request, question), body.text, key)))


def _found(request: HttpRequest, question: int) -> Question:
    """NotFoundError for whoever may not see its run."""
    permissions.require(request.user, permissions.VIEW_QUESTION)
    return questions.get(request.user, question)


def _wanted(filters: Filters) -> Wanted:
    return Wanted(
        text=filters.text,
        run_id=filters.run_id,
        entry=filters.entry,
        namespace=filters.namespace,
        label=filters.label,
        priority=filters.priority,
        since=filters.opened_from,
        until=filters.due_to,
    )


def _out(question: Question) -> dict[str, Any]:
    holder = questions.holder(question)
    times = ("opened_at", "due_at", "deadline", "follow_up_at", "escalates_at", "closed_at")
    return {
        "id": question.pk,
        "run_id": question.run_id,
        "workflow_id": question.run.workflow_id,
        "entry": question.run.entry_id,
        "asks": questions.asks_in_words(question),
        "title": question.title,
        "text": question.text,
        "priority": question.priority,
        **{name: getattr(question, name) for name in times},
        "outcome": question.outcome,
        "ended": questions.outcome_of(question),
        "assignee": holder.get_username() if holder else "",
        "lapses_at": question.lapses_at if holder else None,
        "tally": _tally(question),
    }


def _whole(request: HttpRequest, number: int) -> dict[str, Any]:
    question = _found(request, number)
    buttons = decisions.buttons(request.user, question.run, question.pk)
    won = questions.answer_of(question)
    return {
        **_out(question),
        "answers": [_answer(each) for each in buttons if each.question == question],
        "votes": [_vote(each) for each in question.votes.select_related("user")],
        "decision": _winner(won) if won else None,
    }


def _answer(button: Button) -> dict[str, Any]:
    signal = button.signal
    same = ("index", "topic", "label", "tone", "description", "payload", "reason", "users", "via")
    return {
        **{name: getattr(signal, name) for name in same},
        "payload_schema": signal.schema,
        "groups": signal.roles,
        "quorum": _quorum(signal.quorum) if signal.quorum else None,
        "is_default": signal.default,
        "why_not": button.why_not,
    }


def _quorum(quorum: Quorum) -> dict[str, Any]:
    return {"approve": quorum.approve, "reject": quorum.reject, "of": quorum.of, "own": quorum.own}


def _tally(question: Question) -> list[dict[str, Any]]:
    return [{"label": each.label, "given": each.given, "needed": each.needed} for each in decisions.tally(question)]


def _vote(vote: Vote) -> dict[str, Any]:
    return {"user": vote.user.get_username(), "label": vote.label, "reason": vote.reason, "at": vote.created_at}


def _winner(made: Decision) -> dict[str, Any]:
    same = {name: getattr(made, name) for name in ("label", "topic", "reason", "state")}
    return {**same, "id": str(made.pk), "by": made.who, "at": made.created_at}


def _comment(said: Comment) -> dict[str, Any]:
    by = said.user.get_username() if said.user else said.guest
    return {"id": said.pk, "by": by, "text": said.text, "at": said.created_at}
