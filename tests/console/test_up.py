"""`manage.py up`: real processes, started, refused, killed and stopped."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from temporalio.client import Client

from tests.patience import at_most
from tests.product import Product, Session, is_alive, kill, running, until

NAMES = {"temporal", "web", "worker"}


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with running(tmp_path_factory.mktemp("up") / "data", "--no-examples") as started:
        yield started


def answers(product: Product) -> bool:
    return "password" in Session(product.url).get("/login/")


def node_count(product: Product) -> int:
    code = "from wippy_console.models import Node; print(Node.objects.filter(stopped_at=None).count())"
    return int(product.command("shell", "--no-imports", "-c", code).stdout)


def test_a_first_start_shows_the_administrators_login_once_and_it_works(product: Product) -> None:
    assert len(product.reports("login")) == 1
    assert product.login["username"] == "admin"
    product.session()


def test_the_password_is_stored_hashed_only(product: Product) -> None:
    password = product.login["password"].encode()
    files = [path for path in product.data.rglob("*") if path.is_file() and path.name != "up.out"]
    assert not [path for path in files if password in path.read_bytes()]


def test_secrets_are_readable_by_their_owner_alone(product: Product) -> None:
    assert (product.data / "secret_key").stat().st_mode & 0o077 == 0


def test_a_second_up_on_the_same_folder_is_refused_and_says_who_runs(product: Product) -> None:
    second = Product(product.data, product.options).command("up")
    assert second.returncode == 1
    assert f"already running on {product.data}: process {product.up.pid} on port {product.port}" in second.stderr
    assert len(second.stderr.strip().splitlines()) == 1


def test_a_taken_port_is_named_with_what_to_do(product: Product, data_dir: Path) -> None:
    other = Product(data_dir, port=product.port).command("up")
    assert other.returncode == 1
    assert f"port {product.port} on 127.0.0.1 is taken: set PORT" in other.stderr
    assert len(other.stderr.strip().splitlines()) == 1


def test_a_taken_temporal_port_is_replaced_by_a_free_one(product: Product, data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        other = Product(data_dir, ("--no-examples",), temporal_port=taken.getsockname()[1])
        try:
            other.start()
            assert not other.ready["temporal"].startswith(f"127.0.0.1:{other.temporal_port} ")
            assert other.manage("runs") == product.manage("runs")
        finally:
            other.end()


def test_two_copies_that_start_at_once_get_a_temporal_each(tmp_path: Path) -> None:
    first = Product(tmp_path / "first", ("--no-examples",))
    second = Product(tmp_path / "second", ("--no-examples",), temporal_port=first.temporal_port)
    try:
        first.launch()
        second.launch()
        first.wait_ready()
        second.wait_ready()
        assert first.ready["temporal"] != second.ready["temporal"]
    finally:
        first.end()
        second.end()


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_killed_child_comes_back(product: Product, name: str) -> None:
    others = {key: pid for key, pid in product.children().items() if key != name}
    product.wait_back(name, product.kill(name))
    until(lambda: answers(product), "the console answers")
    now = product.children()
    assert {key: now[key] for key in others} == others
    assert any(event["source"] == name and "SIGKILL" in event["text"] for event in product.reports("event"))


def test_a_given_temporal_is_used_instead_of_an_embedded_one(data_dir: Path, temporal_address: str) -> None:
    with running(data_dir, "--no-examples", TEMPORAL_ADDRESS=temporal_address) as product:
        assert set(product.children()) == {"web", "worker"}
        assert product.ready["temporal"].startswith(f"{temporal_address} ")
        assert not (data_dir / "temporal.sqlite3").exists()


def test_an_unreachable_temporal_is_said_in_words(data_dir: Path) -> None:
    done = Product(data_dir, variables={"TEMPORAL_ADDRESS": "127.0.0.1:1"}).command("up", "--no-examples")
    assert done.returncode == 1
    assert "Temporal at 127.0.0.1:1 refuses the connection (TEMPORAL_ADDRESS)" in done.stderr


def test_a_namespace_that_does_not_exist_is_said_at_the_start(data_dir: Path, temporal_address: str) -> None:
    variables = {"TEMPORAL_ADDRESS": temporal_address, "TEMPORAL_NAMESPACE": "shop"}
    done = Product(data_dir, variables=variables).command("up", "--no-examples")
    assert done.returncode == 1
    assert f"Temporal at {temporal_address} has no namespace 'shop': create it" in done.stderr


def test_runs_are_in_the_namespace_that_the_variable_names(data_dir: Path) -> None:
    with running(data_dir, TEMPORAL_NAMESPACE="shop") as product:
        assert product.ready["temporal"].endswith("(embedded, namespace shop)")
        product.manage("start", "app.orders:order_processor", "--input", '{"order_id": "o1", "amount": 5}')
        assert asyncio.run(count_runs(product.ready["temporal"].partition(" ")[0], "shop")) == 1


async def count_runs(address: str, namespace: str) -> int:
    """The runs that the namespace has had."""
    client = await Client.connect(address, namespace=namespace)
    return (await client.count_workflows()).count


def test_ctrl_c_stops_worker_then_web_then_temporal_and_a_restart_keeps_the_login(data_dir: Path) -> None:
    with running(data_dir, "--no-examples") as product:
        children, login = product.children(), product.login
        assert product.stop() == 0
        stopped = [event["source"] for event in product.reports("event") if event["text"] == "stopped"]
        assert stopped == ["worker", "web", "temporal"]
        assert not any(map(is_alive, children.values()))
        product.start()
        assert product.reports("login") == []
        assert product.login == login
        product.session()


def test_a_start_without_examples_is_one_also_the_next_time(product: Product) -> None:
    again = Product(product.data, variables={**product.variables})
    count = "from wippy_console.models import Version; print(Version.objects.count())"
    assert product.stop() == 0
    for options, examples in (((), False), (("--examples",), True)):
        again.options = options
        again.start()
        try:
            assert (again.command("shell", "--no-imports", "-c", count).stdout.strip() != "0") is examples
        finally:
            again.stop()
    product.options = ("--no-examples",)
    product.start()


def test_ctrl_c_during_the_start_leaves_nothing_running(data_dir: Path) -> None:
    product = Product(data_dir, ("--no-examples",))
    product.launch()
    until(lambda: "temporal" in product.children(), "Temporal was started")
    children = product.children()
    assert product.stop() == 0
    assert not any(map(is_alive, children.values()))


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGHUP])
def test_other_stop_signals_stop_in_order_too(data_dir: Path, signal_number: int) -> None:
    with running(data_dir, "--no-examples") as product:
        children = product.children()
        product.up.send_signal(signal_number)
        assert product.up.wait(at_most(45)) == 0
        assert not any(map(is_alive, children.values()))


def test_no_child_outlives_a_killed_parent_and_a_new_start_finds_everything_free(data_dir: Path) -> None:
    with running(data_dir, "--no-examples") as product:
        children = product.children()
        assert set(children) == NAMES
        kill(product.up.pid)
        product.up.wait()
        until(lambda: not any(map(is_alive, children.values())), "all children are gone", at_most(5))
        product.start()
        assert product.ready["temporal"].startswith(f"127.0.0.1:{product.temporal_port} ")


def test_a_database_that_does_not_answer_is_said_in_one_line(data_dir: Path) -> None:
    done = Product(data_dir, variables={"DATABASE_URL": "postgres://127.0.0.1:1/console"}).command("up")
    assert done.returncode == 1
    assert "the database does not work" in done.stderr
    assert done.stderr.strip().count("\n") == 0


def test_static_files_say_their_type_and_are_not_sniffed(product: Product) -> None:
    with urlopen(f"{product.url}/static/console.css") as response:
        assert response.headers["Content-Type"].startswith("text/css")
        assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_bad_numbers_in_the_environment_are_refused_in_one_line(data_dir: Path) -> None:
    done = Product(data_dir, variables={"PORT": "eighty"}).command("up")
    assert done.returncode == 1
    assert done.stderr.strip().count("\n") == 0
    assert '"PORT"' in done.stderr
