"""The structure of the package: rooms in their order, no circle, modules and functions of a size.

An exception stands in a list below with its reason; one that is no longer needed fails as well.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

import sendcap

PACKAGE = Path(sendcap.__file__).parent
ROOMS = (
    ("errors", "version", "text", "files", "mailbox_providers"),
    ("scenario",),
    ("ledger",),
    ("model", "textbook", "fluid"),
    ("readings",),
    ("charts",),
    ("run", "saved", "following", "analysis"),
    ("study.capacity",),
    ("study.replication",),
    ("study.capacity.searches", "study.convergence"),
    ("study.calendar", "study.sweeps", "study.forecasts"),
    ("study.optimisation",),
    ("calibration", "importers"),
    ("study.drain",),
    ("report", "explore", "plotting", "checking", "guide"),
    ("",),
    ("cli", "__main__"),
)
"""From the lowest to the highest; a module imports from rooms below, beside or of its own."""

LONGEST_MODULE, LONGEST_FUNCTION = 320, 60

LONG_MODULES: dict[str, str] = {}
LONG_FUNCTIONS = {}
LOCAL: dict[tuple[str, str], str] = {
    ("", "lazy_loader"): "the command takes interrupts once the package is imported",
    ("saved", "sendcap.charts.style"): "a simulation loads no matplotlib",
    ("scenario.distributions", "scipy.special"): "scenarios load without the slow libraries",
    ("study.optimisation.proposals", "optuna"): "takes a second to import",
    ("study.optimisation.proposals", "optuna.distributions"): "as above",
}
"""Imports inside functions, below the cli, and why."""


@cache
def trees() -> dict[str, ast.Module]:
    """Return every module's syntax by its name within the package; the package itself is ''."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        name = name.removesuffix("__init__").removesuffix(".")
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def imports(node: ast.AST, inside: bool = False) -> Iterator[tuple[ast.stmt, bool]]:
    """Yield each import that is executed, and whether it stands inside a function."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, inside
        elif not isinstance(child, ast.expr) and not is_for_types(child):
            is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            yield from imports(child, inside or is_function)


def modules_of(statement: ast.stmt) -> Iterator[str]:
    """Yield the package's modules that a statement imports."""
    if isinstance(statement, ast.Import):
        names = [alias.name for alias in statement.names]
    else:
        assert isinstance(statement, ast.ImportFrom)
        assert statement.level == 0, "imports name the package"
        module = statement.module or ""
        full = [f"{module}.{alias.name}" for alias in statement.names]
        names = [name if name.removeprefix("sendcap.") in trees() else module for name in full]
    for name in names:
        if name == "sendcap" or name.startswith("sendcap."):
            yield name.removeprefix("sendcap").removeprefix(".")


@cache
def imported() -> dict[str, set[str]]:
    return {
        name: {
            module
            for statement, _ in imports(tree)
            for module in modules_of(statement)
            if module != name
        }
        for name, tree in trees().items()
    }


@cache
def level(module: str) -> int:
    """Return the level of a module's room; a room within a room may have one of its own."""
    rooms = {
        room: number
        for number, rooms in enumerate(ROOMS)
        for room in rooms
        if module == room or (room and module.startswith(f"{room}."))
    }
    assert rooms, f"{module} is in no room"
    return rooms[max(rooms, key=len)]


def differences(found: set[str], allowed: Iterable[str]) -> list[str]:
    """Return what is new, and which exceptions are no longer needed."""
    return [
        *(f"new: {name}" for name in sorted(found - set(allowed))),
        *(f"no longer needed: {name}" for name in sorted(set(allowed) - found)),
    ]


def test_no_import_runs_upwards() -> None:
    found = {
        f"{name} → {module}"
        for name, modules in imported().items()
        for module in modules
        if name != "study" and level(module) > level(name)
    }
    assert found == set()


def circles() -> set[frozenset[str]]:
    """Return the sets of modules that reach each other by imports (Tarjan)."""
    graph, number, low = imported(), {}, {}
    stack: list[str] = []
    found = set()

    def visit(module: str) -> None:
        number[module] = low[module] = len(number)
        stack.append(module)
        for other in graph.get(module, ()):
            if other not in number:
                visit(other)
                low[module] = min(low[module], low[other])
            elif other in stack:
                low[module] = min(low[module], number[other])
        if low[module] == number[module]:
            place = stack.index(module)
            if len(stack) - place > 1:
                found.add(frozenset(stack[place:]))
            del stack[place:]

    for module in graph:
        if module not in number:
            visit(module)
    return found


def test_there_is_no_circle() -> None:
    assert [sorted(circle) for circle in circles()] == []


def test_modules_are_of_a_size() -> None:
    found = {
        name
        for name, tree in trees().items()
        if tree.body and (tree.body[-1].end_lineno or 0) > LONGEST_MODULE
    }
    assert differences(found, LONG_MODULES) == []


def test_functions_fit_a_screen() -> None:
    found = {
        f"{name}.{node.name}"
        for name, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > LONGEST_FUNCTION
    }
    assert differences(found, LONG_FUNCTIONS) == []


def test_nothing_is_called_its() -> None:
    beside = Path(__file__).parent
    found = {
        path.name
        for folder in (PACKAGE, beside, beside.parent / "experiments")
        for path in (*folder.rglob("*.py"), *folder.rglob("*.js"))
        if re.search(r"\bits(_\w+)?( *[.=:,;()]|[\[\]]| in )", path.read_text(encoding="utf-8"))
    }
    assert found == set()


def test_imports_stand_at_the_top() -> None:
    found = {
        (name, module)
        for name, tree in trees().items()
        if not name.startswith("cli")
        for statement, inside in imports(tree)
        if inside
        for module in (
            [alias.name for alias in statement.names]
            if isinstance(statement, ast.Import)
            else [str(statement.module)]
        )
    }
    assert found == LOCAL.keys()


ROOT = Path(__file__).parents[1]
TEXTS = (".cfg", ".csv", ".html", ".ipynb", ".json", ".md", ".py", ".pyi", ".sh", ".toml", ".txt")


def test_no_file_names_a_place_of_one_machine() -> None:
    # Split, so that this file does not hold them.
    places = ["/".join(["", *parts, ""]) for parts in (["work"], ["home"], ["root"], ["tmp", "wt"])]
    found = [
        f"{path.relative_to(ROOT)}: {place}"
        for folder in (".ci", "src", "tests", "experiments", "notebooks")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.is_file() and (path.suffix in TEXTS or folder == ".ci")
        for place in places
        if place in path.read_text(encoding="utf-8", errors="replace")
    ]
    assert found == []


@pytest.mark.parametrize("room", [room for rooms in ROOMS for room in rooms if room])
def test_every_room_of_the_order_is_there(room: str) -> None:
    assert room in trees()
