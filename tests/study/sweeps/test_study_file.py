from __future__ import annotations

from pathlib import Path

import pytest
from swept import small

from sendcap.errors import ScenarioError
from sendcap.scenario import dumps
from sendcap.study.replication.measures import DEFAULT_MEASURES
from sendcap.study.sweeps.designs import Design
from sendcap.study.sweeps.study_file import Study, load_study

GRID = """
scenario = "small.toml"
[over]
"mta.ips" = [1, 2]
"""


@pytest.fixture
def study(tmp_path):
    """Read a study from its text, with a small scenario beside it."""
    (tmp_path / "small.toml").write_text(dumps(small()))

    def read(text: str) -> Study:
        (tmp_path / "study.toml").write_text(text)
        return load_study(tmp_path / "study.toml")

    return read


@pytest.fixture
def problems(study, tmp_path):
    """Return what is wrong with a study, without the name of its file."""

    def read(text: str) -> list[str]:
        with pytest.raises(ScenarioError) as caught:
            study(text)
        lines = str(caught.value).split("\n")
        name = f"{tmp_path / 'study.toml'}: "
        assert all(line.startswith(name) for line in lines)
        return [line.removeprefix(name) for line in lines]

    return read


def test_a_grid_over_a_scenario_beside_the_study(study) -> None:
    parsed = study(GRID)
    assert parsed.scenario == small()
    assert [run.point for run in parsed.plan.runs] == [0, 1]
    assert [measure.name for measure in parsed.measures] == list(DEFAULT_MEASURES)
    assert parsed.text == GRID


def test_a_preset_with_some_values_set(study) -> None:
    parsed = study(
        'scenario = "quickstart"\nreplications = 3\nmeasures = ["bottleneck"]\n'
        '[set]\n"deliveries[0].messages" = 10\n"mta.retry.first" = "5m"\n'
        '[over]\n"mta.ips" = [1, 2]\n'
    )
    assert parsed.scenario.deliveries[0].messages == 10
    assert parsed.scenario.mta.retry.first == 300.0
    assert len(parsed.plan.runs) == 6
    assert [measure.name for measure in parsed.measures] == ["bottleneck"]


def test_a_scenario_within_the_study(study) -> None:
    text = dumps(small()).replace("[[", "[[scenario.").replace("\n[", "\n[scenario.")
    text = text.replace("[scenario.[scenario.", "[[scenario.").replace("[[scenario.scenario", "[[")
    head, rest = text.split("\n[", 1) if "\n[" in text else (text, "")
    parsed = study(
        '[over]\n"mta.ips" = [1, 2]\n[scenario]\n' + head + ("\n[" + rest if rest else "")
    )
    assert parsed.scenario == small()


def test_a_table_of_points_in_the_study_or_beside_it(study, tmp_path) -> None:
    (tmp_path / "points.csv").write_text("mta.ips,relay.rate\n1,10/s\n2,\n")
    rows = '[{ "mta.ips" = 1, "relay.rate" = "10/s" }, { "mta.ips" = 2 }]'
    for points in (rows, '"points.csv"'):
        parsed = study(f'scenario = "small.toml"\npoints = {points}\n')
        assert parsed.plan.points.changes == ({"mta.ips": 1, "relay.rate": "10/s"}, {"mta.ips": 2})


def test_a_design(study) -> None:
    parsed = study(
        'scenario = "small.toml"\n[design]\nkind = "sobol"\npoints = 8\nseed = 3\n'
        '[design.ranges]\n"mta.ips" = [1, 9]\n'
        '"mta.retry.first" = { from = "1m", to = "1h", scale = "log" }\n'
    )
    assert isinstance(parsed.over, Design)
    assert (parsed.over.kind, parsed.over.n, parsed.over.seed) == ("sobol", 8, 3)
    assert parsed.over.ranges["mta.retry.first"].log
    assert len(parsed.plan.runs) == 8


def test_combinations_that_are_no_scenario_are_left_to_fail(study) -> None:
    parsed = study(
        'scenario = "small.toml"\n[over]\n"mta.spool" = [100, 1000]\n"relay.batch" = [50, 256]\n'
    )
    errors = [scenario for scenario in parsed.plan.scenarios if isinstance(scenario, str)]
    assert errors == ["mta.spool: 100 is less than relay.batch, 256; no batch fits"]


def test_a_value_that_only_another_path_makes_possible_is_no_slip(study) -> None:
    parsed = study(
        'scenario = "small.toml"\n[over]\n'
        '"mta.retry" = [{ policy = "momentum" }, { policy = "schedule", delays = ["5m"] }]\n'
        '"mta.retry.delays" = [["1m"], ["2m"]]\n'
    )
    assert [isinstance(scenario, str) for scenario in parsed.plan.scenarios] == [
        True,
        True,
        False,
        False,
    ]


# What is wrong is told, a line for each problem.


def test_all_problems_are_told_at_once_each_with_its_place(problems) -> None:
    assert problems(
        """
        scenario = 5
        replication = 2
        replications = 0
        measures = ["botleneck"]
        [over]
        mta.ips = [1, 2]
        [design]
        kind = "sobl"
        points = "many"
        [design.ranges]
        "mta.ips" = [8, 1]
        "mta.retry.first" = { from = "5m", till = "1h" }
        """
    ) == [
        "scenario: must be a preset, the path of a scenario file or a table, not 5",
        "replications: must be at least 1, not 0",
        'measures: "botleneck" is unknown; did you mean "bottleneck"?',
        'over: mta: must be a list of values, not {"ips": [1, 2]}; ' + IN_QUOTES,
        'design.kind: "sobl" is not possible; did you mean "sobol"?',
        'design.points: must be a whole number, not "many"',
        'design.ranges."mta.ips": [8, 1]: write the lower end first',
        f'design.ranges."mta.retry.first": {TWO_ENDS}, not {{"from": "5m", "till": "1h"}}',
        'replication: unknown key; did you mean "replications"?',
    ]


IN_QUOTES = 'write a path in quotes, such as "mta.ips" = [4, 8]'
TWO_ENDS = 'must be two ends, such as [1, 8], or { from = "5m", to = "2h", scale = "log" }'
SEED = "over: seed: ask for replications; each of them has its own seed"
RATE = 'write LIMIT/PERIOD, for example "100/s", "1,000/15m" or "50/min,max_burst=1"'
SOBOL = "are not balanced; take a power of two, 64 or 128, or a Latin hypercube"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '[over]\n"mta.ips" = [1, "three", 0]\n"mta.retry.frst" = ["1m", "2m"]\n',
            [
                'over."mta.ips"[1]: must be a whole number, not "three"',
                'over."mta.ips"[2]: must be at least 1, not 0',
                'over."mta.retry.frst": unknown key; did you mean "first"?',
            ],
        ),
        ('[over]\n"seed" = [1]\n', [SEED]),
        ('[over]\n"mta.ips" = []\n', ["over: mta.ips: needs at least one value"]),
        (
            '[over]\n"mta.ips" = 4\n',
            ["over: mta.ips: must be a list of values, not 4; " + IN_QUOTES],
        ),
        ("", ['over: nothing varies; for example [over] with "mta.ips" = [4, 8, 16]']),
        (
            'points = "a.csv"\n[over]\n"mta.ips" = [4]\n',
            ["points: over is set too; give one of over, points and design"],
        ),
        (
            'points = [{ "mta.ips" = 4 }, { "mta.ipz" = 4 }]\n',
            ['points[1]: mta.ipz: unknown key; did you mean "ips"?'],
        ),
        ("points = 7\n", ["points: must be the path of a CSV file, or tables, not 7"]),
        ("points = []\n", ["points: must be the path of a CSV file, or tables, not []"]),
        (
            '[design]\nkind = "sobol"\npoints = 100\nranges = { "mta.ips" = [1, 8] }\n',
            [f"design.points: 100 points of a Sobol' sequence {SOBOL}"],
        ),
        (
            '[design]\npoints = 4\nranges = { "mta.ips" = [0, 8], "mta.ipz" = [1, 2] }\n',
            [
                'design.ranges."mta.ips": must be at least 1, not 0',
                'design.ranges."mta.ipz": unknown key; did you mean "ips"?',
            ],
        ),
        (
            '[design]\npoints = 4\nranges = { "mta.retry.first" = ["5m", "5 hrs/d"] }\n',
            [f'design.ranges."mta.retry.first": ["5m", "5 hrs/d"]: "5m" is not a rate; {RATE}'],
        ),
        (
            'set.mta.ips = 4\n[over]\n"mta.ips" = [4]\n',
            ['set: mta: would replace all of it; write a path in quotes, such as "mta.ips" = 4'],
        ),
        (
            'set = { "mta.ips" = 0, "relay.btch" = 3 }\n[over]\n"mta.ips" = [4]\n',
            [
                'set: relay.btch: unknown key; did you mean "batch"?',
                "set: mta.ips: must be at least 1, not 0",
            ],
        ),
        (
            '[over]\n"mta.spool" = [100]\n"relay.batch" = [256]\n',
            ['over."mta.spool": 100 is less than relay.batch, 256; no batch fits'],
        ),
    ],
)
def test_what_is_wrong_with_points_is_told(problems, text, expected) -> None:
    assert sorted(problems('scenario = "small.toml"\n' + text)) == sorted(expected)


def test_too_many_problems_are_counted(problems) -> None:
    lines = problems(f'scenario = "small.toml"\n[over]\n"mta.ips" = {[0, *range(-40, 0)]}\n')
    assert len(lines) == 21
    assert lines[-1] == "and 21 problems more"
    unknown = ", ".join(f'"relay.x{number}" = 1' for number in range(25))
    lines = problems(f'scenario = "small.toml"\nset = {{ {unknown} }}\n[over]\n"mta.ips" = [4]\n')
    assert lines[-1] == "set: and 5 problems more"


def test_a_table_is_told_by_its_file_and_point(problems, tmp_path) -> None:
    (tmp_path / "points.csv").write_text("mta.ips\n1\nfour\n")
    (line,) = problems('scenario = "small.toml"\npoints = "points.csv"\n')
    assert (
        line == f'{tmp_path / "points.csv"}: point[1]: mta.ips: must be a whole number, not "four"'
    )


def test_a_scenario_within_the_study_is_checked_as_its_own_file_is(problems) -> None:
    assert problems('over = { "mta.ips" = [1] }\n[scenario]\ndeliveries = []\n') == [
        "scenario.deliveries: needs at least one entry",
        "scenario.relay: required, but missing",
        "scenario.providers: required, but missing",
    ]


def test_files_that_are_no_studies(tmp_path) -> None:
    (tmp_path / "broken.toml").write_text("[over\n")
    (tmp_path / "other.toml").write_text(GRID.replace("small.toml", "quickstrt"))
    for name, message in (
        ("none.toml", "none.toml: no such file; give a study file"),
        ("", "is a directory; give a study file"),
        ("broken.toml", "broken.toml: not valid TOML"),
        ("other.toml", 'quickstrt: no such file, and no preset of that name; did you mean "quick'),
    ):
        with pytest.raises(ScenarioError) as caught:
            load_study(Path(tmp_path, name))
        assert message in str(caught.value)
