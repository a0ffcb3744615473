"""A provider's colour tells it apart, however many there are."""

from __future__ import annotations

import sendcap
from sendcap.charts.providers import provider_groups
from sendcap.charts.style import GREY, SLATE
from sendcap.scenario import from_dict


def run_of(counts: list[int], later: list[int] | None = None) -> sendcap.Run:
    names = [f"p{number:02d}" for number in range(len(counts))]

    def delivery(name: str, each: list[int]) -> dict[str, object]:
        total = sum(each)
        shares = {name: count / total for name, count in zip(names, each, strict=True)}
        return {"name": name, "messages": total, "audience": shares}

    return sendcap.simulate(
        from_dict(
            {
                "deliveries": [delivery("a", counts), delivery("b", later or counts)],
                "relay": {"batch_time": "0s"},
                "providers": {
                    name: {"connect_time": "0s", "transaction_time": "1ms"} for name in names
                },
            }
        )
    )


def test_the_largest_of_many_providers_have_different_colours() -> None:
    # Every tenth is large.
    run = run_of([50 if number % 10 == 0 else 1 for number in range(60)])
    groups = provider_groups(run.ledger)
    assert [group.label for group in groups[:6]] == ["p00", "p10", "p20", "p30", "p40", "p50"]
    assert groups[-1].label == "52 others"
    assert len({group.colour for group in groups}) == len(groups)


def test_no_provider_looks_like_all_others() -> None:
    # The ninth is one of the largest.
    run = run_of([1, 1, *[9] * 8])
    *largest, others = provider_groups(run.ledger)
    assert others.label == "2 others"
    assert others.colour == GREY
    assert SLATE not in {group.colour for group in largest}


def test_a_provider_has_the_same_colour_in_every_chart_of_a_run() -> None:
    run = run_of(list(range(1, 31)), list(range(30, 0, -1)))
    colours: dict[str, str] = {}
    for delivery in ("a", "b", "*"):
        for group in provider_groups(run.ledger, delivery):
            if len(group.providers) == 1:
                assert colours.setdefault(group.label, group.colour) == group.colour
