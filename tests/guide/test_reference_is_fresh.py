"""The pages that are made from the code say what the code says."""

from __future__ import annotations

import pytest
from blocks import GUIDE
from click.testing import CliRunner

from sendcap.cli.commands import commands
from sendcap.cli.reference import PAGES


@pytest.mark.parametrize("name", PAGES)
def test_a_page_made_from_the_code_is_as_it_would_be_made_now(name) -> None:
    saved = (GUIDE / "reference" / f"{name}.md").read_text(encoding="utf-8")
    assert saved == PAGES[name](), "refresh it: python -m sendcap.cli.reference"


def test_after_the_page_of_commands_is_made_the_short_help_option_works() -> None:
    PAGES["commands"]()
    for arguments in (["-h"], ["run", "-h"]):
        assert CliRunner().invoke(commands, arguments).exit_code == 0
