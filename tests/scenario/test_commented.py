"""Scenario files with comments."""

from __future__ import annotations

import tomllib

from hypothesis import given, settings
from hypothesis import strategies as st

from sendcap.scenario.commented import commented

_TEXT = st.text(max_size=20)
_VALUES = st.recursive(
    st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)
_TABLE = st.dictionaries(_TEXT, _VALUES, min_size=1, max_size=3)


@settings(deadline=None, max_examples=50)
@given(
    st.fixed_dictionaries(
        {
            "title": _TEXT,
            "deliveries": st.lists(_TABLE, min_size=1, max_size=2),
            "mta": st.fixed_dictionaries({"retry": _TABLE}),
            "providers": st.dictionaries(_TEXT, _TABLE, min_size=1, max_size=2),
        }
    ),
    _TEXT,
)
def test_whatever_is_written_reads_back(data, text) -> None:
    comments = {("title",): text, ("mta", "retry"): text}
    assert tomllib.loads(commented(data, comments, [text])) == data
