from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest
from django.db import connection

from tests.console.registry_cast import create, function, update
from wippy_console.models import FeedEvent, Revision, Version
from wippy_console.services import registry
from wippy_console.services.registry import StaleBaseError

pytestmark = pytest.mark.django_db(transaction=True)
RIVALS = 6


def at_once(jobs: Iterable[Callable[[], Version]]) -> list[Version | Exception]:
    """Run every job on a thread and a connection of its own, all beginning together."""
    chosen = list(jobs)
    barrier = Barrier(len(chosen))

    def run(job: Callable[[], Version]) -> Version | Exception:
        barrier.wait()
        try:
            return job()
        except Exception as error:  # the tests look at what was raised
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(chosen)) as pool:
        return list(pool.map(run, chosen))


def test_publishers_of_different_entries_all_succeed_one_after_the_other() -> None:
    create(function("first"))
    results = at_once(partial(create, function(f"f{n}"), base=1) for n in range(RIVALS))
    assert sorted(each.number for each in results if isinstance(each, Version)) == list(range(2, RIVALS + 2)), results
    assert len(registry.entries()) == RIVALS + 1
    assert list(FeedEvent.objects.filter(kind="PUBLISHED").values_list("data__version", flat=True)) == list(
        range(1, RIVALS + 2)
    )


def test_of_publishers_of_one_entry_exactly_one_wins_and_the_others_learn_its_name() -> None:
    create(function("a"))
    results = at_once(partial(update, function("a", f"return {n}"), base=1) for n in range(RIVALS))
    winners = [each for each in results if isinstance(each, Version)]
    losers = [each for each in results if isinstance(each, StaleBaseError)]
    assert (len(winners), len(losers)) == (1, RIVALS - 1), results
    assert winners[0].number == 2
    assert all("app:a was changed in version 2" in each.message for each in losers)
    assert Revision.objects.filter(entry_id="app:a").count() == 2


def test_rivals_that_want_the_same_make_one_version() -> None:
    create(function("a"))
    results = at_once(partial(update, function("a", "return 7"), base=1) for _ in range(RIVALS))
    assert [each.number for each in results if isinstance(each, Version)] == [2] * RIVALS, results
    assert Version.objects.count() == 2
