"""`manage.py up`: prepare the installation, then start its processes and keep them running."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from functools import partial

from django.core.management.base import CommandError
from django.db import DatabaseError, connections

from wippy_console.env import ADDRESS_FILE, CHOICE_FILE, EXAMPLE_APP, ROOT, Environment
from wippy_console.services.temporal_server import Unreachable
from wippy_console.supervision import installation
from wippy_console.supervision.children.child import ChildDied
from wippy_console.supervision.dev_server import DevServer, FileInUse
from wippy_console.supervision.folder import FolderInUse, locked
from wippy_console.supervision.ports import PortTaken, claimed_port, listen
from wippy_console.supervision.report import Login, Progress, Ready, Report
from wippy_console.supervision.supervisor import ChildSupervisor

STEPS = 6


class CannotStart(Exception):
    """Why `up` gives up, in words that say what to do."""


def up(environment: Environment, report: Report, *, examples: bool | None) -> None:
    """Run the installation until a signal stops it; `examples` None is as it was chosen before. Raises CannotStart."""
    began = time.monotonic()
    examples = installation.with_examples(environment.data / CHOICE_FILE, examples)
    progress = Progress(report, STEPS + examples)
    with _as_cannot_start(environment), ExitStack() as stack:
        listener = _claim(environment, progress, stack)
        _migrate(progress)
        login = _administrator(progress)
        stack.callback(login.show, report)
        if examples:
            _load_examples(environment, progress)
        connections.close_all()
        environment, server = _choose_temporal(environment, stack)
        ready = partial(_report_ready, environment, report, login, began)
        asyncio.run(ChildSupervisor(environment, server, listener, report).run(progress, ready))


@contextmanager
def _as_cannot_start(environment: Environment) -> Iterator[None]:
    """Turn what commonly goes wrong into one message."""
    try:
        yield
    except PortTaken as error:
        raise CannotStart(f"{error}: set PORT to a free one, for example PORT={environment.port + 1}") from error
    except FolderInUse as error:
        raise CannotStart(f"{error}; stop it, or set WIPPY_DATA and PORT to run a second copy") from error
    except FileInUse as error:
        raise CannotStart(f"{error}; end that server, or set WIPPY_DATA") from error
    except DatabaseError as error:
        raise CannotStart(f"the database does not work: {' '.join(str(error).split())}; see DATABASE_URL") from error
    except CommandError as error:
        raise CannotStart(f"the examples were refused: {error}; --no-examples starts without") from error
    except (ChildDied, Unreachable, TimeoutError) as error:
        raise CannotStart(str(error)) from error


def _claim(environment: Environment, progress: Progress, stack: ExitStack) -> socket.socket:
    """Take the data folder and the port, so that everything after this is ours alone."""
    with progress.step("Data folder and port") as outcome:
        stack.enter_context(locked(environment.data, f"process {os.getpid()} on port {environment.port}"))
        listener = stack.enter_context(closing(listen(environment.bind, environment.port)))
        outcome.append(str(environment.data))
    return listener


def _migrate(progress: Progress) -> None:
    with progress.step("Migrate the database") as outcome:
        outcome.append(installation.migrate())


def _administrator(progress: Progress) -> FirstLogin:
    with progress.step("First administrator") as outcome:
        login = FirstLogin(installation.first_administrator())
        outcome.append("made" if login.value else "there is one")
    return login


def _load_examples(environment: Environment, progress: Progress) -> None:
    leave_out = () if EXAMPLE_APP in environment.apps else (EXAMPLE_APP,)
    with progress.step("Load the examples") as outcome:
        outcome.append(installation.load_examples(ROOT / "examples", environment.data / "examples.digest", leave_out))


def _choose_temporal(environment: Environment, stack: ExitStack) -> tuple[Environment, DevServer | None]:
    """Decide where Temporal is, and let other commands on this data folder know."""
    if not environment.temporal.embedded:
        return environment, None
    database = environment.data / "temporal.sqlite3"
    installation.back_up_before_upgrade(database, environment.data / "temporal.version")
    port = stack.enter_context(claimed_port(environment.temporal.port))
    server = DevServer(database, port, environment.temporal.namespace)
    (environment.data / ADDRESS_FILE).write_text(server.address)
    temporal = replace(environment.temporal, address=server.address)
    return replace(environment, temporal=temporal), server


class FirstLogin:
    """The first administrator's login, to be shown exactly once even when the start fails after making it."""

    def __init__(self, value: Login | None) -> None:
        self.value = value
        self._shown = False

    def show(self, report: Report) -> None:
        """Show it unless it was shown."""
        if self.value and not self._shown:
            report.login(self.value)
        self._shown = True


def _report_ready(environment: Environment, report: Report, login: FirstLogin, began: float) -> None:
    host = f"[{environment.bind}]" if ":" in environment.bind else environment.bind
    temporal = environment.temporal
    kind = f"{'embedded, ' if temporal.embedded else ''}namespace {temporal.namespace}"
    login.show(report)
    report.ready(
        Ready(
            url=f"http://{host}:{environment.port}",
            temporal=f"{temporal.address} ({kind})",
            logs=str(environment.data / "logs"),
            seconds=time.monotonic() - began,
        )
    )
