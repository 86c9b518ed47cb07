"""Clients over TLS, with certificates and API keys, to a real server behind real guards."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from engine.entry import Entry
from engine.errors import Failure, UnitFailed
from engine.hosts.temporal.client.connections import Clients
from engine.hosts.temporal.worker.worker import workflow_worker
from tests.engine.hosts.temporal.proxies import Authority, guard_before, tls_before
from tests.engine.hosts.temporal.stage import Stage, until
from tests.patience import PATIENCE


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "our-ca")


@pytest.fixture
async def secured(temporal_address: str, authority: Authority) -> AsyncIterator[str]:
    """The server behind TLS."""
    async with tls_before(temporal_address, authority.issue("server", "temporal.test")) as address:
        yield address


@pytest.fixture
async def mutual(temporal_address: str, authority: Authority) -> AsyncIterator[str]:
    """The server behind TLS that asks for certificates of our authority."""
    async with tls_before(temporal_address, authority.issue("server"), authority.ca) as address:
        yield address


def entry(address: str, **data: Any) -> Entry:
    return Entry("app:client", "temporal.client", {}, {"address": address, "connection_timeout": "5s", **data})


async def connected(address: str, environ: dict[str, str] | None = None, **data: Any) -> Client:
    return await Clients(environ or {}).of(entry(address, **data))


async def refusal(address: str, **data: Any) -> Failure:
    with pytest.raises(UnitFailed) as caught:
        await connected(address, **data)
    return caught.value.failure


async def works(client: Client) -> bool:
    """Whether a call over the connection comes through."""
    stage = await Stage.on(client)
    stage.workflow("app:w", "return a + 1")
    value = await stage.value("app:w", 41)
    await stage.close()
    return bool(value == 42)


async def test_a_workflow_runs_over_tls_with_our_own_authority(secured: str, authority: Authority) -> None:
    assert await works(await connected(secured, tls={"enabled": True, "ca_file": str(authority.ca)}))


async def test_entries_of_the_same_tls_settings_share_a_connection(secured: str, authority: Authority) -> None:
    clients, tls = Clients({}), {"enabled": True, "ca_file": str(authority.ca)}
    assert await clients.of(entry(secured, tls=tls)) is await clients.of(entry(secured, tls=dict(tls)))


async def test_the_name_of_the_server_may_be_given(secured: str, authority: Authority) -> None:
    tls = {"enabled": True, "ca_file": str(authority.ca)}
    assert await connected(secured, tls={**tls, "server_name": "temporal.test"})
    failure = await refusal(secured, tls={**tls, "server_name": "other.test"})
    assert (failure.kind, failure.retryable) == ("Unavailable", True)


async def test_a_server_of_an_unknown_authority_is_not_trusted(secured: str, tmp_path: Path) -> None:
    other = Authority(tmp_path, "other-ca")
    for tls in ({"enabled": True, "ca_file": str(other.ca)}, {"enabled": True}):
        failure = await refusal(secured, tls=tls)
        assert (failure.kind, failure.retryable) == ("Unavailable", True)
        assert secured in failure.message
        assert "Stack backtrace" not in failure.message


async def test_skipping_verification_is_refused_not_ignored(secured: str, authority: Authority) -> None:
    failure = await refusal(secured, tls={"enabled": True, "insecure_skip_verify": True})
    assert (failure.kind, failure.retryable) == ("Invalid", False)
    assert "insecure_skip_verify" in failure.message
    tls = {"enabled": True, "insecure_skip_verify": False, "ca_file": str(authority.ca)}
    assert await connected(secured, tls=tls)


async def test_plain_text_does_not_get_through_tls(secured: str) -> None:
    assert (await refusal(secured)).kind == "Unavailable"


async def test_a_client_shows_its_certificate_from_files_or_text(mutual: str, authority: Authority) -> None:
    pair = authority.issue("console")
    tls = {"enabled": True, "ca_file": str(authority.ca)}
    files = {"type": "mtls", "cert_file": str(pair.cert), "key_file": str(pair.key)}
    texts = {"type": "mtls", "cert_pem": pair.cert_pem, "key_pem": "${env:KEY}"}
    assert await works(await connected(mutual, tls=tls, auth=files))
    assert await works(await connected(mutual, {"KEY": pair.key_pem}, tls=tls, auth=texts))
    assert await connected(mutual, tls={"ca_file": str(authority.ca)}, auth=files)


async def test_without_a_certificate_of_the_right_authority_the_door_stays_shut(
    mutual: str, authority: Authority, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path, "other-ca").issue("stranger")
    tls = {"enabled": True, "ca_file": str(authority.ca)}
    for auth in ({}, {"type": "mtls", "cert_file": str(stranger.cert), "key_file": str(stranger.key)}):
        assert (await refusal(mutual, tls=tls, auth=auth)).kind == "Unavailable"


async def test_what_is_no_certificate_is_told_as_such(mutual: str, authority: Authority) -> None:
    auth = {"type": "mtls", "cert_pem": "nonsense", "key_pem": "nonsense"}
    failure = await refusal(mutual, tls={"enabled": True, "ca_file": str(authority.ca)}, auth=auth)
    assert failure.kind in {"Invalid", "Unavailable"}
    assert "nonsense" not in failure.message


async def test_an_api_key_goes_with_every_call_over_tls(temporal_address: str, authority: Authority) -> None:
    async with guard_before(temporal_address, authority.issue("server"), "secret-1") as (address, guard):
        tls = {"ca_file": str(authority.ca)}
        client = await connected(address, {"KEY": "secret-1"}, tls=tls, auth={"type": "api_key", "api_key_env": "KEY"})
        assert await works(client)
        assert guard.refused == 0
        assert "default" in guard.namespaces


async def test_a_wrong_api_key_is_refused_and_never_told(temporal_address: str, authority: Authority) -> None:
    async with guard_before(temporal_address, authority.issue("server"), "secret-1") as (address, guard):
        auth = {"type": "api_key", "api_key": "wrong-key"}
        failure = await refusal(address, tls={"ca_file": str(authority.ca)}, auth=auth)
        assert failure.kind == "Unavailable"
        assert "does not accept our credentials" in failure.message
        assert "wrong-key" not in failure.message
        assert guard.refused


async def test_an_api_key_travels_without_tls_only_when_told_so(temporal_address: str) -> None:
    async with guard_before(temporal_address, None, "secret-1") as (address, guard):
        auth = {"type": "api_key", "api_key": "secret-1"}
        assert (await refusal(address, auth=auth)).kind == "Unavailable"
        assert await connected(address, auth=auth, tls={"enabled": False})
        assert guard.refused == 0


async def test_mtls_without_tls_is_a_contradiction(mutual: str, authority: Authority) -> None:
    pair = authority.issue("console")
    auth = {"type": "mtls", "cert_file": str(pair.cert), "key_file": str(pair.key)}
    failure = await refusal(mutual, tls={"enabled": False}, auth=auth)
    assert (failure.kind, "tls.enabled" in failure.message) == ("Invalid", True)


async def test_a_new_key_in_the_file_is_used_by_the_next_connection(
    temporal_address: str, authority: Authority, tmp_path: Path
) -> None:
    file = tmp_path / "api-key"
    file.write_text("old\n")
    async with guard_before(temporal_address, authority.issue("server"), "old") as (address, guard):
        clients = Clients({})
        described = entry(
            address, tls={"ca_file": str(authority.ca)}, auth={"type": "api_key", "api_key_file": str(file)}
        )
        old = await clients.of(described)
        guard.change("new")
        file.write_text("new\n")
        new = await clients.of(described)
        assert new is not old
        assert await works(new)


async def test_one_server_that_is_away_does_not_keep_the_others_waiting(temporal_address: str) -> None:
    clients = Clients({})
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        away = asyncio.create_task(clients.of(entry(address, connection_timeout="30s")))
        await asyncio.sleep(0.1)
        assert await clients.of(Entry("app:other", "temporal.client", {}, {"address": temporal_address}))
        assert not away.done()
        away.cancel()
        await asyncio.gather(away, return_exceptions=True)


async def test_several_who_ask_at_once_get_one_connection(temporal_address: str) -> None:
    clients = Clients({})
    described = Entry("app:other", "temporal.client", {}, {"address": temporal_address})
    found = await asyncio.gather(*(clients.of(described) for _ in range(5)))
    assert len({id(client) for client in found}) == 1


async def test_a_worker_whose_key_expires_refuses_spawns_and_goes_on_with_the_key(
    temporal_address: str, authority: Authority
) -> None:
    async with guard_before(temporal_address, authority.issue("server"), "secret-1") as (address, guard):
        auth = {"type": "api_key", "api_key": "secret-1"}
        stage = await Stage.on(await connected(address, tls={"ca_file": str(authority.ca)}, auth=auth))
        stage.workflow("app:w", "return 1")
        assert await stage.value("app:w") == 1
        guard.change()

        async def noticed() -> bool:
            return guard.refused > 0

        await until(noticed)
        with pytest.raises(UnitFailed) as caught:
            await stage.spawn("app:w")
        assert (caught.value.failure.kind, caught.value.failure.retryable) == ("PermissionDenied", False)
        assert "secret" not in caught.value.failure.message
        guard.change("secret-1")
        assert await stage.value("app:w") == 1
        await stage.close()


async def test_a_server_that_fails_its_health_check_ends_the_worker_with_the_reason(
    temporal_address: str, authority: Authority
) -> None:
    async with guard_before(temporal_address, authority.issue("server"), "secret-1") as (address, guard):
        client = await connected(
            address, tls={"ca_file": str(authority.ca)}, auth={"type": "api_key", "api_key": "secret-1"}
        )
        stage = await Stage.on(client, serve=False)
        stage.catalog.publish(entry(address, health_check={"enabled": True, "interval": "200ms"}))
        running = asyncio.create_task(workflow_worker(client, stage.node, stage.settings).run())
        stage.workflow("app:w", "return 1")
        assert await stage.value("app:w") == 1
        guard.change()
        with pytest.raises(UnitFailed, match="is not healthy: the API key is not valid") as caught:
            await asyncio.wait_for(running, PATIENCE)
        assert (caught.value.failure.kind, caught.value.failure.retryable) == ("Unavailable", True)
        await stage.close()
