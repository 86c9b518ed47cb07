"""The tree of children below a run."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Group
from pytest_django.fixtures import DjangoAssertNumQueries

from tests.console.operating import CLIENT, WORKER, Cast
from wippy_console.models import Grant, Run
from wippy_console.services import runs

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def run(number: int, parent: int | None = None, namespace: str = "app") -> Run:
    return Run.objects.create(
        run_id=str(uuid.UUID(int=number)), workflow_id=f"order-{number}", entry_id=f"{namespace}:order",
        namespace=namespace, client=CLIENT, worker=WORKER, started_at=NOON + timedelta(seconds=number),
        parent_run_id="" if parent is None else str(uuid.UUID(int=parent)),
    )  # fmt: skip


def numbers(root: runs.Branch) -> list[tuple[str, int, int]]:
    return [(each.run.workflow_id, each.depth, each.left_out) for each in runs.listed(root)]


def test_a_tree_lists_children_below_their_parents_the_oldest_first(
    cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    root = run(1)
    for number, parent in [(2, 1), (3, 1), (4, 2), (5, 4), (6, 3), (7, 99)]:
        run(number, parent)
    with django_assert_max_num_queries(12):
        found = numbers(runs.tree(cast.root, root))
    assert found == [
        ("order-1", 0, 0), ("order-2", 1, 0), ("order-4", 2, 0),
        ("order-5", 3, 0), ("order-3", 1, 0), ("order-6", 2, 0),
    ]  # fmt: skip


def test_a_tree_is_bounded_and_says_what_it_leaves_out(cast: Cast) -> None:
    root = run(1)
    for number in range(2, 9):
        run(number, 1)
    run(9, 2)
    found = numbers(runs.tree(cast.root, root, most=4))
    assert found == [("order-1", 0, 4), ("order-2", 1, 1), ("order-3", 1, 0), ("order-4", 1, 0)]


def test_what_the_user_may_not_see_is_not_in_the_tree_nor_below_it(cast: Cast) -> None:
    root = run(1, namespace="shop")
    run(2, 1, "secret")
    run(3, 2, "shop")
    run(4, 1, "shop")
    Grant.objects.create(group=Group.objects.get(name="viewer"), pattern="shop")
    assert numbers(runs.tree(cast.viewer, root)) == [("order-1", 0, 0), ("order-4", 1, 0)]
