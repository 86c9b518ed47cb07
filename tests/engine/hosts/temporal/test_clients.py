"""Clients of `temporal.client` entries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.entry import Entry
from engine.errors import UnitFailed
from engine.hosts.temporal.client.connections import Clients, ClientSettings


def settings(data: dict[str, Any], environ: dict[str, str] | None = None) -> ClientSettings:
    return ClientSettings.read(Entry("app:client", "temporal.client", {}, data), environ or {})


def test_placeholders_come_from_the_environment_that_is_given() -> None:
    read = settings({"address": "${env:HOST}:7233", "namespace": "${env:NS}"}, {"HOST": "temporal", "NS": "orders"})
    assert (read.address, read.namespace) == ("temporal:7233", "orders")


def test_an_entry_without_address_uses_the_default_of_the_environment() -> None:
    assert settings({}, {"TEMPORAL_ADDRESS": "there:1"}).address == "there:1"
    with pytest.raises(UnitFailed, match="TEMPORAL_ADDRESS is not set"):
        settings({})


def test_an_entry_without_namespace_uses_that_of_the_environment() -> None:
    assert settings({"address": "a:1"}, {"TEMPORAL_NAMESPACE": "shop"}).namespace == "shop"
    assert settings({"address": "a:1", "namespace": "own"}, {"TEMPORAL_NAMESPACE": "shop"}).namespace == "own"
    assert (
        settings({"address": "a:1"}).namespace == settings({"address": "a:1", "namespace": ""}).namespace == "default"
    )


async def test_a_namespace_that_does_not_exist_is_unavailable_and_says_what_to_do(temporal_address: str) -> None:
    with pytest.raises(UnitFailed, match=r"no namespace 'shop': create it .* or TEMPORAL_NAMESPACE where") as caught:
        await Clients({"TEMPORAL_NAMESPACE": "shop", "TEMPORAL_ADDRESS": temporal_address}).of(
            Entry("app:a", "temporal.client")
        )
    assert (caught.value.failure.kind, caught.value.failure.retryable) == ("Unavailable", True)


def test_an_api_key_comes_from_the_entry_a_variable_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-file\n")
    for auth, environ in (
        ({"api_key": "${env:KEY}"}, {"KEY": "from-file"}),
        ({"api_key_env": "KEY"}, {"KEY": "from-file"}),
        ({"value_from_env": "KEY"}, {"KEY": "from-file"}),
        ({"api_key": "${env:KEY|from-file}"}, {}),
        ({"api_key": "old", "api_key_env": "KEY"}, {"KEY": "from-file"}),
        ({"api_key": "from-file", "api_key_env": "KEY"}, {"KEY": ""}),
        ({"api_key_file": str(tmp_path / "key")}, {}),
    ):
        assert settings({"address": "a:1", "auth": {"type": "api_key", **auth}}, environ).api_key == "from-file"
    with pytest.raises(UnitFailed, match="wants an API key"):
        settings({"address": "a:1", "auth": {"type": "api_key"}})


def test_mtls_reads_its_files_and_says_which_is_missing(tmp_path: Path) -> None:
    (tmp_path / "cert").write_text("CERT")
    auth = {"type": "mtls", "cert_file": str(tmp_path / "cert"), "key_pem": "KEY"}
    tls = settings({"address": "a:1", "auth": auth, "tls": {"server_name": "temporal"}}).tls
    assert tls is not None
    assert (tls.client_cert, tls.client_private_key, tls.domain) == (b"CERT", b"KEY", "temporal")
    with pytest.raises(UnitFailed, match=r"auth\.key_file"):
        settings({"address": "a:1", "auth": {"type": "mtls", "cert_file": str(tmp_path / "cert")}})


async def test_entries_of_the_same_settings_share_a_connection(temporal_address: str) -> None:
    clients = Clients({"TEMPORAL_ADDRESS": temporal_address})
    one = await clients.of(Entry("app:a", "temporal.client"))
    two = await clients.of(Entry("app:b", "temporal.client", {}, {"address": temporal_address}))
    assert one is two


async def test_nobody_there_is_unavailable() -> None:
    with pytest.raises(UnitFailed) as caught:
        await Clients({}).of(
            Entry("app:a", "temporal.client", {}, {"address": "127.0.0.1:1", "connection_timeout": "2s"})
        )
    assert caught.value.failure.kind == "Unavailable"
