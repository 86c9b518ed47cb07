"""Which host or worker is meant when none is named."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from engine.entry import Entry
from tests.console.registry_cast import create
from wippy_console.services.by_kind import only
from wippy_console.services.errors import NotFoundError, Refused

pytestmark = pytest.mark.django_db(transaction=True)

HOST = "process.host"


def test_an_application_means_its_own_host_beside_that_of_another() -> None:
    create(Entry("app:processes", HOST), Entry("shop:processes", HOST), Entry("shop.back:office", HOST))
    assert only(HOST, "app:any") == "app:processes"
    assert only(HOST, "app.deep.down:any") == "app:processes"
    assert only(HOST, "shop.back:any") == "shop.back:office"
    with pytest.raises(Refused, match="more than one") as caught:
        only(HOST, "shop:any")
    assert caught.value.fields == {"host": ["Choose one of shop.back:office, shop:processes."]}
    with pytest.raises(Refused, match="more than one"):
        only(HOST, "shopping:any")


def test_an_only_host_is_meant_by_everyone() -> None:
    with pytest.raises(NotFoundError, match="has no"):
        only(HOST, "app:any")
    create(Entry("app:processes", HOST))
    assert only(HOST, "elsewhere.far:any") == only(HOST) == "app:processes"


def test_the_form_of_a_start_chooses_the_worker_near_the_workflow(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root", password="x"))
    workers = [
        Entry(f"{name}:worker", "temporal.worker", {}, {"client": "app:client", "task_queue": name})
        for name in ("app", "shop", "up")
    ]
    named = {"temporal": {"workflow": {"worker": "up:worker"}}}
    create(
        Entry("app:client", "temporal.client"), *workers,
        Entry("shop:order", "workflow.lua", {}, {"source": "return function() end"}),
        Entry("shop:named", "workflow.lua", named, {"source": "return function() end"}),
    )  # fmt: skip
    for entry, worker in (("shop:order", "shop:worker"), ("shop:named", "up:worker")):
        assert f'<option value="{worker}" selected>' in client.get(f"/runs/start/?entry={entry}").content.decode()
