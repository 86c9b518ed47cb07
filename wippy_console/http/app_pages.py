"""Pages of the apps that WIPPY_APPS names: where their addresses are, and which of them the menu leads to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import module_has_submodule

ICON = "package"


@dataclass(frozen=True, slots=True)
class AppPage:
    """A line of the menu: `view` is the name of the app's first page."""

    view: str
    icon: str
    word: str


def modules() -> Iterator[tuple[str, str]]:
    """Label and `urls` module of each app that has one."""
    for config in added():
        if has(config, "urls"):
            yield config.label, f"{config.name}.urls"


def shown(user: Any) -> list[AppPage]:
    """Those with an address named `<label>:index`, for who has the app's `console_permission`, if it names one."""
    return [
        AppPage(view, getattr(config, "console_icon", ICON), str(config.verbose_name))
        for config in added()
        if _leads(view := f"{config.label}:index") and _may(user, config)
    ]


def added() -> list[AppConfig]:
    """The apps that WIPPY_APPS names."""
    wanted = set(settings.WIPPY_APPS)
    return [each for each in apps.get_app_configs() if wanted & {each.name, _path(each)}]


def has(config: AppConfig, name: str) -> bool:
    """Whether the app has a module of that name."""
    return config.module is not None and module_has_submodule(config.module, name)


def _path(config: AppConfig) -> str:
    """As INSTALLED_APPS may name it, too."""
    return f"{type(config).__module__}.{type(config).__qualname__}"


def _leads(view: str) -> bool:
    try:
        return bool(reverse(view))
    except NoReverseMatch:
        return False


def _may(user: Any, config: AppConfig) -> bool:
    permission = getattr(config, "console_permission", "")
    return not permission or bool(user.has_perm(permission))
