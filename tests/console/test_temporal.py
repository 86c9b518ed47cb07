"""What the console makes of Temporal's answers, and what it tells entries of its environment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from temporalio.service import RPCError, RPCStatusCode

from engine.entry import Entry
from engine.hosts.temporal.client import connections
from engine.hosts.temporal.client.connections import ClientSettings
from wippy_console.management.operations import operator
from wippy_console.services import registry, temporal, temporal_server
from wippy_console.services.errors import Unavailable
from wippy_console.services.registry import Changes
from wippy_console.services.temporal import environ
from wippy_console.services.temporal_server import Place

SAYS_NO = ("INVALID_ARGUMENT", "NOT_FOUND", "PERMISSION_DENIED", "FAILED_PRECONDITION", "UNAUTHENTICATED")


@pytest.mark.parametrize("status", ["UNAVAILABLE", "UNKNOWN", "INTERNAL", "ABORTED", "DATA_LOSS", "DEADLINE_EXCEEDED"])
def test_a_broken_connection_is_no_refusal_since_the_request_may_have_had_its_effect(status: str) -> None:
    error = RPCError("transport error", RPCStatusCode[status], b"")
    assert isinstance(temporal.translated(error), Unavailable)


@pytest.mark.parametrize("status", SAYS_NO)
def test_an_answer_stays_an_answer(status: str) -> None:
    error = RPCError("no", RPCStatusCode[status], b"")
    assert temporal.translated(error) is error


def test_entries_see_where_this_installation_has_temporal(settings: Any) -> None:
    settings.TEMPORAL_ADDRESS, settings.TEMPORAL_NAMESPACE = "there:1", "shop"
    read = ClientSettings.read(Entry("app:client", "temporal.client"), environ())
    assert (read.address, read.namespace) == ("there:1", "shop")


@pytest.mark.django_db(transaction=True)
class TestHealth:
    """What home and Workers tell of Temporal."""

    def publish(self, **clients: dict[str, Any]) -> None:
        made = [Entry(f"app:{name}", "temporal.client", data=data) for name, data in clients.items()]
        workers = [
            Entry(f"app:w_{name}", "temporal.worker", data={"client": f"app:{name}", "task_queue": "q"})
            for name in clients
        ]
        registry.publish(operator(), Changes(create=(*made, *workers)), base=None, message="")

    @pytest.fixture(autouse=True)
    def fresh(self, settings: Any, temporal_address: str) -> Iterator[None]:
        settings.TEMPORAL_ADDRESS = temporal_address
        settings.TEMPORAL = replace(settings.TEMPORAL, address=temporal_address, namespace="default")
        temporal.reset()
        yield
        temporal.reset()

    def test_a_client_without_address_and_namespace_is_published_and_uses_the_settings(
        self, temporal_address: str
    ) -> None:
        self.publish(client={})
        [only] = temporal_server._Probe().all()
        assert (only.ok, only.place) == (True, Place(temporal_address, "default", ("app:client",)))

    def test_a_namespace_that_does_not_exist_is_not_healthy(
        self, temporal_address: str, settings: Any, client: Client
    ) -> None:
        settings.TEMPORAL_NAMESPACE = "shop"
        self.publish(client={}, other={"address": temporal_address, "namespace": "default"})
        ours, other = temporal_server._Probe().all()
        assert (ours.place.namespace, ours.place.clients, ours.ok, ours.is_away) == (
            "shop",
            ("app:client",),
            False,
            False,
        )
        assert "no namespace 'shop': create it" in ours.message
        assert (other.place.namespace, other.place.clients, other.ok) == ("default", ("app:other",), True)
        client.force_login(User.objects.create_superuser("root"))
        for address in ("/health/", "/workers/"):
            text = client.get(address).content.decode()
            assert "No namespace" in text and "app:other" in text

    def test_a_missing_namespace_is_told_by_type_and_not_by_words(
        self, temporal_address: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.publish(client={"address": temporal_address, "namespace": "shop"})
        monkeypatch.setattr(connections, "no_namespace", lambda *_: "es gibt keinen Namensraum")
        found = [each for each in temporal_server._Probe().all() if not each.ok]
        assert [(each.message, each.is_away) for each in found] == [("es gibt keinen Namensraum", False)]

    def test_a_place_of_the_settings_that_no_worker_uses_says_so(self, temporal_address: str, client: Client) -> None:
        self.publish(client={"address": "127.0.0.1:1", "namespace": "far", "connection_timeout": "1s"})
        ours, far = temporal_server._Probe().all()
        assert (ours.ok, ours.place.clients) == (True, ())
        assert (far.ok, far.is_away, far.place.namespace) == (False, True, "far")


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", "REDIS_URL"])
def test_entries_can_not_refer_to_the_consoles_own_secrets(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("TEMPORAL_API_KEY", "theirs")
    assert name not in environ()
    assert environ()["TEMPORAL_API_KEY"] == "theirs"
