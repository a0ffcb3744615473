"""Every module can be imported, and every example in a docstring is run."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

import sendcap

PACKAGE = Path(sendcap.__file__).parent


def modules() -> dict[str, str]:
    """Return every module's text by its name."""
    texts = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        if parts[-1] != "__main__":
            name = ".".join(parts).removesuffix(".__init__")
            texts[name] = path.read_text(encoding="utf-8")
    return texts


MODULES = modules()
WITH_EXAMPLES = [name for name, text in MODULES.items() if ">>> " in text]


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_docstring_examples_are_right(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name))
    assert found.failed == 0
    assert found.attempted > 0


def test_every_module_can_be_imported() -> None:
    for name in MODULES:
        importlib.import_module(name)
