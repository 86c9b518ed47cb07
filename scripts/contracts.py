"""A contract of our own for import-linter: `lint-imports` finds it by pyproject.toml."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

from grimp import ImportGraph
from importlinter.application import output
from importlinter.domain.contract import Contract, ContractCheck


class AcyclicModules(Contract):
    """No module imports itself by way of others; imports for types are counted.

    `acyclic_siblings` says the same of packages, but does not see a module that imports its own package's `__init__`.
    """

    type_name = "acyclic_modules"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """Find one circle, if there is any."""
        circle: list[str] = []
        try:
            TopologicalSorter({each: graph.find_modules_directly_imported_by(each) for each in graph.modules}).prepare()
        except CycleError as error:
            circle = error.args[1][::-1]
        return ContractCheck(kept=not circle, metadata={"circle": circle})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print it in the direction of its imports."""
        output.print_error(" -> ".join(check.metadata["circle"]))
