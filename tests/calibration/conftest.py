from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


def experiment(name: str) -> ModuleType:
    """Import one of the experiments."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, EXPERIMENTS / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def written_logs() -> ModuleType:
    return experiment("written_logs")


@pytest.fixture(scope="session")
def recovery(written_logs) -> ModuleType:
    return experiment("calibration_recovery")


@pytest.fixture(scope="session")
def truth(recovery):
    """The scenario that logs are made with."""
    from sendcap.scenario import loads

    return loads(recovery.SCENARIO.format(seed=3, messages=12_000))


@pytest.fixture(scope="session")
def trace(written_logs, truth) -> pd.DataFrame:
    return written_logs.traced(truth)


@pytest.fixture(scope="session")
def made_logs(tmp_path_factory, recovery, trace) -> dict[str, Path]:
    """The log of one simulation in each format."""
    folder = tmp_path_factory.mktemp("logs")
    found = {}
    for name, written in recovery.FORMATS.items():
        found[name] = folder / f"{name}.log"
        found[name].write_text("\n".join(written(trace)) + "\n", encoding="utf-8")
    return found


@pytest.fixture(scope="session")
def short_log(made_logs, tmp_path_factory) -> Path:
    """The beginning of one of them."""
    path = tmp_path_factory.mktemp("short") / "mail.log"
    lines = made_logs["postfix"].read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:2500]), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def calibrated(made_logs):
    """The calibration of each."""
    from sendcap.calibration.calibrate import calibrate

    return {name: calibrate([path]) for name, path in made_logs.items()}
