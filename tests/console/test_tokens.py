"""Tokens as rows: shared by nodes, worthless to whoever reads them."""

from __future__ import annotations

import json
import time

import pytest
from django.core import serializers

from engine.asks.tokens import TokenAsks
from engine.contracts.tokens import Token
from engine.entry import Entry
from engine.errors import UnitFailed
from engine.memory.catalog import MemoryCatalog
from engine.security.context import Actor, Policy, Security
from wippy_console import models
from wippy_console.worker.asks.tokens import DatabaseVault

pytestmark = pytest.mark.django_db(transaction=True)

POLICY = {"actions": "*", "resources": "*", "effect": "allow"}
CATALOG = MemoryCatalog(
    [
        Entry("app:tokens", "security.token_store", {}, {"token_key": "${env:KEY}", "default_expiration": "1h"}),
        Entry("app:all", "security.policy", {}, {"policy": POLICY}),
    ]
)
ANN = {"id": "user:ann", "meta": {"role": "reader"}}


def asks() -> TokenAsks:
    return TokenAsks(CATALOG, DatabaseVault(), {"KEY": "k" * 32})


async def test_another_node_knows_the_token_and_a_revoked_one_nobody_knows() -> None:
    token = await asks().create("", ("app:tokens", ANN, ["app:all"], {"meta": {"device": "x"}}))
    told = await asks().validate("", ("app:tokens", token))
    assert told == {"actor": ANN, "scope": [{"id": "app:all", "definition": POLICY}]}
    assert await asks().revoke("", ("app:tokens", token)) is True
    assert await asks().revoke("", ("app:tokens", token)) is False
    with pytest.raises(UnitFailed, match="token validation failed"):
        await asks().validate("", ("app:tokens", token))


async def test_the_rows_do_not_hold_the_token() -> None:
    token = await asks().create("", ("app:tokens", ANN, []))
    rows = json.dumps(json.loads(serializers.serialize("json", [row async for row in models.Token.objects.all()])))
    text, _, signature = token.partition(".")
    assert "user:ann" in rows and text not in rows and signature not in rows


async def test_expired_tokens_are_worth_nothing_and_go_with_the_next_one() -> None:
    vault = DatabaseVault()
    await vault.put(Token("app:tokens", "old", Security(Actor("a"), (Policy("app:all"),)), time.time_ns() - 1))
    assert await models.Token.objects.acount() == 1
    await asks().create("", ("app:tokens", ANN, []))
    assert [row.digest async for row in models.Token.objects.filter(digest="old")] == []


async def test_a_key_may_be_named_as_a_variable_and_must_be_set() -> None:
    catalog = MemoryCatalog([Entry("app:tokens", "security.token_store", {}, {"token_key_env": "KEY"})])
    token = await TokenAsks(catalog, DatabaseVault(), {"KEY": "k" * 32}).create("", ("app:tokens", ANN, []))
    assert (await asks().validate("", ("app:tokens", token)))["actor"] == ANN
    with pytest.raises(UnitFailed, match="KEY"):
        await TokenAsks(catalog, DatabaseVault(), {}).create("", ("app:tokens", ANN, []))
