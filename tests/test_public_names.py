"""The stub ``__init__.pyi`` is the list of public names: for type checkers and at run time."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sendcap

PACKAGE = Path(sendcap.__file__).parent
STUB = [
    (f"sendcap.{line.module}" if line.module else "sendcap", alias.name)
    for line in ast.parse((PACKAGE / "__init__.pyi").read_text()).body
    if isinstance(line, ast.ImportFrom)
    for alias in line.names
]


def test_every_name_of_the_stub_is_that_of_the_module_it_names() -> None:
    assert len(STUB) > 50
    for module, name in STUB:
        if module == "sendcap":
            assert getattr(sendcap, name) is importlib.import_module(f"sendcap.{name}")
        else:
            assert getattr(sendcap, name) is getattr(importlib.import_module(module), name)


def test_the_runtime_has_the_stubs_names_and_no_others() -> None:
    names = {name for _, name in STUB}
    assert set(sendcap.__all__) == names
    assert names <= set(dir(sendcap))
    assert sendcap.__version__.count(".") == 2
    with pytest.raises(AttributeError, match="No sendcap attribute nothing"):
        sendcap.nothing  # noqa: B018


def test_a_type_checker_takes_each_name_as_public() -> None:
    # In a stub a name is re-exported only if it is imported as itself.
    lines = (PACKAGE / "__init__.pyi").read_text().splitlines()
    for line in lines:
        assert re.fullmatch(r"from \.[\w.]* import (\w+) as \1", line), line


def test_names_in_the_readme_and_the_guide_are_public() -> None:
    pages = [*PACKAGE.glob("guide/**/*.md"), PACKAGE.parent.parent / "README.md"]
    used = {
        name
        for page in pages
        if page.is_file()
        for name in re.findall(r"\bsendcap\.([a-z]\w*)\(", page.read_text(encoding="utf-8"))
    }
    assert used <= set(sendcap.__all__), used - set(sendcap.__all__)


def test_importing_sendcap_imports_nothing_else() -> None:
    # Until the package is there, no line of the command has run that could take an interrupt.
    code = (
        "import sys\n"
        "before = set(sys.modules)\n"
        "import sendcap\n"
        "found = sys.modules.keys() - before - {'sendcap'}\n"
        "assert not found, found"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("first", ["SendcapError", "__all__", "__dir__()"])
def test_names_are_there_whatever_is_asked_for_first(first) -> None:
    code = (
        f"import sendcap\n"
        f"sendcap.{first}\n"
        f"assert set(sendcap.__all__) <= set(dir(sendcap))\n"
        f"assert issubclass(sendcap.SendcapError, Exception)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
