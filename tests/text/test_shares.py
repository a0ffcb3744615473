from __future__ import annotations

import ast
import re
from itertools import pairwise
from pathlib import Path

import pytest

import sendcap
from sendcap.errors import SendcapError
from sendcap.text.shares import parse_points, parse_share, share_text

PACKAGE = Path(sendcap.__file__).parent


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0.1pt", 0.1), ("1 point", 1.0), ("2points", 2.0), (" .5 ", 0.5), (3, 3.0), ("1.pts", 1.0)],
)
def test_points_as_people_write_them(text, expected) -> None:
    assert parse_points(text, "tolerance") == expected


@pytest.mark.parametrize(
    "text", ["", "pt", "0", "0pt", "-1pt", "1%", "1e3pt", "ten", "nan", True, float("inf"), None]
)
def test_what_is_no_number_of_points_is_refused_in_a_line(text) -> None:
    with pytest.raises(SendcapError) as caught:
        parse_points(text, "tolerance")
    assert str(caught.value).startswith("tolerance: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["95%", "99.5%", "99.99%", "50%", "12.5%"])
def test_a_share_is_written_as_it_was_asked_for(text) -> None:
    assert share_text(parse_share(text)) == text.replace("%", " %")


def test_a_percent_sign_in_a_sentence_follows_a_space() -> None:
    found = [
        f"{path.name}:{node.lineno}"
        for path in PACKAGE.rglob("*.py")
        # To look at each node takes long: a sign ends a value, or follows one at once.
        if re.search(r"""%}|}["'\sfr]*%""", text := path.read_text(encoding="utf-8"))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.JoinedStr)
        for value, after in pairwise([*node.values, ast.Constant("")])
        if isinstance(value, ast.FormattedValue)
        if (value.format_spec and ast.unparse(value.format_spec).endswith("%'"))
        # In quotes it is a value to write.
        or (isinstance(after, ast.Constant) and re.match('%(?!")', str(after.value)))
    ]
    assert found == []
