"""A web process with REDIS_URL: on a real Redis that is idle, goes away and comes back."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from websockets.sync.client import ClientConnection

from tests.api.calling import api_of
from tests.console.serving import running_web
from tests.console.test_consumers import collect, receive, signed_in, socket
from tests.patience import PATIENCE
from tests.redis_server import RedisServer, redis_server
from wippy_console.permissions import install_groups
from wippy_console.services import feed

pytestmark = pytest.mark.django_db(transaction=True)

IDLE_SECONDS = 30.0
"""Several times what channel layers and clients of Redis block or wait for."""


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
def viewer(transactional_db: None) -> Client:
    install_groups(Group, Permission)
    return signed_in("vera", "viewer")


def test_an_idle_socket_lives_with_redis_and_through_its_restart(redis: RedisServer, viewer: Client) -> None:
    with running_web(REDIS_URL=redis.url) as (port, _), socket(port, viewer) as live:
        receive(live)
        time.sleep(IDLE_SECONDS)
        assert hears(live, "idle")
        redis.kill()
        assert hears(live, "without Redis")
        redis.start()
        assert hears(live, "with Redis again")


def test_requests_are_counted_for_all_web_processes_and_go_on_without_redis(redis: RedisServer, viewer: Client) -> None:
    token = api_of(User.objects.get(username="vera"), per_minute=1000).token
    with running_web(REDIS_URL=redis.url) as (one, _), running_web(REDIS_URL=redis.url) as (other, _):
        before, after = remaining(one, token), remaining(other, token)
        if after >= before:  # a minute began between the two
            before, after = remaining(one, token), remaining(other, token)
        assert after == before - 1
        redis.kill()
        assert remaining(one, token) > 0 and remaining(other, token) > 0
        redis.start()
        until(lambda: remaining(one, token) > 0 and b":0" not in redis.said("DBSIZE"))


def hears(live: ClientConnection, name: str) -> bool:
    feed.append(feed.NODE, node=name)
    return [event["node"] for event in collect(live, 1)] == [name]


def remaining(port: int, token: str) -> int:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1/runs", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as response:
        assert "items" in json.load(response)
        return int(response.headers["RateLimit-Remaining"])


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.2)
