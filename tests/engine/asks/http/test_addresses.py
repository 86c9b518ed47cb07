from __future__ import annotations

from ipaddress import ip_address

import pytest

from engine.asks.http.addresses import Allowed, is_private, meanings

PRIVATE = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "100.100.100.200", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "192.0.0.192", "192.0.2.1", "198.18.0.1", "168.63.129.16", "192.88.99.1", "::1",
    "::", "fe80::1", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1",
    "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::10.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::7f00:1", "2002:7f00:1::", "2002:a9fe:a9fe::", "2001:0:4136:e378:8000:63bf:f5ff:fffe", "fe80::1%eth0",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]


@pytest.mark.parametrize("text", PRIVATE)
def test_what_is_not_everybodys_needs_to_be_allowed(text: str) -> None:
    address = ip_address(text)
    assert is_private(address)
    assert not Allowed().covers(text, address, 80)


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_are_allowed(text: str) -> None:
    assert Allowed().covers("host", ip_address(text), 443)


def test_an_address_may_be_allowed_on_one_port() -> None:
    allowed = Allowed(["127.0.0.1:8080", "[::1]:9090"])
    assert allowed.covers("localhost", ip_address("127.0.0.1"), 8080)
    assert not allowed.covers("localhost", ip_address("127.0.0.1"), 80)
    assert allowed.covers("::1", ip_address("::1"), 9090) and not allowed.covers("::1", ip_address("::1"), 90)


def test_a_network_covers_what_stands_for_its_addresses() -> None:
    allowed = Allowed(["10.0.0.0/8"])
    assert allowed.covers("a", ip_address("10.9.8.7"), 80) and allowed.covers("a", ip_address("::ffff:10.0.0.1"), 80)
    assert not allowed.covers("a", ip_address("11.0.0.1"), 80) or not is_private(ip_address("11.0.0.1"))
    assert not allowed.covers("a", ip_address("192.168.0.1"), 80)


def test_a_name_covers_private_addresses_but_none_of_metadata() -> None:
    allowed = Allowed(["Hooks.local"])
    assert allowed.covers("hooks.local", ip_address("10.0.0.1"), 80)
    assert allowed.covers("hooks.LOCAL.", ip_address("127.0.0.1"), 80)
    assert not allowed.covers("other.local", ip_address("10.0.0.1"), 80)
    for text in ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "::ffff:169.254.169.254"):
        assert not allowed.covers("hooks.local", ip_address(text), 80), text


def test_sockets_are_allowed_one_by_one() -> None:
    allowed = Allowed(["unix:/run/app.sock"])
    assert allowed.covers_socket("/run/app.sock") and not allowed.covers_socket("/var/run/docker.sock")


@pytest.mark.parametrize("text", ["http://x", "a:b", "10.0.0.0/99", "*.local", "host:0", "user@host"])
def test_a_part_that_cant_be_read_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is no host"):
        Allowed([text])


def test_an_address_means_each_that_it_carries() -> None:
    assert ip_address("127.0.0.1") in meanings(ip_address("2002:7f00:1::"))
    assert ip_address("10.0.0.1") in meanings(ip_address("64:ff9b::a00:1"))
