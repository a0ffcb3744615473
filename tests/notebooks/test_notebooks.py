"""The notebooks run, at small size, and what is committed of them can be read without running."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

NOTEBOOKS = sorted(Path(__file__).parents[2].glob("notebooks/*.ipynb"))
SMALL = {
    "MESSAGES": 20_000,
    "PEOPLE": 4_000,
    "WEEKS": 13,
    "REPLICATIONS": 2,
    "IPS": [4, 8],
    "RELAY_RATES": ["30/s,max_burst=256", "60/s,max_burst=256"],
}


def code_cells(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def test_there_are_seven():
    assert [path.stem[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04", "05", "06", "07"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_outputs_are_those_of_one_run_from_top_to_bottom(path):
    cells = code_cells(path)

    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for each in cells for output in each["outputs"]]
    assert {each["output_type"] for each in outputs} <= {
        "execute_result",
        "stream",
        "display_data",
    }
    assert not any(each.get("name") == "stderr" for each in outputs)
    assert any("image/png" in each.get("data", {}) for each in outputs)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_they_hold_no_path_of_a_machine(path):
    assert not re.search(r"/(home|root|tmp|work|usr|opt|Users)/", path.read_text(encoding="utf-8"))


@pytest.mark.extra("notebooks")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_they_run_without_an_error(path, tmp_path):
    import nbclient
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    parameters = [
        entry
        for entry in notebook.cells
        if "parameters" in entry.get("metadata", {}).get("tags", [])
    ]
    assert len(parameters) == 1
    names = re.findall(r"^([A-Z_]+) = ", parameters[0].source, re.MULTILINE)
    parameters[0].source = "\n".join(f"{name} = {SMALL[name]!r}" for name in names)

    client = nbclient.NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()

    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    told = [each.text for each in outputs if each.output_type == "stream" and each.name == "stderr"]
    assert told == []
