"""Subscriptions send what their token may see, in order and at least once, whatever the receiver does meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.console.notifying import running
from tests.console.operating import Cast
from tests.console.subscribing import Receiver, fresh, is_signed, sent, subscribed, told, tried_again
from tests.patience import PATIENCE
from tests.product import until
from wippy_console.models import AccessToken, AuditRow, FeedEvent, Grant, Subscription
from wippy_console.services import access_tokens, feed, feed_pages, subscriptions
from wippy_console.services.access_tokens import Limits
from wippy_console.services.errors import NotFoundError, Refused
from wippy_console.services.notifications.delivery import PAUSES
from wippy_console.services.notifications.methods import webhook
from wippy_console.services.subscriptions import Fields, sending, sorting
from wippy_console.services.subscriptions.working import Senders

pytestmark = pytest.mark.django_db

State = Subscription.State


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.NOTIFY_ALLOW = ("127.0.0.1",)
    with running(Receiver()) as made:
        yield made


def test_what_happens_is_posted_signed_and_in_order(cast: Cast, receiver: Receiver) -> None:
    told(3)
    made = subscribed(cast.viewer, receiver.url)
    assert sent() == []
    ids = told(250)
    assert sent() == [made.row.pk]
    assert receiver.ids == ids
    assert [len(post["events"]) for post in receiver.posts] == [100, 100, 50]
    for headers, body in receiver.taken:
        assert is_signed(headers, body, made.secret)
    first = receiver.posts[0]
    assert (first["subscription"], first["cursor"]) == (made.row.pk, ids[99])
    event = feed.told(FeedEvent.objects.get(pk=ids[0]))
    assert first["events"][0] == {**event, "at": event["at"].isoformat().replace("+00:00", "Z")}
    row = fresh(made.row)
    assert (row.state, row.cursor, row.problem, row.tries) == ("active", ids[-1], "", 0) and row.last_at
    assert row.sending_until is None and sent() == []


def test_a_failure_is_tried_again_and_nothing_overtakes_it(cast: Cast, receiver: Receiver) -> None:
    row = subscribed(cast.viewer, receiver.url).row
    receiver.answers = [500]
    ids = told(2)
    sent()
    row = fresh(row)
    assert (row.state, row.tries, row.problem) == ("failing", 1, "The receiver answered 500.")
    assert row.cursor < ids[0] and row.next_at > timezone.now()
    ids += told(1)
    assert sent() == [] and len(receiver.posts) == 1
    row = tried_again(row)
    assert (row.state, row.tries, row.problem, row.cursor) == ("active", 0, "", ids[-1])
    assert [[event["id"] for event in post["events"]] for post in receiver.posts] == [ids[:2], ids]


def test_it_pauses_itself_after_failures_and_goes_on_without_a_gap_when_it_is_resumed(
    cast: Cast, receiver: Receiver
) -> None:
    row = subscribed(cast.viewer, receiver.url).row
    receiver.answers = [503] * (len(PAUSES) + 1)
    ids = told(2)
    sent()
    for _ in PAUSES:
        row = tried_again(row)
    assert (row.state, row.problem) == ("paused", "Paused after 6 failures. The receiver answered 503.")
    ids += told(2)
    assert tried_again(row).state == "paused" and len(receiver.posts) == 6
    assert [each.pk for each in subscriptions.stopped(cast.viewer)] == [row.pk]
    subscriptions.resume(cast.viewer, row.pk)
    sent()
    assert [event["id"] for event in receiver.posts[-1]["events"]] == ids
    row = fresh(row)
    assert (row.state, row.tries, row.problem) == ("active", 0, "") and not subscriptions.stopped(cast.viewer)


def test_a_redirect_is_a_failure_and_not_followed(cast: Cast, receiver: Receiver) -> None:
    row = subscribed(cast.viewer, receiver.url).row
    receiver.answers = [307]
    told(1)
    sent()
    assert (fresh(row).state, fresh(row).problem) == ("failing", "The receiver answered 307.")
    assert len(receiver.posts) == 1


def test_a_slow_receiver_is_given_up_and_the_events_come_later(
    cast: Cast, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "PATIENCE", 0.2)
    row = subscribed(cast.viewer, receiver.url).row
    receiver.gate.clear()
    ids = told(1)
    sent()
    assert (fresh(row).state, fresh(row).problem) == ("failing", "127.0.0.1 did not answer in time.")
    monkeypatch.setattr(webhook, "PATIENCE", 60)
    receiver.gate.set()
    assert tried_again(row).state == "active"
    assert receiver.ids == [*ids, *ids]


def test_what_is_within_the_console_s_network_is_not_sent_to(cast: Cast, receiver: Receiver, settings: Any) -> None:
    row = subscribed(cast.viewer, receiver.url).row
    Subscription.objects.filter(pk=row.pk).update(url=receiver.url.replace("http", "https"))
    settings.NOTIFY_ALLOW = ()
    told(1)
    sent()
    assert fresh(row).state == "paused" and "WIPPY_NOTIFY_ALLOW does not name it" in fresh(row).problem
    with pytest.raises(Refused) as refused:
        subscribed(cast.viewer, receiver.url)
    assert "WIPPY_NOTIFY_ALLOW" in refused.value.named["url"][0]
    assert not receiver.taken


def test_what_its_token_may_not_see_is_not_sent(cast: Cast, receiver: Receiver) -> None:
    narrow = subscribed(cast.viewer, receiver.url, limits=Limits(namespaces=["shop.*"])).row
    hidden, shown = told(1, "app.secret:flow"), told(1, "shop.cart:flow", parent_workflow_id="secret")
    published = feed.append(feed.PUBLISHED, data={"version": 3, "author": "ann", "total": 1})
    sent()
    assert receiver.ids == [*shown, published.id] and hidden[0] not in receiver.ids
    cart, version = receiver.posts[0]["events"]
    assert cart["data"] == {"reason": "number 0"} and version["data"] == {"version": 3}
    assert fresh(narrow).cursor == published.id


def test_grants_of_its_owner_count_as_they_are_when_it_is_sent(cast: Cast, receiver: Receiver) -> None:
    ann = User.objects.create_user("ann")
    group = Group.objects.create(name="narrow")
    group.permissions.set(Group.objects.get(name="viewer").permissions.all())
    ann.groups.add(group)
    row = subscribed(ann, receiver.url, kinds=["STUCK"]).row
    both = told(1, "shop:flow") + told(1, "app:flow")
    sent()
    Grant.objects.create(group=group, pattern="shop")
    later = told(1, "app:flow") + told(1, "shop:flow")
    sent()
    assert receiver.ids == [*both, later[1]]
    ann.groups.clear()
    told(1, "shop:flow")
    sent()
    assert fresh(row).problem == f"Its token {row.token.name} may not see the feed." and fresh(row).state == "paused"


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({}, 4),
        ({"kinds": ["NODE"]}, 1),
        ({"kinds": ["STUCK", "NODE"]}, 4),
        ({"namespaces": ["shop.*"]}, 2),
        ({"namespaces": ["shop", "app"]}, 2),
        ({"entry": "app:flow"}, 1),
        ({"user": "ann"}, 1),
        ({"text": "NUMBER zero"}, 2),
        ({"run": "none"}, 0),
    ],
)
@pytest.mark.parametrize("near", [True, False], ids=["near", "far"])
def test_filters_choose_alike_near_the_end_of_the_feed_and_far_from_it(
    cast: Cast, receiver: Receiver, filters: dict[str, Any], count: int, near: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sorting, "NEAR", 100 if near else -1)
    row = subscribed(cast.viewer, receiver.url, **filters).row
    told(1, "shop:flow", user="ann")
    told(1, "shop.cart:flow", error="number zero")
    told(1, "app:flow", error="zero")
    feed.append(feed.NODE, node="node-1", data={"state": "alive"})
    sent()
    assert len(receiver.ids) == count
    assert fresh(row).cursor == feed.head() and sent() == []


@pytest.mark.parametrize("how", ["revoked", "expired", "inactive"])
def test_a_token_that_counts_no_more_pauses_it_with_the_reason(cast: Cast, receiver: Receiver, how: str) -> None:
    row = subscribed(cast.viewer, receiver.url).row
    if how == "revoked":
        access_tokens.revoke(cast.viewer, row.token_id)
        assert fresh(row).state == "paused"  # at once
    elif how == "expired":
        AccessToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    else:
        User.objects.filter(pk=cast.viewer.pk).update(is_active=False)
    told(1)
    sent()
    row = fresh(row)
    words = {"revoked": "was revoked", "expired": "has expired", "inactive": "is not active"}
    assert row.state == "paused" and words[how] in row.problem and not receiver.taken
    with pytest.raises(Refused) as refused:
        subscriptions.resume(cast.viewer, row.pk)
    assert words[how] in refused.value.message


def test_events_that_left_the_feed_before_they_were_sent_are_told_of(cast: Cast, receiver: Receiver) -> None:
    ids = told(5)
    row = subscribed(cast.viewer, receiver.url, cursor=ids[0]).row
    none = subscribed(cast.viewer, receiver.url, cursor=ids[0], kinds=["NODE"]).row
    whole = subscribed(cast.viewer, receiver.url, cursor=0, name="whole").row
    FeedEvent.objects.filter(id__lte=ids[2]).delete()
    sent()
    posts = {post["subscription"]: post for post in receiver.posts}
    gone = {"first": ids[1], "last": ids[2]}
    assert posts[row.pk]["lost"] == gone and [each["id"] for each in posts[row.pk]["events"]] == ids[3:]
    assert posts[none.pk]["lost"] == gone and posts[none.pk]["events"] == []
    assert "lost" not in posts[whole.pk]
    assert {name: fresh(row).lost[name] for name in gone} == gone
    told(1)
    sent()
    assert "lost" not in receiver.posts[-1]


def test_it_is_sent_again_from_a_cursor(cast: Cast, receiver: Receiver) -> None:
    row = subscribed(cast.viewer, receiver.url).row
    ids = told(4)
    sent()
    subscriptions.redeliver(cast.viewer, row.pk, ids[1])
    sent()
    assert receiver.ids == [*ids, *ids[2:]]
    assert receiver.taken[0][0]["Wippy-Id"] != receiver.taken[1][0]["Wippy-Id"]
    with pytest.raises(Refused) as refused:
        subscriptions.redeliver(cast.viewer, row.pk, ids[-1] + 1)
    assert "cursor" in refused.value.named
    subscriptions.pause(cast.viewer, row.pk)
    subscriptions.redeliver(cast.viewer, row.pk, ids[2])
    assert sent() == []
    subscriptions.resume(cast.viewer, row.pk)
    sent()
    assert receiver.ids[6:] == ids[3:]


@pytest.mark.django_db(transaction=True)
def test_what_people_do_while_it_is_sent_holds(cast: Cast, receiver: Receiver) -> None:
    row = subscribed(cast.viewer, receiver.url).row
    ids = told(3)
    receiver.during = lambda: Subscription.objects.filter(pk=row.pk).update(cursor=ids[0])  # as `redeliver` does
    sent_first = sending.turn(row.pk)
    receiver.during = lambda: None
    assert not sent_first and fresh(row).cursor == ids[0]
    receiver.during = lambda: Subscription.objects.filter(pk=row.pk).update(state="paused", problem="")
    sending.turn(row.pk)
    receiver.during = lambda: None
    assert (fresh(row).state, fresh(row).cursor) == ("paused", ids[-1])
    Subscription.objects.filter(pk=row.pk).update(state="active", cursor=0)
    receiver.during = lambda: Subscription.objects.filter(pk=row.pk).update(next_at=timezone.now())  # as `resume` does
    receiver.answers = [500]
    sending.turn(row.pk)
    assert (fresh(row).state, fresh(row).tries) == ("active", 0)


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_send_it_at_once_and_a_late_one_moves_nothing(cast: Cast, receiver: Receiver) -> None:
    row = subscribed(cast.viewer, receiver.url).row
    ids = told(2)
    answers: list[bool] = []

    def another() -> None:
        receiver.during = lambda: None
        answers.append(sending.turn(row.pk))
        later = timezone.now() + timedelta(minutes=5)
        Subscription.objects.filter(pk=row.pk).update(
            sending_until=later
        )  # a lease that was over, and taken by another

    receiver.during = another
    sending.turn(row.pk)
    assert answers == [False] and receiver.ids == ids
    assert fresh(row).cursor < ids[0] and fresh(row).sending_until is not None


@pytest.mark.django_db(transaction=True)
def test_a_slow_receiver_holds_up_no_other_subscription(
    cast: Cast, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "PATIENCE", PATIENCE)
    monkeypatch.setattr(webhook, "IN_ALL", PATIENCE)
    with running(Receiver()) as other:
        for url in (receiver.url, other.url):
            subscribed(cast.viewer, url)
        receiver.gate.clear()
        senders = Senders()
        ids = told(1)
        senders.tick()
        until(lambda: receiver.ids, "the slow one has it and does not answer")
        until(lambda: other.ids == ids, "the other has it as well")
        ids += told(1)

        def taken(by: Receiver) -> bool:
            senders.tick()
            return sorted(set(by.ids)) == ids

        until(lambda: taken(other), "and what comes later")
        assert receiver.ids == ids[:1] and not senders.is_idle()  # the slow one is still waited for
        receiver.gate.set()
        until(lambda: taken(receiver) and senders.is_idle(), "the slow one has all of it")


def test_a_test_is_sent_though_it_be_paused_and_moves_nothing(cast: Cast, receiver: Receiver) -> None:
    made = subscribed(cast.viewer, receiver.url)
    row = subscriptions.pause(cast.viewer, made.row.pk)
    told(1)
    for status, problem in ((204, ""), (418, "The receiver answered 418.")):
        receiver.answers = [status]
        subscriptions.try_out(cast.viewer, row.pk)
        sent()
        assert (fresh(row).test_problem, fresh(row).test_wanted_at) == (problem, None) and fresh(row).tested_at
    assert receiver.posts == [{"subscription": row.pk, "cursor": row.cursor, "test": True, "events": []}] * 2
    assert is_signed(*receiver.taken[0], made.secret)
    assert (fresh(row).state, fresh(row).cursor) == ("paused", row.cursor) and sent() == []


def test_large_events_go_in_several_requests(cast: Cast, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "MOST_BYTES", 1000)
    subscribed(cast.viewer, receiver.url)
    ids = told(5, error="x" * 600)
    sent()
    assert receiver.ids == ids and len(receiver.posts) == 5


def test_a_failure_of_ours_is_one_of_the_subscription_and_not_tried_for_ever(
    cast: Cast, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    row = subscribed(cast.viewer, receiver.url).row
    Subscription.objects.filter(pk=row.pk).update(kinds=7)
    told(1)
    FeedEvent.objects.update(kind="STUCK")
    assert sending.turn(row.pk) is False
    assert fresh(row).state == "failing" and fresh(row).problem.startswith("TypeError")


def test_changes_take_effect_and_a_new_secret_signs_from_then_on(cast: Cast, receiver: Receiver) -> None:
    made = subscribed(cast.viewer, receiver.url)
    subscriptions.change(cast.viewer, made.row.pk, Fields("other", receiver.url, kinds=["NODE", "NODE"]))
    again = subscriptions.new_secret(cast.viewer, made.row.pk)
    told(1)
    feed.append(feed.NODE, node="node-1", data={"state": "alive"})
    sent()
    assert [event["kind"] for event in receiver.posts[0]["events"]] == ["NODE"]
    assert again.secret != made.secret and is_signed(*receiver.taken[0], again.secret)
    assert fresh(made.row).kinds == ["NODE"]
    outcomes = AuditRow.objects.filter(action="subscription").order_by("id").values_list("outcome", flat=True)
    assert list(outcomes) == ["made", "changed", "another secret"]
    kept = str(list(AuditRow.objects.values_list()))
    assert made.secret not in kept and "/hook" not in kept


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"url": "ftp://example.org"}, "url"),
        ({"url": "https://user:pass@example.org/"}, "url"),
        ({"url": "https://example.org/" + "x" * 2000}, "url"),
        ({"url": "http://example.org/"}, "url"),
        ({"kinds": ["ODD"]}, "kinds"),
        ({"namespaces": ["sh op"]}, "namespaces"),
        ({"namespaces": [f"n{n}" for n in range(51)]}, "namespaces"),
        ({"entry": "x" * 501}, "entry"),
        ({"name": "taken"}, "name"),
    ],
)
def test_what_can_t_be_is_refused_at_its_field(cast: Cast, fields: dict[str, Any], name: str) -> None:
    token, _ = access_tokens.make(cast.viewer, cast.viewer, "t", Limits())
    subscriptions.make(cast.viewer, token, Fields("taken", "https://example.org/"))
    with pytest.raises(Refused) as refused:
        subscriptions.make(cast.viewer, token, Fields(**{"name": "n", "url": "https://example.org/", **fields}))
    assert list(refused.value.named) == [name] and Subscription.objects.count() == 1


def test_nobody_makes_more_than_their_number(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    from wippy_console.services.subscriptions import managing

    monkeypatch.setattr(managing, "MOST", 1)
    subscribed(cast.viewer, "https://example.org/")
    with pytest.raises(Refused, match="has 1 subscriptions"):
        subscribed(cast.viewer, "https://example.org/")


def test_others_see_and_change_only_what_their_rights_say(cast: Cast) -> None:
    row = subscribed(cast.viewer, "https://example.org/").row
    other, _ = access_tokens.make(cast.viewer, cast.viewer, "another", Limits())
    for by, via in ((cast.operator, None), (cast.viewer, other)):
        assert not subscriptions.page(by, via).rows
        with pytest.raises(NotFoundError):
            subscriptions.pause(by, row.pk, via)
    assert subscriptions.get(cast.viewer, row.pk, row.token) == row
    assert [each.pk for each in subscriptions.page(cast.administrator).rows] == [row.pk]
    subscriptions.pause(cast.administrator, row.pk)
    with pytest.raises(PermissionDenied):  # or what one person may see would be sent to another
        subscriptions.change(cast.administrator, row.pk, Fields("n", "https://other.example.org/"))
    subscriptions.delete(cast.administrator, row.pk)
    assert not Subscription.objects.exists()
    blind, _ = access_tokens.make(cast.viewer, cast.viewer, "blind", Limits(rights=["view_run"]))
    with pytest.raises(Refused) as refused:
        subscriptions.make(cast.viewer, blind, Fields("n", "https://example.org/"))
    assert "may not see the feed" in refused.value.named["token"][0]


def queries(act: Any) -> int:
    with CaptureQueriesContext(
        connection,
    ) as found:
        act()
    return len(found)


def test_a_thousand_subscriptions_cost_a_handful_of_queries(cast: Cast, receiver: Receiver) -> None:
    made = subscribed(cast.viewer, receiver.url, kinds=["NODE"])
    token, _ = access_tokens.make(cast.operator, cast.operator, "t", Limits(namespaces=["shop"]))
    Subscription.objects.bulk_create(
        Subscription(
            owner=cast.operator if n % 2 else cast.viewer,
            token=token if n % 2 else made.row.token,
            name=f"n{n}", url=receiver.url, secret="s", entry=f"app:flow{n}", cursor=made.row.cursor,
        )
        for n in range(1000)
    )  # fmt: skip
    assert queries(sent) <= 2
    ids = told(50)
    assert queries(sent) <= 14  # with the transaction
    assert set(Subscription.objects.values_list("cursor", flat=True)) == {ids[-1]} and not receiver.taken
    (one,) = told(1, "app:flow4")
    assert queries(sent) <= 14 + 14 and receiver.ids == [one]


def test_a_hundred_thousand_events_behind_cost_the_same_per_request_as_a_hundred(
    cast: Cast, receiver: Receiver
) -> None:
    row = subscribed(cast.viewer, receiver.url).row
    told(1)
    (event,) = FeedEvent.objects.all()
    FeedEvent.objects.bulk_create(
        (
            FeedEvent(at=event.at, kind="STUCK" if n % 100 else "NODE", entry_id="app:flow", namespace="app", data={})
            for n in range(100_000)
        ),
        batch_size=5000,
    )
    Subscription.objects.filter(pk=row.pk).update(cursor=1)
    few = queries(lambda: sending.turn(row.pk)) / sending.AT_A_TURN
    assert few <= 11 and [len(post["events"]) for post in receiver.posts] == [100] * 10
    Subscription.objects.filter(pk=row.pk).update(cursor=1, kinds=["NODE"])
    with CaptureQueriesContext(connection) as found:
        sent()
    assert len(receiver.posts) == 20 and fresh(row).cursor == feed.head()
    assert len(found) <= 12 * 13


def test_the_feed_takes_namespaces_as_a_filter(cast: Cast) -> None:
    told(1, "shop.cart:flow")
    wanted = feed_pages.Wanted(namespaces=("shop.*",))
    assert len(feed_pages.page(cast.viewer, wanted).events) == 1
    assert not feed_pages.page(cast.viewer, feed_pages.Wanted(namespaces=("shop",))).events
