"""The whole product as its users have it: `manage.py up` in processes of its own, to be used and to be broken."""

from __future__ import annotations

import http.cookiejar
import json
import os
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from tests.patience import PATIENCE
from tests.ports import free_port
from wippy_console.env import ROOT

T = TypeVar("T")
MANAGE = [sys.executable, str(ROOT / "manage.py")]
UNSET = (
    "TEMPORAL_ADDRESS",
    "DJANGO_SETTINGS_MODULE",
    "WIPPY_DEBUG",
    "WIPPY_SECURE",
    "SECRET_KEY",
    "WIPPY_PARENT",
    "DATABASE_URL",
    "REDIS_URL",
)


def until(probe: Callable[[], T | None], what: str, seconds: float = PATIENCE) -> T:
    """Return the first true answer of the probe; an assertion error names what never came."""
    deadline = time.monotonic() + seconds
    while not (answer := probe()):
        assert time.monotonic() < deadline, f"not after {seconds:g} s: {what}"
        time.sleep(0.05)
    return answer


def is_alive(pid: int) -> bool:
    """Say whether the process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@dataclass
class Product:
    """One installation on a data folder and free ports."""

    data: Path
    options: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    temporal_port: int = field(default_factory=free_port)
    login: dict[str, str] = field(default_factory=dict)
    ready: dict[str, Any] = field(default_factory=dict)
    _up: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address of the console, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def up(self) -> subprocess.Popen[bytes]:
        """The supervisor's process."""
        assert self._up, "the product was never started"
        return self._up

    @property
    def environment(self) -> dict[str, str]:
        """What its processes and commands find in the environment."""
        inherited = {name: value for name, value in os.environ.items() if name not in UNSET}
        places = {"PORT": str(self.port), "TEMPORAL_PORT": str(self.temporal_port), "WIPPY_DATA": str(self.data)}
        return {**inherited, **places, **self.variables}

    # -- life ------------------------------------------------------------------------------------------

    def launch(self) -> None:
        """Start `up` and return at once."""
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._output.open("wb") as out:
            self._up = subprocess.Popen(
                [*MANAGE, "up", "--json", *self.options],
                env=self.environment,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def start(self) -> None:
        """Start `up` and wait until everything runs."""
        self.launch()
        self.wait_ready()

    def wait_ready(self) -> None:
        """Wait until everything runs."""
        until(lambda: self.reports("ready") or self.up.poll() is not None, "up is ready")
        assert self.up.poll() is None, f"up ended: {self.output()}"
        self.ready = self.reports("ready")[0]
        self.login = (self.reports("login") or [self.login])[0]

    def stop(self, seconds: float = PATIENCE) -> int:
        """Press Ctrl-C and return the exit status."""
        self.up.send_signal(signal.SIGINT)
        return self.up.wait(seconds)

    def kill_everything(self) -> None:
        """Kill -9 the supervisor and all its children in one go."""
        pids = [self.up.pid, *self.children().values()]
        for pid in pids:
            kill(pid)
        self.up.wait()
        until(lambda: not any(is_alive(pid) for pid in pids), "all processes are gone")

    def end(self) -> None:
        """Leave nothing running, whatever the test did."""
        if self._up and self._up.poll() is None:
            self.kill_everything()

    # -- what it says ----------------------------------------------------------------------------------

    @property
    def _output(self) -> Path:
        return self.data / "up.out"

    def output(self) -> str:
        """Everything that the current `up` wrote."""
        return self._output.read_text(errors="replace")

    def reports(self, kind: str) -> list[dict[str, Any]]:
        """The reports of one type that the current `up` made."""
        lines = [line for line in self.output().splitlines(keepends=True) if line.endswith("}\n")]
        found = [json.loads(line) for line in lines if line.startswith("{")]
        return [report for report in found if report["type"] == kind]

    def log(self, name: str) -> str:
        """The log file of a child."""
        return (self.data / "logs" / f"{name}.log").read_text(errors="replace")

    # -- its processes ---------------------------------------------------------------------------------

    def children(self) -> dict[str, int]:
        """The pids of temporal, web and worker, as far as they run."""
        pids = Path(f"/proc/{self.up.pid}/task/{self.up.pid}/children").read_text().split()
        named = {child_name(int(pid)): int(pid) for pid in pids if is_alive(int(pid))}
        return {name: pid for name, pid in named.items() if name}

    def kill(self, name: str) -> int:
        """Kill -9 a child and return the pid it had."""
        pid = self.children()[name]
        kill(pid)
        return pid

    def wait_back(self, name: str, old_pid: int, seconds: float = PATIENCE) -> int:
        """Wait until the child runs again under another pid, and return that."""

        def replaced() -> int | None:
            pid = self.children().get(name)
            return pid if pid != old_pid else None

        return until(replaced, f"{name} runs again", seconds)

    # -- its command line and its pages ----------------------------------------------------------------

    def command(self, *words: str, timeout: float = PATIENCE) -> subprocess.CompletedProcess[str]:
        """Run `manage.py WORDS` against the installation."""
        return subprocess.run(
            [*MANAGE, *words], env=self.environment, capture_output=True, text=True, timeout=timeout, check=False
        )

    def manage(self, *words: str, timeout: float = PATIENCE) -> Any:
        """Run `manage.py WORDS --json` and return what it printed; it must succeed."""
        done = self.command(*words, "--json", timeout=timeout)
        assert done.returncode == 0, f"manage.py {' '.join(words)}: {done.stderr or done.stdout}"
        return json.loads(done.stdout)

    def session(self) -> Session:
        """Return a logged-in session of the first administrator."""
        session = Session(self.url)
        session.log_in(self.login["username"], self.login["password"])
        return session


class Session:
    """A minimal browser: cookies, redirects and CSRF tokens, no scripts."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def get(self, path: str) -> str:
        """Return the page."""
        with self._opener.open(self._url + path, timeout=PATIENCE) as response:
            return str(response.read().decode())

    def post(self, path: str, fields: dict[str, str]) -> str:
        """Post a form with the CSRF token of the last page and return the page that it leads to."""
        token = next(cookie.value for cookie in self.cookies if cookie.name.startswith("wippy_csrf"))
        body = urllib.parse.urlencode({**fields, "csrfmiddlewaretoken": token or ""}).encode()
        request = urllib.request.Request(self._url + path, body, {"Referer": self._url + path})
        with self._opener.open(request, timeout=PATIENCE) as response:
            return str(response.read().decode())

    def log_in(self, username: str, password: str) -> None:
        """Fill in the login form."""
        self.get("/login/")
        self.post("/login/", {"username": username, "password": password})
        assert any(cookie.name.startswith("wippy_session") for cookie in self.cookies), "the login was refused"


def child_name(pid: int) -> str:
    """Name a child of `up` by its command line; "" when it is none of the three."""
    with suppress(FileNotFoundError, ProcessLookupError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        if "start-dev" in words:
            return "temporal"
        return next((name for name in ("web", "worker") if name in words), "")
    return ""


def kill(pid: int) -> None:
    """Kill -9."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


@contextmanager
def running(data: Path, *options: str, **variables: str) -> Iterator[Product]:
    """Yield a started product; nothing of it is left afterwards."""
    product = Product(data, options, variables)
    try:
        product.start()
        yield product
    finally:
        product.end()
