from __future__ import annotations

import pytest

from engine.registry.placeholders import fill


def test_placeholders_are_filled_from_the_environment_at_any_depth() -> None:
    data = {"address": "${env:HOST}:${env:PORT}", "auth": {"keys": ["${env:KEY}", 5]}, "plain": "$HOME"}
    environment = {"HOST": "temporal", "PORT": "7233", "KEY": "${env:HOST}"}
    assert fill(data, environment) == {
        "address": "temporal:7233",
        "auth": {"keys": ["${env:HOST}", 5]},
        "plain": "$HOME",
    }


def test_an_unset_name_is_told() -> None:
    with pytest.raises(KeyError, match="PORT"):
        fill("${env:PORT}", {})
