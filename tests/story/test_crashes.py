"""Everything is killed, one process after the other and all at once; nothing is lost and nothing is done twice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.client import WorkflowFailureError

from tests.patience import at_most
from tests.product import Product, running, until
from tests.story.runs import StartedRun, kinds, send, start

pytestmark = pytest.mark.story
ENTRIES = Path(__file__).with_name("entries")
ONCE = {"reserve": 1, "charge": 1, "ship": 1}
SIGNALS = 60


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with running(tmp_path_factory.mktemp("story") / "data") as started:
        started.manage("apply", str(ENTRIES))
        yield started


def saga_in_the_middle(product: Product, workflow_id: str, performer: str = "story:perform") -> StartedRun:
    """A saga that has reserved and is about to charge."""
    run = start(
        product, "story:saga", workflow_id, {"id": workflow_id, "delay": f"{at_most(2):.0f}s", "performer": performer}
    )
    run.wait_begun("charge")
    return run


def assert_ended_right(run: StartedRun) -> None:
    """The result is right, the feed has each end of the run once, and effects are as many as attempts allow."""
    assert run.result() == {"id": run.workflow_id, "done": ["reserve", "charge", "ship"]}
    feed = run.feed()
    assert (feed["STARTED"], feed["EXIT"]) == (1, 1)
    effects, attempts = run.effects(), run.attempts()
    assert set(effects) == set(ONCE)
    assert all(1 <= effects[step] <= attempts[step] for step in ONCE), (effects, attempts)


def test_a_killed_worker_comes_back_and_the_interrupted_step_is_done_once(product: Product) -> None:
    run = saga_in_the_middle(product, "worker-dies")
    product.wait_back("worker", product.kill("worker"))
    assert_ended_right(run)
    assert run.attempts() == {"reserve": 1, "charge": 2, "ship": 1}
    assert run.effects() == ONCE


def test_a_step_that_may_be_tried_once_is_not_tried_again_after_a_crash(product: Product) -> None:
    run = saga_in_the_middle(product, "only-once", performer="story:perform_once")
    product.wait_back("worker", product.kill("worker"))
    with pytest.raises(WorkflowFailureError):
        run.result()
    assert run.attempts() == {"reserve": 1, "charge": 1}
    assert run.effects() == {"reserve": 1}
    assert run.feed()["EXIT"] == 1


def test_a_killed_temporal_comes_back_and_the_saga_ends_right(product: Product) -> None:
    run = saga_in_the_middle(product, "temporal-dies")
    product.wait_back("temporal", product.kill("temporal"))
    assert_ended_right(run)
    assert run.effects()["reserve"] == 1


def test_a_killed_web_process_comes_back_with_its_sessions_and_the_saga_does_not_notice(product: Product) -> None:
    session = product.session()
    run = saga_in_the_middle(product, "web-dies")
    product.wait_back("web", product.kill("web"))
    assert "password" not in session.get("/runs/")
    assert_ended_right(run)
    assert run.effects() == ONCE
    assert run.attempts() == ONCE
    until(lambda: "web-dies" in session.get("/runs/"), "the run is listed")


def test_a_run_goes_on_after_everything_was_killed_at_once(product: Product) -> None:
    run = saga_in_the_middle(product, "all-die")
    product.kill_everything()
    product.start()
    assert_ended_right(run)
    assert run.effects() == ONCE


def test_a_timer_fires_after_everything_was_killed_while_it_ran(product: Product) -> None:
    run = start(product, "story:sleeper", "sleeps", {"patience": "8s"})
    until(lambda: "STARTED" in kinds(product, run.workflow_id), "the feed knows the run")
    product.kill_everything()
    product.start()
    assert run.result() == {"slept": "8s"}
    assert run.feed()["EXIT"] == 1


@pytest.mark.parametrize("victims", [("worker",), ("temporal",), ("worker", "temporal"), ("all",)], ids="+".join)
def test_no_signal_is_lost_while_processes_die(product: Product, victims: tuple[str, ...]) -> None:
    run = start(product, "story:collector", f"collects-{'-'.join(victims)}")
    asyncio.run(send_while_dying(run, victims))
    assert sorted(run.result()["seen"]) == list(range(SIGNALS))
    assert run.feed()["EXIT"] == 1


async def send_while_dying(run: StartedRun, victims: tuple[str, ...]) -> None:
    """Send numbers, kill in the middle, and tell the collector how many there were."""
    for number in range(SIGNALS):
        if number == SIGNALS // 3:
            dying = asyncio.create_task(asyncio.to_thread(die, run.product, victims))
        await send(run.product, run.workflow_id, "item", {"number": number})
    await dying
    await send(run.product, run.workflow_id, "finish", {"count": SIGNALS})


def die(product: Product, victims: tuple[str, ...]) -> None:
    """Kill and wait until what was killed is back."""
    if victims == ("all",):
        product.kill_everything()
        product.start()
        return
    old = {name: product.kill(name) for name in victims}
    for name, pid in old.items():
        product.wait_back(name, pid)
