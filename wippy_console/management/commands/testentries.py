"""`manage.py testentries`: runs entries whose `meta.type` is `test`, one after the other, on a worker."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import CommandParser

from engine.asks.http.doubles import CONTEXT_KEY
from engine.asks.http.recording import PREFIX
from engine.entry import Entry
from engine.errors import UnitFailed
from wippy_console.management.operations import OperationCommand, failure_words, in_words, one_line, operator
from wippy_console.services import processes, registry, runs
from wippy_console.services.errors import Refused, Unavailable


class Command(OperationCommand):
    """Run tests: failed is what raises, returns an error as second value, or exactly false."""

    help = "Runs entries whose meta.type is test, one after the other, on a worker."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        super().add_arguments(parser)
        parser.add_argument("--suite", default="", metavar="S", help="only entries of this meta.suite")
        parser.add_argument("--filter", default="", metavar="TEXT", help="only entries whose id holds this text")
        parser.add_argument("--record", action="store_true", help="ask peers, and write down what they answer")
        parser.add_argument("--timeout", type=float, default=60, help="seconds for each")

    def operate(self, options: dict[str, Any]) -> dict[str, Any]:
        """Run those that match; with none that match there is nothing to be proud of."""
        tests = matching(options["suite"], options["filter"])
        if not tests:
            raise Refused("no entry of meta.type test matches")
        results = [self._report(run(test, options["timeout"], record=options["record"]), options) for test in tests]
        failed = sum(not result["ok"] for result in results)
        data = {"passed": len(results) - failed, "failed": failed, "results": results}
        return {**data, "error": f"{failed} of {len(results)} tests failed"} if failed else data

    def text(self, data: dict[str, Any]) -> str:
        """The sum; the lines were printed as the tests ended."""
        return f"{data['passed']} passed, {data['failed']} failed"

    def _report(self, result: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
        if not options["json"]:
            word = "ok  " if result["ok"] else "FAIL"
            tail = "" if result["ok"] else f": {result['error']}"
            self.stdout.write(f"{word} {result['id']} ({result['seconds']:.2f} s){tail}")
            self.stdout.flush()
        return result


def matching(suite: str, text: str) -> list[Entry]:
    """The tests by suite, `meta.order` and id."""
    tests = [entry for entry in registry.entries() if entry.meta.get("type") == "test"]
    chosen = [test for test in tests if suite in ("", _suite(test)) and text in test.id]
    return sorted(chosen, key=lambda test: (_suite(test), _order(test), test.id))


def run(test: Entry, timeout: float, *, record: bool = False) -> dict[str, Any]:
    """Run one; a worker that is not there ends them all."""
    began = time.monotonic()
    error = _error(test, timeout, PREFIX + test.id if record else test.id)
    seconds = round(time.monotonic() - began, 3)
    return {"id": test.id, "suite": _suite(test), "ok": error is None, "error": error, "seconds": seconds}


def _error(test: Entry, timeout: float, doubles: str) -> str | None:
    try:
        value = _value(test, timeout, {CONTEXT_KEY: doubles})
    except UnitFailed as error:
        return one_line(failure_words(error.failure))
    except Unavailable:
        raise
    except Refused as error:
        return one_line(in_words(error))
    return "returned false" if value is False else None


def _value(test: Entry, timeout: float, context: dict[str, Any]) -> Any:
    if test.kind == "workflow.lua":
        return runs.result(runs.start(operator(), test.id, "", [], context=context), timeout)
    return processes.call(operator(), test.id, [], timeout, context)


def _suite(test: Entry) -> str:
    return str(test.meta.get("suite") or "")


def _order(test: Entry) -> float:
    order = test.meta.get("order")
    return float(order) if isinstance(order, int | float) else 0.0
