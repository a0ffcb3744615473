"""Every example of the guide and of the README is run, and shows what it says."""

from __future__ import annotations

import importlib
import os
import shutil
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from blocks import GUIDE, PAGES, README, ROOT, blocks, file_name, name
from files_written import assert_documented
from session import Session, run_script

from sendcap import scenario
from sendcap.ledger import Ledger
from sendcap.scenario import Scenario
from sendcap.study.replication import measures

SEND = next(block.text for block in blocks(README.read_text()) if block.language == "toml")
WITH_EXAMPLES = [page for page in PAGES if blocks(page.read_text())]


def log_of_a_send() -> str:
    """Lines as Postfix would have written them for a small send."""
    written = importlib.import_module("written_logs")
    trace = written.traced(scenario.updated(scenario.loads(SEND), {"deliveries[0].messages": 2000}))
    return "\n".join(written.postfix(trace)) + "\n"


@pytest.fixture(scope="module", autouse=True)
def simulated_once() -> Iterator[None]:
    """Pages ask several questions about the same scenario: of the same draws the same comes out."""
    simulate, known = measures.simulate_ledger, defaultdict(list)

    def once(scenario: Scenario, **more: Any) -> Ledger:
        if more:
            return simulate(scenario, **more)
        for other, ledger in known[scenario.seed]:
            if other == scenario:
                return ledger
        known[scenario.seed].append((scenario, simulate(scenario)))
        return known[scenario.seed][-1][1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measures, "simulate_ledger", once)
        yield


@pytest.fixture(scope="session")
def first_delivery(tmp_path_factory) -> Path:
    """The files that the pages start with: my-send.toml, and the run of it in my-run."""
    folder = tmp_path_factory.mktemp("first-delivery")
    (folder / "my-send.toml").write_text(SEND)
    before = Path.cwd()
    os.chdir(folder)
    try:
        Session().run(blocks("```console\n$ sendcap run my-send.toml --out my-run\n```\n")[0])
    finally:
        os.chdir(before)
    return folder


@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=name)
def test_examples_of_a_page_run_in_their_order(page, first_delivery, tmp_path, monkeypatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "experiments")
    # Children that import everything anew would take most of the time.
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    monkeypatch.chdir(tmp_path)
    if page.stem == "calibrate":
        Path("mail.log").write_text(log_of_a_send(), encoding="utf-8")
    if "--out my-run\n" in page.read_text(encoding="utf-8"):
        Path("my-send.toml").write_text(SEND, encoding="utf-8")
    else:
        shutil.copytree(first_delivery, tmp_path, dirs_exist_ok=True)
    session = Session()
    for block in blocks(page.read_text(encoding="utf-8")):
        session.run(block)
    assert_documented(tmp_path, (GUIDE / "reference" / "files.md").read_text(encoding="utf-8"))


def test_the_python_of_a_page_runs_as_one_script(first_delivery, tmp_path, monkeypatch) -> None:
    page = GUIDE / "how-to" / "python.md"
    shutil.copytree(first_delivery, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    script = Path("page.py")
    script.write_text(
        "\n\n".join(
            block.text
            for block in blocks(page.read_text(encoding="utf-8"))
            if block.language == "python" and file_name(block) is None
        ),
        encoding="utf-8",
    )
    assert "in the end it is" in run_script(script)
