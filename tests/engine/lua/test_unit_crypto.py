"""What Lua can't show of crypto from inside: where secrets come from, RSA keys, the clock, and what work costs."""

from __future__ import annotations

from functools import cache

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from engine.errors import LIMIT_EXCEEDED
from engine.lua.unit import Unit
from engine.steps import Ask, Identity, Limits, Resolved, Returned, Value
from engine.testing import SECOND, Driver, HandWorld, program_of


def run(text: str, *args: Value, kind: str = "function", **options: object) -> Driver:
    return Driver.of_source(f"return {{main = function(...) {text} end}}", kind, args=args, **options)


@cache
def key_pair() -> tuple[str, str]:
    """PEM texts of a private key and of its public one."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


@pytest.mark.parametrize(
    "call", ["random.bytes(8)", "random.uuid()", "random.string(8)", "encrypt.aes('x', ('k'):rep(16))"]
)
def test_a_workflow_asks_its_host_for_a_secret_and_does_not_use_the_generator_of_its_run(call: str) -> None:
    program = program_of(f"return function() return (require('crypto').{call}) end", modules=("crypto",))
    results = []
    for seed, secret in ((1, b"a" * 32), (2, b"a" * 32), (1, b"b" * 32)):
        unit = Unit(program, Identity("{c@w|1}", "workflow", {}), (), HandWorld(seed=seed))
        [ask] = unit.step().commands
        assert isinstance(ask, Ask)
        assert ask.name == "random.secret"
        status = unit.step([Resolved(ask.seq, secret)]).status
        assert isinstance(status, Returned)
        results.append(status.value)
    assert results[0] == results[1] != results[2]


def test_tokens_of_rsa_keys_are_signed_by_one_and_verified_by_the_other() -> None:
    private, public = key_pair()
    source = """
        local private, public = ...
        local token = crypto.jwt.encode({sub = 'me', exp = os.time() + 60}, private, 'RS256')
        local _, wrong = crypto.jwt.verify(token .. 'AA', public, 'RS256')
        local _, swapped = crypto.jwt.verify(token, public, 'HS256')
        return {crypto.jwt.verify(token, public, 'RS256').sub, wrong:kind(), swapped:kind()}"""
    assert run(source, private, public).value == ["me", "Internal", "Internal"]


def test_a_public_key_is_no_secret_and_signs_nothing() -> None:
    _, public = key_pair()
    source = """
        local public = ...
        local _, hmac = crypto.jwt.encode({}, public, 'HS256')
        local _, rsa = crypto.jwt.encode({}, public, 'RS256')
        return {hmac:kind(), rsa:kind()}"""
    assert run(source, public).value == ["Invalid", "Invalid"]


def test_a_key_that_would_take_seconds_to_read_is_refused() -> None:
    long = "-----BEGIN PRIVATE KEY-----\n" + "A" * 6000 + "\n-----END PRIVATE KEY-----\n"
    assert run("local _, err = crypto.jwt.encode({}, ..., 'RS256') return err:kind()", long).value == "Invalid"


def test_a_token_expires_by_the_clock_of_the_unit() -> None:
    source = """
        local token = crypto.jwt.encode({exp = os.time() + 60}, 'secret')
        local before = crypto.jwt.verify(token, 'secret') ~= nil
        require('time').sleep('60s')
        return {before, crypto.jwt.verify(token, 'secret') ~= nil}"""
    driver = run(source, kind="workflow", world=HandWorld(clock=1_000_000 * SECOND))
    driver.advance(60)
    assert driver.value == [True, False]


def test_a_function_may_derive_one_key_of_ten_million_iterations_and_a_workflow_may_not_go_on_for_ever() -> None:
    loop = "for i = 1, 100 do crypto.pbkdf2('p', 's', 200000, 32) end"
    failure = run(loop, kind="workflow", limits=Limits(max_instructions=10_000_000)).failure
    assert failure.kind == LIMIT_EXCEEDED
    small = Limits(max_instructions=100_000_000)
    assert run("return #crypto.pbkdf2('p', 's', 1000000, 32)", limits=small).value == 32
    assert run("return #crypto.pbkdf2('p', 's', 10000000, 32)", limits=small).failure.kind == LIMIT_EXCEEDED


@pytest.mark.parametrize(
    "body",
    [
        "local s = string.rep('[', 60000) for i = 1, 100 do yaml.decode(s) end",
        "local s = string.rep('a: b\\n', 9000) for i = 1, 100 do yaml.decode(s) end",
        "local t = {} for i = 1, 9000 do t[i] = i end for i = 1, 100 do yaml.encode(t) end",
        "local s = string.rep('x', 4000000) for i = 1, 10000 do hash.sha512(s) end",
        "local s = string.rep('x', 4000000) for i = 1, 10000 do base64.encode(s) end",
        "local s = string.rep('x', 500000) while true do hash.fnv64(s) end",
    ],
)
def test_work_of_the_hosts_libraries_counts_as_the_units_own(body: str) -> None:
    limits = Limits(max_instructions=20_000_000)
    assert run(body, kind="workflow", limits=limits).failure.kind == LIMIT_EXCEEDED
