"""The one search box of runs: any part of what is said of one, in any script and case, the newest first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from engine.contracts.catalog import Catalog
from engine.entry import Entry
from engine.memory.catalog import MemoryCatalog
from tests.console.operating import CLIENT, WORKER, Cast
from wippy_console.checks import check_search
from wippy_console.database import substrings, texts
from wippy_console.database.folding import folded
from wippy_console.models import Grant, Question, Run
from wippy_console.models.runs import SEARCHED
from wippy_console.services import projection, registry, runs
from wippy_console.services.projection import Began, Ref
from wippy_console.services.registry import Changes
from wippy_console.services.runs import Wanted

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
META = {
    "title": "Bestellung prüfen",
    "search": ["customer", "order.id", "lines.0.sku", "card"],
    "summary": "{order.id} for {customer}, {card}",
    "mask": ["card"],
}
SOURCE = {"source": "return {main = function() end}"}


def catalog(**meta: Any) -> Catalog:
    return MemoryCatalog([Entry("shop:order", "workflow.lua", {**META, **meta}, SOURCE)])


def began(number: int, given: Any = None, entry: str = "shop:order") -> Began:
    ref = Ref(CLIENT, f"bestellung/{number}", f"run-{number:04}")
    args = (given,) if given is not None else None
    return Began(ref, entry, NOON + timedelta(seconds=number), worker=WORKER, input=args)


def found(user: Any, text: str = "", **more: Any) -> list[str]:
    return [run.run_id for run in runs.search(user, Wanted(text=text, **more)).rows]


def test_a_run_is_found_by_any_part_of_what_is_said_of_it(cast: Cast) -> None:
    given = {"customer": "Müller & Söhne", "order": {"id": "A-4711"}, "lines": [{"sku": "ΣΊΣΥΦΟΣ"}]}
    projection.write(catalog(), [began(1, given), began(2, {"customer": "王小明"}), began(3)])
    assert found(cast.viewer, "stellung/1") == found(cast.viewer, "RUN-0001") == ["run-0001"]
    assert found(cast.viewer, "MÜLLER") == found(cast.viewer, "mu\u0308ller söhne") == ["run-0001"]
    assert found(cast.viewer, "4711 &") == found(cast.viewer, "σίσυφος") == ["run-0001"]
    assert found(cast.viewer, "小明") == found(cast.viewer, "王") == ["run-0002"]
    assert found(cast.viewer, "for müller") == ["run-0001"], "the summary"
    assert found(cast.viewer, "prüfen") == ["run-0002", "run-0001"], "a run is described when its input is known"
    assert found(cast.viewer, "op:ord") == ["run-0003", "run-0002", "run-0001"]
    assert found(cast.viewer, "müller 王小明") == []


def test_the_end_of_a_pid_is_enough(cast: Cast) -> None:
    projection.write(catalog(), [began(1), began(11)])
    run = Run.objects.get(pk="run-0001")
    assert found(cast.viewer, run.pid) == ["run-0001"], "a whole one means that id"
    assert found(cast.viewer, "er|bestellung/1}") == ["run-0011", "run-0001"]


def test_keys_are_asked_for_whole(cast: Cast) -> None:
    rows = [began(n, {"customer": f"C{n}", "order": {"id": n}}) for n in (4, 42, 421)]
    projection.write(catalog(), rows)
    assert Run.objects.get(pk="run-0042").keys == {"customer": "C42", "order.id": "42"}
    assert found(cast.viewer, keys=("order.id=42",)) == ["run-0042"]
    assert found(cast.viewer, keys=("order.id=42", "customer=c42")) == ["run-0042"]
    assert found(cast.viewer, keys=("order.id=42", "customer=C4")) == []


def test_masked_values_are_found_by_nobody(cast: Cast) -> None:
    projection.write(catalog(), [began(1, {"customer": "Ann", "card": "4111-1111"})])
    run = Run.objects.get()
    assert run.summary == "– for Ann, ••••••"
    assert run.keys == {"customer": "Ann"}
    assert found(cast.viewer, "4111") == []


def test_words_may_be_anything_and_none_breaks_the_query(cast: Cast) -> None:
    odd = "a\"b'c%d_e\\f{g}h (i) * NEAR AND OR -j:k^"
    row = began(1, {"customer": odd})
    projection.write(catalog(), [row, began(2)])
    for text in (odd, '"', '""', "NEAR(a)", "*", "%d_e", "\\f{", "AND", "-j:k^", "'c%", "a b c d e f g h i j k l m n"):
        expected = ["run-0001"] if folded(text) in folded(odd) else []
        assert found(cast.viewer, text) == expected, text
    assert found(cast.viewer, "\0") == found(cast.viewer, "\ud800") == []
    assert found(cast.viewer, "x" * 2000) == []


@pytest.mark.parametrize("few", [5, 1000])
def test_pages_of_a_search_have_each_match_once_newest_first(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(substrings, "FEW", few)
    rows = [
        Run(run_id=f"{(n * 37) % 100:03}", workflow_id=f"flow {n}", entry_id="shop:order", client=CLIENT,
            started_at=NOON + timedelta(milliseconds=n // 4))
        for n in range(100)
    ]  # fmt: skip
    Run.objects.bulk_create(rows)
    for text in ("flow", "fl"):
        seen, before = [], ""
        while True:
            page = runs.search(cast.viewer, Wanted(text=text), before=before, limit=7)
            seen += [run.run_id for run in page.rows]
            before = page.next_cursor
            if not before:
                break
        assert sorted(seen) == sorted(run.run_id for run in rows)
        times = [Run.objects.get(pk=run_id).started_at for run_id in seen]
        assert times == sorted(times, reverse=True)


def test_a_search_stays_within_the_namespaces_that_one_may_see(cast: Cast) -> None:
    for name in ("shop", "bank"):
        Run.objects.create(
            run_id=name, workflow_id="the same", entry_id=f"{name}:x", namespace=name, client=CLIENT, started_at=NOON
        )
    group = Group.objects.create(name="shop people")
    group.permissions.set(Group.objects.get(name="viewer").permissions.all())
    Grant.objects.create(group=group, pattern="shop.*")
    clerk = User.objects.create_user("clerk")
    clerk.groups.set([group])
    assert found(clerk, "the same") == found(clerk, "sa") == ["shop"]
    assert found(cast.stranger, "the same") == []


def test_what_changes_or_goes_is_found_as_it_is(cast: Cast) -> None:
    projection.write(catalog(), [began(1)])
    assert found(cast.viewer, "müller") == []
    projection.write(catalog(), [began(1, {"customer": "Müller"})])
    assert found(cast.viewer, "müller") == ["run-0001"]
    projection.write(catalog(), [began(1, {"customer": "other"})])
    assert found(cast.viewer, "müller") == ["run-0001"], "an input does not change"
    Run.objects.all().delete()
    assert found(cast.viewer, "müller") == []


def test_old_rows_are_described_by_the_worker_in_batches(cast: Cast) -> None:
    for n in range(5):
        Run.objects.create(
            run_id=f"old-{n}", workflow_id=f"w{n}", entry_id="shop:order", client=CLIENT,
            started_at=NOON + timedelta(seconds=n), input=[{"customer": f"Ann {n}", "order": {"id": n}}],
        )  # fmt: skip
    assert found(cast.viewer, "ann 3") == []
    assert projection.describe_some(catalog(), limit=2) == 2
    assert found(cast.viewer, "ann") == ["old-4", "old-3"], "the newest first"
    assert projection.describe_all(catalog()) == 3
    assert projection.describe_some(catalog()) == 0
    assert found(cast.viewer, "order.id=0") == ["old-0"]
    assert Run.objects.get(pk="old-0").summary.startswith("0 for Ann 0")


@pytest.mark.django_db(transaction=True)  # PostgreSQL makes no index while rows of its table wait for their checks
def test_the_index_is_there_and_comes_back_after_its_table_was_made_anew(cast: Cast) -> None:
    assert texts.problem(connection, SEARCHED) == ""
    Run.objects.create(run_id="r", workflow_id="here", entry_id="e", client=CLIENT, started_at=NOON)
    texts.remove(connection, SEARCHED)
    assert texts.problem(connection, SEARCHED)
    assert [each.id for each in check_search(databases=["default"])] == ["wippy_console.W002"]
    texts.install(connection, SEARCHED)
    assert texts.problem(connection, SEARCHED) == runs.search_problem() == ""
    assert check_search(databases=["default"]) == []
    assert found(cast.viewer, "here") == ["r"]


def test_without_an_index_everything_is_still_found(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(substrings, "has_index", lambda *_: False)
    projection.write(catalog(), [began(1, {"customer": "Müller"}), began(2)])
    assert found(cast.viewer, "müller") == ["run-0001"]
    assert found(cast.viewer, "bestellung") == ["run-0002", "run-0001"]


def test_filters_and_words_add_up(cast: Cast) -> None:
    projection.write(catalog(), [began(n, {"customer": "Ann" if n % 2 else "Bob"}) for n in range(8)])
    Run.objects.filter(pk="run-0003").update(status="failed")
    Run.objects.filter(pk="run-0005").update(client="app:other", started_by=cast.operator, parent_run_id="p")
    Question.objects.create(run_id="run-0007", number=0, opened_at=NOON)
    assert found(cast.viewer, "ann", statuses=("failed",)) == ["run-0003"]
    assert found(cast.viewer, "ann", statuses=("failed", "waiting")) == ["run-0007", "run-0003"]
    assert found(cast.viewer, "bob", statuses=("failed",)) == []
    assert found(cast.viewer, "ann", client="app:other") == found(cast.viewer, by="operator") == ["run-0005"]
    assert found(cast.viewer, parent="p") == ["run-0005"]
    since, until = NOON + timedelta(seconds=3), NOON + timedelta(seconds=6)
    assert found(cast.viewer, "ann", started_from=since, started_to=until) == ["run-0005", "run-0003"]
    Run.objects.filter(pk="run-0001").update(closed_at=NOON + timedelta(hours=1))
    assert found(cast.viewer, closed_from=NOON + timedelta(minutes=59)) == ["run-0001"]
    assert found(cast.viewer, closed_to=NOON + timedelta(minutes=59)) == []
    wanted = Wanted(text="ann", statuses=("failed",))
    assert [run.pk for run in runs.filtered(cast.viewer, wanted)] == ["run-0003"]


def test_a_search_costs_the_same_queries_however_many_runs_match(cast: Cast) -> None:
    counts = []
    found(cast.viewer, "flow")  # rights are read once, and whether there is an index
    for some in (range(50), range(50, 500)):
        Run.objects.bulk_create(
            Run(run_id=f"r{n}", workflow_id=f"flow {n}", entry_id="e", client=CLIENT, started_at=NOON) for n in some
        )
        with CaptureQueriesContext(connection) as queries:
            assert len(runs.search(cast.viewer, Wanted(text="flow"), limit=20).rows) == 20
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_what_a_later_version_masks_is_neither_shown_nor_found(cast: Cast) -> None:
    meta = {"search": ["customer"], "summary": "for {customer}"}
    entry = Entry("shop:order", "workflow.lua", meta, SOURCE)
    registry.publish(cast.author, Changes(create=(entry,)), base=None, message="first")
    projection.write(MemoryCatalog([entry]), [began(1, {"customer": "Ann"})])
    assert (found(cast.viewer, "ann"), Run.objects.get().summary) == (["run-0001"], "for Ann")
    veiled = Entry("shop:order", "workflow.lua", {**meta, "mask": ["customer"]}, SOURCE)
    registry.publish(cast.author, Changes(update=(veiled,)), base=None, message="second")
    assert (Run.objects.get().keys, Run.objects.get().summary) == (None, "")
    assert (found(cast.viewer, "ann"), found(cast.viewer, "BESTELLUNG/1")) == ([], ["run-0001"]), "by ids, at once"
    projection.describe_all(MemoryCatalog([veiled]))
    assert (Run.objects.get().keys, Run.objects.get().summary) == ({}, "for ••••••")
    assert found(cast.viewer, "ann") == []
