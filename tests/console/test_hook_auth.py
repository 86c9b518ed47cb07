"""Who is let in: known vectors, every way to be wrong, and that no secret is ever told."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from engine.entry import Entry
from engine.registry.hooks import auth as asked
from engine.registry.hooks.paths import Pattern
from engine.registry.hooks.route import Route
from tests.console.registry_cast import create
from wippy_console.services import temporal
from wippy_console.services.hooks import auth

GITHUB, GITHUB_BODY = "It's a Secret to Everybody", b"Hello, World!"
GITHUB_SIGNATURE = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
RFC_KEY, RFC_BODY = "Jefe", b"what do ya want for nothing?"
RFC_SIGNATURES = {
    "sha1": "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
    "sha256": "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    "sha512": "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1"
    "a34d4a6b4b636e070a38bce737",
}
"""RFC 2202 and RFC 4231, the second case of each."""
STRIPE, STRIPE_AT, STRIPE_BODY = "whsec_test", 1492774577, b'{"object":"event"}'
STRIPE_SIGNATURE = "a956190bc6fe8ade6d5724309c6a9b09615d868ed8ed552ba751316f1384dd8c"
TOKEN = "t0ken-with-ünïcode"
PASSWORDS = {"RFC7617": "123£", "EURO": "1€"}

Set = Callable[[str, str], None]


@pytest.fixture
def variable(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Set]:
    """Set a variable of this process before its registry is first asked."""
    temporal.reset()
    yield monkeypatch.setenv
    temporal.reset()


def route(value: Any) -> Route:
    return Route("POST", Pattern.parse("/x"), "app:e", "call", "app:f", asked.read(value))


def hmac(name: str = "HOOK_SECRET", **fields: Any) -> Route:
    return route({"hmac": {"header": "X-Signature", "secret_env": name, **fields}})


def reason(door: Route, headers: dict[str, str], body: bytes = b"", now: float | None = None) -> str:
    found = auth.refusal(door, [(name.lower(), value) for name, value in headers.items()], body, now)
    return found.reason if found else ""


def test_none_lets_everybody_in(variable: Set) -> None:
    assert auth.refusal(route("none"), [], b"") is None


def test_githubs_signature_is_taken_and_no_other(variable: Set) -> None:
    variable("HOOK_SECRET", GITHUB)
    door = route({"hmac": {"header": "X-Hub-Signature-256", "secret_env": "HOOK_SECRET", "prefix": "sha256="}})
    assert reason(door, {"X-Hub-Signature-256": GITHUB_SIGNATURE}, GITHUB_BODY) == ""
    assert reason(door, {"X-Hub-Signature-256": GITHUB_SIGNATURE.upper().replace("SHA", "sha")}, GITHUB_BODY) == ""
    assert "does not match" in reason(door, {"X-Hub-Signature-256": GITHUB_SIGNATURE}, GITHUB_BODY + b"\n")
    assert "does not match" in reason(door, {"X-Hub-Signature-256": "sha256=" + "0" * 64}, GITHUB_BODY)
    assert "does not match" in reason(door, {"X-Hub-Signature-256": "sha256="}, GITHUB_BODY)
    assert "does not match" in reason(door, {"X-Hub-Signature-256": "sha256=zz"}, GITHUB_BODY)
    assert "does not begin with sha256=" in reason(door, {"X-Hub-Signature-256": GITHUB_SIGNATURE[7:]}, GITHUB_BODY)
    assert "is missing" in reason(door, {}, GITHUB_BODY)
    twice = [("x-hub-signature-256", GITHUB_SIGNATURE), ("x-hub-signature-256", "sha256=" + "0" * 64)]
    found = auth.refusal(door, twice, GITHUB_BODY)
    assert found
    assert "more than once" in found.reason
    assert (found.status, found.told) == (401, "Not authenticated.")
    assert found.challenge.startswith("Signature ")


@pytest.mark.parametrize("algorithm", sorted(RFC_SIGNATURES))
def test_known_signatures_of_every_algorithm_in_both_encodings(variable: Set, algorithm: str) -> None:
    variable("HOOK_SECRET", RFC_KEY)
    signature = RFC_SIGNATURES[algorithm]
    in_base64 = base64.b64encode(bytes.fromhex(signature)).decode()
    assert reason(hmac(algorithm=algorithm), {"X-Signature": signature}, RFC_BODY) == ""
    assert reason(hmac(algorithm=algorithm, encoding="base64"), {"X-Signature": in_base64}, RFC_BODY) == ""
    assert reason(hmac(algorithm=algorithm, encoding="base64"), {"X-Signature": signature}, RFC_BODY)
    assert reason(hmac(algorithm=algorithm), {"X-Signature": in_base64}, RFC_BODY)
    for other in RFC_SIGNATURES.keys() - {algorithm}:
        assert reason(hmac(algorithm=other), {"X-Signature": signature}, RFC_BODY)


def test_a_timestamp_is_signed_and_old_within_the_tolerance_both_ways(variable: Set) -> None:
    variable("HOOK_SECRET", STRIPE)
    door = hmac(timestamp_header="X-Timestamp", tolerance="5m")
    sent = {"X-Signature": STRIPE_SIGNATURE, "X-Timestamp": str(STRIPE_AT)}
    for now in (STRIPE_AT, STRIPE_AT + 300, STRIPE_AT - 300):
        assert reason(door, sent, STRIPE_BODY, now) == ""
    assert "too old" in reason(door, sent, STRIPE_BODY, STRIPE_AT + 300.5)
    assert "too far in the future" in reason(door, sent, STRIPE_BODY, STRIPE_AT - 300.5)
    assert "does not match" in reason(door, {**sent, "X-Timestamp": str(STRIPE_AT + 1)}, STRIPE_BODY, STRIPE_AT)
    for stamp in ("", "now", "-5", "1e9", "1492774577.5", "٣", "9" * 13):
        assert "seconds since 1970" in reason(door, {**sent, "X-Timestamp": stamp}, STRIPE_BODY, STRIPE_AT)
    assert "x-timestamp is missing" in reason(door, {"X-Signature": STRIPE_SIGNATURE}, STRIPE_BODY, STRIPE_AT)
    assert "does not match" in reason(hmac(), sent, STRIPE_BODY)


def test_stripes_one_header_has_the_time_and_any_number_of_signatures(variable: Set) -> None:
    variable("HOOK_SECRET", STRIPE)
    door = hmac(timestamp_header="X-Signature", prefix="v1=")
    good = f"t={STRIPE_AT},v1={STRIPE_SIGNATURE}"
    assert reason(door, {"X-Signature": good + ",v0=00"}, STRIPE_BODY, STRIPE_AT) == ""
    assert (
        reason(door, {"X-Signature": f"t={STRIPE_AT}, v1={'0' * 64}, v1={STRIPE_SIGNATURE}"}, STRIPE_BODY, STRIPE_AT)
        == ""
    )
    assert "too old" in reason(door, {"X-Signature": good}, STRIPE_BODY, STRIPE_AT + 301)
    assert "does not match" in reason(door, {"X-Signature": good}, b"{}", STRIPE_AT)
    assert "v1=" in reason(door, {"X-Signature": f"t={STRIPE_AT},v0={STRIPE_SIGNATURE}"}, STRIPE_BODY, STRIPE_AT)
    assert "seconds since 1970" in reason(door, {"X-Signature": f"v1={STRIPE_SIGNATURE}"}, STRIPE_BODY, STRIPE_AT)


def test_a_token_comes_as_bearer_or_in_a_header_of_its_own(variable: Set) -> None:
    variable("HOOK_SECRET", TOKEN)
    as_sent = TOKEN.encode().decode("latin-1")  # as ASGI has it
    bearer, own = route({"token": {"secret_env": "HOOK_SECRET"}}), {"header": "X-Token", "secret_env": "HOOK_SECRET"}
    assert reason(bearer, {"Authorization": f"Bearer {as_sent}"}) == ""
    assert reason(bearer, {"Authorization": f"bearer  {as_sent}"}) == ""
    assert reason(route({"token": own}), {"X-Token": as_sent}) == ""
    for wrong in (
        "",
        as_sent,
        "Bearer",
        "Bearer ",
        f"Bearer {as_sent}x",
        f"Basic {as_sent}",
        f"Bearer {as_sent.upper()}",
    ):
        assert reason(bearer, {"Authorization": wrong})
    assert reason(route({"token": own}), {"X-Token": f"Bearer {as_sent}"})
    found = auth.refusal(bearer, [], b"")
    assert found
    assert (found.status, found.challenge) == (401, 'Bearer realm="hooks"')


@pytest.mark.parametrize(
    ("name", "credentials"),
    [
        ("RFC7617", "dGVzdDoxMjPCow=="),
        ("RFC7617", "dGVzdDoxMjOj"),
        ("EURO", base64.b64encode("test:1€".encode()).decode()),
    ],
)
def test_basic_credentials_may_be_of_any_letters_in_both_forms_that_clients_write(
    variable: Set, name: str, credentials: str
) -> None:
    variable("HOOK_PASSWORD", PASSWORDS[name])
    door = route({"basic": {"username": "test", "password_env": "HOOK_PASSWORD"}})
    assert reason(door, {"Authorization": f"Basic {credentials}"}) == ""
    for wrong in (
        "",
        "Basic",
        "Basic !",
        f"Bearer {credentials}",
        f"Basic {credentials}x",
        "Basic dGVzdDo=",
        "Basic OjE=",
    ):
        assert reason(door, {"Authorization": wrong})
    found = auth.refusal(door, [], b"")
    assert found
    assert found.challenge == 'Basic realm="hooks", charset="UTF-8"'


def test_whoever_has_no_secret_lets_nobody_in(variable: Set) -> None:
    variable("HOOK_EMPTY", "")
    for name in ("HOOK_EMPTY", "HOOK_UNSET", "app:none"):
        token, hashed = route({"token": {"secret_env": name}}), hmac(name)
        basic = route({"basic": {"username": "u", "password_env": name}})
        for door in (token, hashed, basic):
            found = auth.refusal(door, [("authorization", "Bearer ")], b"")
            assert found
            assert (found.status, found.told) == (503, "This endpoint is not ready.")
            assert name in found.reason
            assert auth.problem(door) == found.reason
    assert auth.problem(route("none")) == ""


def test_keys_of_the_console_itself_are_no_secrets_of_endpoints(variable: Set) -> None:
    for name in ("SECRET_KEY", "DATABASE_URL", "TEMPORAL_API_KEY"):
        variable(name, "x")
        assert "is not set" in reason(route({"token": {"secret_env": name}}), {"Authorization": "Bearer x"})


def test_a_declared_variable_is_found_by_name_and_id_before_the_environment(variable: Set) -> None:
    variable("HOOK_TOKEN", "of the environment")
    create(
        Entry("app:static", "env.storage.static", {}, {"values": {"HOOK_TOKEN": "declared"}}),
        Entry("app:token", "env.variable", {}, {"variable": "HOOK_TOKEN", "storage": "app:static"}),
    )
    temporal.catalog().refresh()
    for name in ("HOOK_TOKEN", "app:token"):
        door = route({"token": {"secret_env": name}})
        assert reason(door, {"Authorization": "Bearer declared"}) == ""
        assert reason(door, {"Authorization": "Bearer of the environment"})


def test_a_storage_that_cant_be_read_lets_nobody_in(variable: Set) -> None:
    create(Entry("app:token", "env.variable", {}, {"variable": "HOOK_TOKEN", "storage": "app:gone"}),
           Entry("app:gone", "env.storage.file", {}, {"file_path": "../secret_key"}))  # fmt: skip
    temporal.catalog().refresh()
    found = auth.refusal(route({"token": {"secret_env": "HOOK_TOKEN"}}), [("authorization", "Bearer x")], b"")
    assert found
    assert found.status == 503


def test_neither_the_secret_nor_what_was_sent_is_ever_told(variable: Set, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    variable("HOOK_SECRET", "s3cr3t-kept")
    doors = [
        hmac(),
        hmac(timestamp_header="X-Timestamp"),
        hmac(timestamp_header="X-Signature", prefix="v1="),
        route({"token": {"secret_env": "HOOK_SECRET"}}),
        route({"token": {"secret_env": "HOOK_SECRET", "header": "X-Token"}}),
        route({"basic": {"username": "u", "password_env": "HOOK_SECRET"}}),
    ]
    names = ("X-Signature", "X-Token", "Authorization", "X-Timestamp")
    values = ("gu3ss3d", "Bearer gu3ss3d", "Basic gu3ss3d", "v1=gu3ss3d,t=1", "Basic Z3UzM3NlZDp4")
    sent = [{}, *({name: value} for name in names for value in values)]
    told = [
        repr(auth.refusal(door, [(k.lower(), v) for k, v in each.items()], b"b0dy", 1.0))
        for door in doors
        for each in sent
    ]
    assert "None" not in told
    for text in (*told, *map(repr, doors), caplog.text):
        assert "s3cr3t" not in text
        assert "gu3ss3d" not in text
        assert "Z3Uz" not in text
        assert "b0dy" not in text
