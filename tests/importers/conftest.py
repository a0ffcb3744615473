from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    """Write a file of a configuration."""

    def write(text: str | bytes, name: str = "configuration") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


@pytest.fixture
def shipped(shared) -> Callable[..., list[Path]]:
    """The files that KumoMTA ships."""

    def files(*names: str) -> list[Path]:
        return [shared(f"data/kumomta/{name}.toml") for name in names]

    return files
