"""One answer to several questions: on a real Temporal, each a decision of its own."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.test import Client

from tests.console.operating import Stage
from tests.console.test_decisions import signals
from wippy_console.models import Decision, Question
from wippy_console.services import decisions, questions
from wippy_console.services.errors import NotFoundError, Refused

pytestmark = pytest.mark.django_db(transaction=True)


def three(stage: Stage) -> list[Question]:
    return [stage.ask(stage.start("app.flows:approval", {"wanted": 9}), "decision") for _ in range(3)]


def approve(stage: Stage, asked: list[Question], **options: Any) -> list[decisions.Result]:
    signal = decisions.common(asked)[0]
    given = {"reason": "fine", "key": uuid.uuid4(), **options}
    return decisions.decide_all(stage.cast.approver, asked, signal, {"comment": "ok"}, **given)


def test_each_answer_is_a_decision_of_its_own_and_the_failed_one_says_why(on_stage: Stage) -> None:
    asked = three(on_stage)
    decisions.claim(on_stage.cast.root, asked[1])
    results = approve(on_stage, asked)
    assert [each.error for each in results] == ["", "root has taken it.", ""]
    assert [len(signals(each.run)) for each in asked] == [1, 0, 1]
    made = Decision.objects.filter(state="sent")
    assert made.count() == 2 and {each.user.username for each in made} == {"approver"}
    assert made.first().payload == {"comment": "ok", "approved": True}  # type: ignore[union-attr]


def test_the_same_form_again_has_no_second_effect(on_stage: Stage) -> None:
    asked, key = three(on_stage), uuid.uuid4()
    first, again = (approve(on_stage, asked, key=key) for _ in range(2))
    assert [each.made for each in first] == [each.made for each in again]
    assert [len(signals(each.run)) for each in asked] == [1, 1, 1]


def test_what_is_not_as_declared_sends_nothing(on_stage: Stage) -> None:
    asked = three(on_stage)
    signal = decisions.common(asked)[0]
    with pytest.raises(Refused) as refusal:
        decisions.decide_all(on_stage.cast.approver, asked, signal, {"comment": 7}, reason="", key=uuid.uuid4())
    assert {"reason", "comment"} <= set(refusal.value.fields)
    assert not Decision.objects.exists()


def test_only_what_all_take_alike_is_answered_at_once(on_stage: Stage) -> None:
    asked = three(on_stage)
    assert [signal.label for signal in decisions.common(asked)] == ["Approve", "Reject"]
    Question.objects.filter(pk=asked[0].pk).update(signals=[{"topic": "decision", "label": "Reject", "reason": "none"}])
    asked[0].refresh_from_db()
    assert [signal.label for signal in decisions.common(asked)] == ["Reject"]
    assert decisions.common([]) == []


def test_a_selection_has_an_end(on_stage: Stage) -> None:
    with pytest.raises(Refused, match="At most 100"):
        decisions.selected(on_stage.cast.approver, range(101))
    with pytest.raises(NotFoundError):
        decisions.selected(on_stage.cast.approver, [999])


def test_the_pages_of_several_answers_need_no_javascript(on_stage: Stage, client: Client) -> None:
    asked = three(on_stage)
    client.force_login(on_stage.cast.approver)
    chosen = "&".join(f"chosen={each.pk}" for each in asked)
    text = client.get(f"/inbox/bulk/?{chosen}").content.decode()
    assert "Answer 3 questions" in text and text.count("data-row") == 3 and "answer=1" in text
    form = client.get(f"/inbox/bulk/?{chosen}&answer=0").content.decode()
    key = re.search(r'name="key" value="([^"]+)"', form)
    assert key is not None
    decisions.claim(on_stage.cast.root, asked[2])
    given = {"chosen": [each.pk for each in asked], "answer": "0", "key": key[1], "reason": "all of them"}
    refused = client.post("/inbox/bulk/", given)
    assert refused.status_code == 422 and "all of them" in refused.content.decode()
    field = re.search(r'<input[^>]*name="([^"]*comment)"', form)
    assert field is not None
    done = client.post("/inbox/bulk/", {**given, field[1]: "ok"}).content.decode()
    assert "2 of 3 answered" in done and "root has taken it." in done
    assert done.index("Not answered") < done.index(f"/inbox/{asked[2].pk}/") < done.index(f"/inbox/{asked[0].pk}/")
    assert questions.listed(on_stage.cast.approver, "others").get() == asked[2]


def test_questions_with_nothing_in_common_are_told_apart(on_stage: Stage, client: Client) -> None:
    asked = three(on_stage)
    Question.objects.filter(pk=asked[0].pk).update(signals=[{"topic": "ship", "label": "Ship"}])
    client.force_login(on_stage.cast.approver)
    text = client.get("/inbox/bulk/?" + "&".join(f"chosen={each.pk}" for each in asked)).content.decode()
    assert "take no answer in common" in text
    assert "1 that take Ship" in text and f"chosen={asked[1].pk}&amp;chosen={asked[2].pk}" in text
    assert "Nothing is selected" in client.get("/inbox/bulk/").content.decode()
