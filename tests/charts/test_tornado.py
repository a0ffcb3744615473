from __future__ import annotations

import pandas as pd

from sendcap.study.sweeps.charts.tornado import tornado

# One parameter at a time, none at the first point.
ONE_AT_A_TIME = pd.DataFrame(
    {
        "mta.ips": [None, 6, 10, None, None],
        "relay.rate": [None, None, None, "450/s", "750/s"],
        "accepted_99_pct_s": [5000.0, 7000.0, 4000.0, 5010.0, 4990.0],
    }
)


def test_a_parameter_that_a_point_leaves_alone_is_as_usual() -> None:
    axes = tornado(ONE_AT_A_TIME)

    (line,) = axes.lines
    assert list(line.get_xdata()) == [5000.0, 5000.0]
    assert [(bar.get_x(), bar.get_width()) for bar in axes.patches] == [
        (4990.0, 20.0),
        (4000.0, 3000.0),
    ]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["relay.rate", "mta.ips"]


def test_an_end_at_which_nothing_was_changed_says_so() -> None:
    axes = tornado(ONE_AT_A_TIME.iloc[:2])

    assert {text.get_text().split("\n")[0] for text in axes.texts} == {"as it is", "6"}
