"""Reaching a Temporal that was given by its address."""

from __future__ import annotations

from pathlib import Path

from temporalio.client import Client, TLSConfig

from wippy_console.env import TemporalEnv


class Unreachable(Exception):
    """The given Temporal does not answer, or not to us."""


async def reach(temporal: TemporalEnv) -> Client:
    """Connect with the credentials of the environment; Unreachable says what to check."""
    try:
        return await Client.connect(
            temporal.address,
            namespace=temporal.namespace,
            api_key=temporal.api_key or None,
            tls=tls_config(temporal),
        )
    except (RuntimeError, OSError) as error:
        raise Unreachable(
            f"no Temporal at {temporal.address} (TEMPORAL_ADDRESS): {error}; start it, correct the address, "
            "or unset TEMPORAL_ADDRESS to use the embedded server"
        ) from error


def tls_config(temporal: TemporalEnv) -> TLSConfig | bool:
    """Return what TLS to use: none, plain TLS for API keys, or mTLS when a client certificate is given."""
    if not (temporal.client_cert or temporal.server_ca):
        return temporal.tls or bool(temporal.api_key)
    return TLSConfig(
        client_cert=_content(temporal.client_cert),
        client_private_key=_content(temporal.client_key),
        server_root_ca_cert=_content(temporal.server_ca),
    )


def _content(path: str) -> bytes | None:
    return Path(path).read_bytes() if path else None
