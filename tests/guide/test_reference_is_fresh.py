"""The pages that are made from the code say what the code says."""

from __future__ import annotations

import pytest
from blocks import GUIDE

from sendcap.cli.reference import PAGES


@pytest.mark.parametrize("name", PAGES)
def test_a_page_made_from_the_code_is_as_it_would_be_made_now(name) -> None:
    saved = (GUIDE / "reference" / f"{name}.md").read_text(encoding="utf-8")
    assert saved == PAGES[name](), "refresh it: python -m sendcap.cli.reference"
