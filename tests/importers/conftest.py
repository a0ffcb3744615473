from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

KUMOMTA = Path("/work/shared/data/kumomta")


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    """Write a file of a configuration."""

    def write(text: str | bytes, name: str = "configuration") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


@pytest.fixture
def shipped() -> Callable[..., list[Path]]:
    """The files that KumoMTA ships, where they are at hand."""

    def files(*names: str) -> list[Path]:
        paths = [KUMOMTA / f"{name}.toml" for name in names]
        if not all(path.exists() for path in paths):
            pytest.skip(f"the files that KumoMTA ships are not in {KUMOMTA}")
        return paths

    return files
