from __future__ import annotations

import random
from collections import Counter

from engine.hosts.actor.concurrency.ready import Bounds, ReadyQueue, Turn, bounds_of_this_machine

SMALL = Bounds(family=3, program_of_family=2, program=4)


def _queue(*turns: Turn[int]) -> ReadyQueue[int]:
    queue: ReadyQueue[int] = ReadyQueue(SMALL)
    for turn in turns:
        queue.push(*turn)
    return queue


def _all(queue: ReadyQueue[int]) -> list[Turn[int]]:
    """Whatever may run now."""
    return list(iter(queue.pop, None))


def test_one_program_of_a_family_leaves_room_for_another_and_both_leave_room_for_others() -> None:
    queue = _queue(*((n, "a", "stuck") for n in range(5)), (5, "a", "other"), (6, "a", "third"), (7, "b", "stuck"))
    running = _all(queue)
    assert [item for item, _, _ in running] == [0, 1, 5, 7]
    assert len(queue) == 0
    assert queue.done(running[0])
    assert [item for item, _, _ in _all(queue)] == [6]  # another program before one more of the same
    queue.done(running[2])
    assert [item for item, _, _ in _all(queue)] == [2]


def test_one_program_of_many_families_leaves_room_for_others() -> None:
    queue = _queue(*((n, str(n), "stuck") for n in range(9)), (9, "9", "other"))
    running = _all(queue)
    assert [item for item, _, _ in running] == [0, 1, 2, 3, 9]
    queue.done(running[0])
    assert [item for item, _, _ in _all(queue)] == [4]


def test_what_has_no_program_is_never_held_and_holds_nobody() -> None:
    queue = _queue(*((n, "a", "") for n in range(9)), *((n, "a", "p") for n in range(9, 12)))
    assert [item for item, _, _ in _all(queue)] == list(range(11))


def test_one_that_was_held_for_its_family_lets_the_next_by_when_its_program_is_full_meanwhile() -> None:
    queue = _queue((1, "a", "x"), (2, "a", "y"), (3, "a", "z"))
    first = _all(queue)
    queue.push(4, "a", "full")
    queue.push(5, "a", "w")
    assert _all(queue) == []  # both are held for their family
    for number in range(4):
        queue.push(10 + number, f"other {number}", "full")
    assert len(_all(queue)) == 4
    queue.done(first[0])
    assert [item for item, _, _ in _all(queue)] == [5]


def test_whatever_is_pushed_runs_in_the_end_and_never_too_many_at_once() -> None:
    chance = random.Random(8)
    for _ in range(300):
        _random_life(chance)


def _random_life(chance: random.Random) -> None:
    queue, running, ran = _queue(), list[Turn[int]](), set[int]()
    for item in range(60):
        queue.push(item, chance.choice("abc"), chance.choice(["x", "y", "z", ""]))
        if chance.random() < 0.7:
            _take(queue, running, ran)
        if running and chance.random() < 0.4:
            queue.done(running.pop(chance.randrange(len(running))))
    while len(queue) or running:
        _take(queue, running, ran)
        queue.done(running.pop(chance.randrange(len(running))))
    assert ran == set(range(60))


def _take(queue: ReadyQueue[int], running: list[Turn[int]], ran: set[int]) -> None:
    if (turn := queue.pop()) is not None:
        running.append(turn)
        ran.add(turn[0])
    bound = [turn[1:] for turn in running if turn[2]]
    assert max(Counter(bound).values(), default=0) <= SMALL.program_of_family
    assert max(Counter(family for family, _ in bound).values(), default=0) <= SMALL.family
    assert max(Counter(program for _, program in bound).values(), default=0) <= SMALL.program


def test_the_bounds_of_a_machine_use_all_of_its_cores_and_leave_one_thread_to_a_family() -> None:
    bounds = bounds_of_this_machine()
    assert 1 < bounds.program_of_family < bounds.family < bounds.program
