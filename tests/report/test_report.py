"""The report is one file that is complete, says what the run says, and takes no text for markup."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest
from names_like_markup import EVIL

import sendcap
from sendcap import scenario
from sendcap.charts.narrow import Legend, Named
from sendcap.readings.dashboard import refreshed_s
from sendcap.readings.delays import delay_figures
from sendcap.readings.summary import accepted_at_s
from sendcap.readings.tables import relayed_by_s
from sendcap.report import answers
from sendcap.report.answers import Answers
from sendcap.report.inline_svg import Picture
from sendcap.report.moments import (
    JUMPS_S,
    LAST_S,
    dashboards,
    first_s,
    jumps_s,
    last_s,
    opens_s,
    slider,
    steps_s,
)
from sendcap.report.page import CHARTS, named, page, write_report
from sendcap.report.settings import tables
from sendcap.study.calendar import slots
from sendcap.study.capacity import limits
from sendcap.text.quantities import elapsed

VOID = {"meta", "link", "input", "br", "hr", "img"}


class Page(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.text.append(data)

    @property
    def all_text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.text))


@pytest.fixture(scope="module")
def html(page) -> str:
    return page.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def parsed(html) -> Page:
    return Page(html)


def data_of(html: str) -> dict:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    return json.loads(found[1])


# --- One complete file ----------------------------------------------------------------------------


def test_every_element_is_closed_and_every_name_is_there_once(parsed) -> None:
    assert parsed.open == []
    names = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
    assert len(names) == len(set(names))
    referred = [
        name
        for _, each in parsed.elements
        for key in ("for", "aria-labelledby", "href")
        for name in [(each.get(key) or "").removeprefix("#")]
        if name and not name.startswith("data:")
    ]
    assert set(referred) <= set(names)


def test_it_needs_nothing_but_itself(html, parsed) -> None:
    for _, attributes in parsed.elements:
        for key in ("src", "href", "srcset", "data", "action"):
            assert (attributes.get(key) or "#").startswith(("#", "data:"))
        assert not any(key.startswith("on") for key in attributes)
    assert "http://" not in html
    assert "https://" not in html
    assert not re.search(r"url\((?!#|data:)", html)


def test_the_policy_lets_only_its_own_script_run(html, parsed) -> None:
    (policy,) = (
        attributes["content"]
        for _, attributes in parsed.elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert "default-src 'none'" in policy
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    assert len(scripts) == 1
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert html.count("<script") == 2


def test_titles_and_names_stay_text(html, parsed, run) -> None:
    for delivery in run.scenario.deliveries:
        assert delivery.name in parsed.all_text
    assert EVIL in parsed.all_text
    assert "<b>other</b>" in parsed.all_text
    assert "user unknown </script>" in parsed.all_text
    tags = {tag for tag, _ in parsed.elements}
    assert not tags & {"img", "b", "i"}
    assert "<script>alert" not in html
    assert data_of(html)["runs"][0]["deliveries"][1]["name"] == run.scenario.deliveries[0].name


@pytest.mark.rendered
def test_the_same_run_gives_the_same_bytes(run, page, tmp_path) -> None:
    again = write_report(run, tmp_path / "again.html")
    assert again.read_bytes() == page.read_bytes()


@contextmanager
def files_of_4_kb() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_write_that_fails_leaves_the_earlier_report(run, tmp_path, monkeypatch) -> None:
    earlier = tmp_path / "a.html"
    earlier.write_text("earlier")
    monkeypatch.setattr("sendcap.report.page.page", lambda *_: "x" * 5000)
    with (
        pytest.raises(sendcap.SendcapError, match=r"a\.html: cannot be written: a file would be"),
        files_of_4_kb(),
    ):
        write_report(run, earlier)
    assert earlier.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [earlier]


@pytest.mark.rendered
def test_ten_million_messages_fit_into_three_megabytes(tmp_path) -> None:
    # The page grows with the ledger's bins and reasons, not with the messages.
    case = scenario.updated(scenario.load("black-friday"), {"deliveries[0].messages": 60_000})
    path = write_report(sendcap.simulate(case), tmp_path / "a.html")
    assert 300_000 < path.stat().st_size < 3_000_000


# --- The numbers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("stats", [False, True])
def test_at_every_step_the_figures_are_those_of_the_dashboard(html, run, stats) -> None:
    figures = data_of(html)["runs"][0]
    for number, delivery in enumerate(["*", *run.ledger.deliveries]):
        for place, mode in enumerate(("without-efs", "efs")):
            columns = figures["deliveries"][number]["modes"][place]
            for step, time_s in enumerate(steps_s()[::19]):
                row = figures["now" if stats else "shown"][19 * step]
                engaged = figures["now" if stats else "engagement"][19 * step]
                shown = run.dashboard(time_s, mode, delivery, compute_stats=stats)
                for name in ("sent", "failed", "pending", "delivered_pct", "bounces_errors_pct"):
                    assert same(columns[name][row], getattr(shown, name)), (name, time_s)
                for name in ("open_rate_pct", "click_through_pct"):
                    assert same(columns[name][engaged], getattr(shown, name)), (name, time_s)


def same(in_page: float | None, value: float) -> bool:
    return in_page is None if np.isnan(value) else in_page == round(value, 2)


def test_the_truth_adds_up_to_all_messages_at_every_step(run) -> None:
    drawn = dashboards(run, ["without-efs", "efs"], steps_s())
    for delivery in drawn["deliveries"]:
        for values in zip(*delivery["truth"].values(), strict=True):
            assert sum(values) == delivery["toDeliver"]
            assert min(values) >= 0
    last = drawn["deliveries"][0]["truth"]
    total = run.ledger.total
    assert last["delivered"][drawn["now"][-1]] == total("accepted") - total("async_bounced")
    assert last["untried"][-1] == last["backing_off"][-1] == last["not_relayed"][-1] == 0


def test_a_moment_between_two_counts_has_the_figures_of_the_one_before_and_says_so(slow) -> None:
    drawn = dashboards(slow, ["efs"], steps_s())
    as_of = {name: texts[59:62] for name, texts in drawn["asOf"].items()}
    assert as_of == {
        "now": ["56 minutes", "56 minutes", "1 hour 3 minutes"],
        # Refreshed at 7:00 by the clock, after 49 minutes 30 seconds.
        "shown": ["49 minutes", "56 minutes", "56 minutes"],
        "engagement": ["49 minutes", "49 minutes", "49 minutes"],
    }
    assert drawn["asOf"]["now"][-1] == "7 days"
    # Before the first refresh there is no moment that figures could be of.
    assert (drawn["asOf"]["now"][0], drawn["asOf"]["engagement"][0]) == ("0 minutes", None)


def test_the_first_hour_can_be_dragged_by_the_minute_and_the_week_to_its_end() -> None:
    steps = steps_s()
    assert steps[:61] == [60.0 * minute for minute in range(61)]
    assert steps[-1] == LAST_S == 7 * 86_400
    assert all(jump in steps for jump in JUMPS_S)
    assert len(steps) < 400


def test_each_step_is_named_in_words_and_by_the_clock(run) -> None:
    drawn = slider(run.scenario.start, steps_s(), 3600.0)
    assert drawn["spoken"][drawn["first"]] == "1 hour"
    assert drawn["clock"][drawn["first"]] == "07:00, Fri 27 Nov"
    assert slider(None, steps_s(), 3600.0)["clock"] == []


def test_the_slider_opens_when_the_dashboard_shows_that_the_relay_is_done(run) -> None:
    done_s = relayed_by_s(run.ledger)
    steps = steps_s()
    opens = slider(None, steps, opens_s([run], steps))["first"]
    assert done_s <= steps[opens]
    # No figure is older than that, opens and clicks neither; a step before some are.
    case = run.scenario
    periods_s = (case.reporting.refresh, case.reporting.engagement_refresh)
    oldest_s = [
        min(refreshed_s(steps[step], each_s, case.start) for each_s in periods_s)
        for step in (opens - 1, opens)
    ]
    assert oldest_s[0] < done_s <= oldest_s[1]
    as_of = dashboards(run, ["efs"], steps)["asOf"]
    assert as_of["shown"][opens] is not None
    assert as_of["engagement"][opens] is not None
    # A stream may go on for longer than the slider.
    assert slider(None, steps, steps[-1] + 1.0)["first"] == len(steps) - 1


def test_the_summary_has_the_answers(parsed, run) -> None:
    text = parsed.all_text
    totals = run.summary()["total"]
    for event in ("hard", "expired", "async_bounced", "relay_failed"):
        assert f"{totals[event]:,} " in text
    delivered = totals["accepted"] - totals["async_bounced"]
    assert f"{delivered:,} are delivered in the end: {100 * delivered / 23_000:.2f} %." in text
    assert f"99 % after {elapsed(accepted_at_s(run.ledger, 99))}." in text
    for sentence in run.sentences():
        assert sentence in text
    assert Answers("x", run).limits.sentence in text
    assert "Bottleneck: gmail. " in text


def test_of_several_deliveries_the_summary_tells_how_long_each_takes() -> None:
    """Nobody counts the weeks of a programme from its start."""
    case = scenario.from_dict(
        {
            "start": "2026-09-04T08:00:00",
            "deliveries": [
                {
                    "name": "weekly",
                    "messages": 3000,
                    "audience": {"p": 1.0},
                    "every": "7d",
                    "times": 3,
                },
                {"name": "offer", "messages": 500, "audience": {"p": 1.0}, "at": "3d"},
            ],
            "relay": {"batch_time": "0s"},
            "providers": {
                "p": {"connect_time": "0s", "transaction_time": "1s", "connections_per_ip": 10}
            },
        }
    )
    facts = {fact.label: fact for fact in Answers("x", sendcap.simulate(case)).facts()}
    taken = facts["99 % of each delivery accepted within"]
    # 2,970 of 3,000, at 10 a second, to the end of the minute.
    assert taken.value == "5m"
    assert taken.note == "weekly 1 takes the longest; of all that can be accepted"
    assert facts["Delivered % reliable (with EFS) from"].value.startswith("Fri 18 Sep 08:0")
    assert facts["Held up by"].note == "behind by up to 5m"


def test_the_table_has_the_dashboard_at_a_few_moments(parsed, run) -> None:
    for jump in JUMPS_S:
        for mode in ("without-efs", "efs"):
            assert f"{run.dashboard(jump, mode).delivered_pct:.2f} %" in parsed.all_text


def test_it_says_how_to_reproduce_it(parsed, run) -> None:
    text = " ".join(parsed.text)
    assert f"sendcap {sendcap.__version__}, seed {run.scenario.seed}." in text
    start = text.index("title = ")
    again = text[start : text.index("denominator", start)] + 'denominator = "default"'
    assert scenario.loads(again) == run.scenario


# --- Several runs ---------------------------------------------------------------------------------


def test_several_runs_are_compared(run, other, tmp_path, monkeypatch) -> None:
    # Of each run; they are all on the page of one.
    few = {name: CHARTS[name] for name in ("delivered", "funnel", "bounce-reasons")}
    monkeypatch.setattr("sendcap.report.page.CHARTS", few)
    path = write_report({"as it is": run, "sooner <now>": other}, tmp_path / "a.html")
    opened = Page(path.read_text())
    assert opened.open == []
    names = [attributes["id"] for _, attributes in opened.elements if "id" in attributes]
    assert len(names) == len(set(names))
    text = opened.all_text
    assert "as it is and sooner <now>" in text
    for which in (run, other):
        assert elapsed(accepted_at_s(which.ledger, 99)) in text
    assert len(data_of(path.read_text())["runs"]) == 2
    assert "Delivered % of all of them" in text


def test_runs_of_the_same_title_are_told_apart(run, other) -> None:
    assert list(named([run, other, run])) == [EVIL, "Sooner", f"{EVIL} (3)"]
    assert list(named(run)) == [EVIL]
    assert list(named({"a": run})) == ["a"]


def test_no_run_and_too_many_are_refused(run, tmp_path) -> None:
    for runs in ([], [run] * 9):
        with pytest.raises(sendcap.SendcapError, match="a report is about 1 to 8 runs, not"):
            write_report(runs, tmp_path / "a.html")
    assert not (tmp_path / "a.html").exists()


def test_a_run_in_which_nothing_happens_has_a_report(tmp_path) -> None:
    case = scenario.from_dict(
        {
            "deliveries": [{"name": "d", "messages": 5, "audience": {"p": 1.0}}],
            "relay": {"batch_time": "0s", "error_rate": 1.0},
            "providers": {"p": {"connect_time": "0s", "transaction_time": "0s"}},
        }
    )
    text = Page(write_report(sendcap.simulate(case), tmp_path / "a.html").read_text()).all_text
    assert "Of 5 messages, 0 are delivered in the end: 0.00 %." in text
    assert "No message was ever accepted." in text


def test_the_delays_of_each_provider_are_in_a_table(run, parsed) -> None:
    answers = Answers("a", run)
    rows = answers.delays()
    figures = delay_figures(run.ledger)
    assert list(rows)[-1] == "all"
    assert rows["all"] == [elapsed(value) for value in figures.values() if value is not None]
    assert set(run.ledger.providers) <= set(rows)
    text = parsed.all_text
    assert "Delay from ready to accepted" in text
    assert elapsed(figures["delay_longest_s"] or 0.0) in text


def test_a_run_without_delays_has_a_report_without_them_and_limits_are_worked_out_once(
    run, tmp_path, monkeypatch
) -> None:
    """Facts, the table and the chart of the deliveries, and two charts are made of the limits."""
    asked, found = [], limits.limits_from_ledger

    def counted(run: sendcap.Run) -> limits.Limits:
        asked.append(run)
        return found(run)

    for module in (answers, limits, slots):
        monkeypatch.setattr(module, "limits_from_ledger", counted)
    unknown = sendcap.Run(run.scenario, replace(run.ledger, delays=None))
    text = Page(write_report(unknown, tmp_path / "a.html").read_text()).all_text
    assert asked == [unknown]
    assert "ready to accepted" not in text
    assert "Held up by" in text
    assert Answers("a", unknown).delays() == {}


def test_the_slider_of_a_programme_goes_on_to_its_end(run) -> None:
    """A delivery that starts after three weeks is followed until its validity ends."""
    late = run.scenario.deliveries[0].model_copy(update={"name": "late", "at": 21 * 86_400.0})
    deliveries = (*run.scenario.deliveries, late)
    programme = sendcap.Run(run.scenario.model_copy(update={"deliveries": deliveries}), run.ledger)
    until_s = last_s([run, programme])
    assert until_s == 21 * 86_400.0 + run.scenario.honoured_validity(late)
    steps = steps_s(until_s)
    assert until_s <= steps[-1] < until_s + 86_400.0
    assert len(steps) < 700
    assert jumps_s(steps) == [*JUMPS_S, 14 * 86_400.0, steps[-1]]
    assert jumps_s(steps_s()) == list(JUMPS_S)


@pytest.mark.parametrize("days", [8, 14, 71, 380])
def test_no_two_moments_of_a_long_run_are_far_apart(days: int) -> None:
    steps = steps_s(days * 86_400.0)
    jumps = jumps_s(steps)
    week, *later = jumps[jumps.index(JUMPS_S[-1]) :]
    assert set(later) < set(steps)
    assert all(after <= 2 * before for before, after in pairwise((week, *later)))
    assert jumps == sorted(set(jumps))
    assert jumps[-1] == steps[-1]


def test_the_slider_goes_from_the_first_delivery_to_the_end_of_what_was_simulated(run) -> None:
    """Before nobody sends, nothing can be seen; opens come two weeks after the last delivery."""
    late = [
        delivery.model_copy(update={"at": delivery.at + 6 * 3600.0 + 30.0})
        for delivery in run.scenario.deliveries
    ]
    case = run.scenario.model_copy(update={"deliveries": tuple(late)})
    longer = replace(run.ledger, bins=int(20 * 86_400 / run.ledger.bin_s))
    later = sendcap.Run(case, longer)
    begins_s, until_s = first_s([later]), last_s([later])
    assert (begins_s, until_s) == (6 * 3600.0, longer.end_s)
    steps = steps_s(until_s, begins_s)
    assert steps[:3] == [begins_s, begins_s + 60.0, begins_s + 120.0]
    assert until_s <= steps[-1] < until_s + 86_400.0
    usual = (*JUMPS_S, 14 * 86_400.0)
    assert jumps_s(steps) == [*(begins_s + jump for jump in usual), steps[-1]]
    assert slider(None, steps, 0.0)["spoken"][0] == "6 hours"
    assert first_s([run]) == 0.0


def title_of(html: str) -> str:
    (title,) = re.findall(r"<h1>(.*?)</h1>", html)
    assert f"<title>{title}</title>" in html
    return title


def test_the_title_is_the_one_that_a_user_gave(slow, monkeypatch) -> None:
    """Whoever starts from a preset may have left its title as it is."""
    monkeypatch.setattr("sendcap.report.page._pictures", lambda *_: iter(()))

    def called(name: str, title: str, given: str | None = None) -> str:
        case = slow.scenario.model_copy(update={"title": title})
        return title_of(page([Answers(name, sendcap.Run(case, slow.ledger))], given))

    assert called("my-run", "Spring sale") == "Spring sale"
    assert called("my-run", "") == "my-run"
    assert called("spring-sale", "Quickstart") == "spring-sale"
    assert called("quickstart", "Quickstart") == "Quickstart"
    assert called("my-run", "Spring sale", "For <b>Monday</b>") == "For &lt;b&gt;Monday&lt;/b&gt;"


def test_the_contents_lead_to_every_section_and_chart(parsed) -> None:
    named = {
        attributes["id"]
        for tag, attributes in parsed.elements
        if tag in ("section", "figure")
        if "id" in attributes
    }
    led = {(each.get("href") or "")[1:] for tag, each in parsed.elements if tag == "a"}
    assert led == named | {"contents"}
    assert len(named) > 10


PEOPLE = """
title = "A club"
start = 2026-11-02T09:00:00
[population]
size = 400
providers = { gmail = 0.75, other = 0.25 }
decay = 0.2
new_per_day = 2.5
dead_among_new = 0.05
imports = [{ at = "3d", size = 50, dead = 0.2 }, { at = "4d", size = 1, dead = 0.0 }]
classes.keen = { share = 0.2, open_rate = 0.9 }
classes.rest = { share = 0.8, open_rate = 0.125 }
segments.fans = { share = 0.5, classes = ["keen"] }
segments.some = { share = 0.1, drawn = "each-time" }
control_group = 0.05
fatigue = { max = 2, period = "3d" }
complaints = 0.001
quarantine.threshold = 3
[[deliveries]]
name = "letter"
every = "7d"
times = 2
[[deliveries]]
name = "offer"
segment = "fans"
at = "6d"
[relay]
batch_time = "1s"
[providers.gmail]
connect_time = "200ms"
transaction_time = "300ms"
[providers.other]
connect_time = "200ms"
transaction_time = "300ms"
"""


def test_a_population_is_told_in_words_and_drawn(run, html, tmp_path) -> None:
    people = sendcap.simulate(scenario.loads(PEOPLE))
    deliveries, population, *_ = tables(people.scenario)
    assert [row["People targeted"] for row in deliveries.rows] == ["400", "47"]
    assert [row["Segment"] for row in deliveries.rows] == ["all people", "fans"]
    assert population.title == "Population"
    assert [tuple(row.values()) for row in population.rows] == [
        ("The list", "400 addresses at t = 0"),
        ("Providers", "gmail 75 %, other 25 %"),
        ("Decay", "20 % of the addresses die within 365 days"),
        ("New addresses", "2.5 each day, 5 % of them dead"),
        ("Import", "50 addresses at 09:00 on Thu 5 Nov, 20 % of them dead"),
        ("Import", "1 address at 09:00 on Fri 6 Nov, none of them dead"),
        ("Class keen", "20 % of the people; they open 90 %"),
        ("Class rest", "80 % of the people; they open 12.5 %"),
        ("Segment fans", "50 % of the people of keen, drawn once"),
        ("Segment some", "10 % of the people, drawn anew for each delivery"),
        ("Control group", "5 % of the people, never sent to"),
        ("Fatigue", "at most 2 messages within 3d before and after a contact date"),
        (
            "Quarantine",
            (
                "at the first hard bounce, or at 3 soft bounces, at least 1d apart; those are "
                "forgotten after 10d without one, or once a message is accepted"
            ),
        ),
        ("Mailbox full", "leaves quarantine after 30d"),
        ("Complaints", "0.1 % of the opened messages"),
    ]
    text = unescape(sendcap.write_report(people, tmp_path / "people.html").read_text())
    assert CHARTS["people"] in text
    for sentence in people.sentences()[:3]:
        assert text.replace("\u00a0", " ").count(sentence) == 1
    # A run without a population has none of it.
    assert CHARTS["people"] not in html
    assert [each.title for each in tables(run.scenario)][1] == "Providers"


def test_a_run_that_leaves_nobody_has_no_report(tmp_path) -> None:
    nobody = scenario.updated(
        scenario.loads(PEOPLE), {"population.segments.fans.share": 1e-9, "deliveries[0].at": "5d"}
    )
    alone = nobody.model_copy(update={"deliveries": nobody.deliveries[-1:]})
    with pytest.raises(sendcap.SendcapError, match="A club: nobody is left to deliver to; sendcap"):
        sendcap.write_report(sendcap.simulate(alone), tmp_path / "none.html")


# --- Programmes -----------------------------------------------------------------------------------

PROGRAMME = """
start = 2026-11-27T08:00:00
zone = "Europe/Berlin"
mta.pools = { one = { ips = 2 }, two = { ips = 1 } }
relay = { batch_time = "100ms", batch = 8 }
providers.p = { connect_time = "0s", transaction_time = "1s" }
[[deliveries]]
name = "weekly <b>"
messages = 100
at = "09:00"
every = "7d"
times = 3
pool = "one"
audience = { p = 1.0 }
confirm = { within = "30m", hours = "Mon-Fri 08:00-18:00", people = 2 }
[[deliveries]]
name = "launch"
messages = 100
at = "Sat 10:00"
waves = { size = "40%", every = "1h" }
stop = "Sat 12:30"
pool = "two"
audience = { p = 1.0 }
[[deliveries]]
name = "stream"
messages = 24
spread = "1d"
batch = 1
pattern = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
pool = "two"
audience = { p = 1.0 }
"""


@pytest.fixture(scope="module")
def programme() -> sendcap.Run:
    return sendcap.simulate(scenario.loads(PROGRAMME))


def test_a_programme_has_a_table_of_when_each_delivery_is_done(programme) -> None:
    answers = Answers("a", programme)
    rows = {row["Delivery"].replace("\xa0", " "): row for row in answers.deliveries()}
    second = {key: cell.replace("\xa0", " ") for key, cell in rows["weekly <b> 2"].items()}
    assert (second["Planned"], second["Starts"]) == ("Fri 4 Dec 09:00", "Fri 4 Dec 09:30")
    assert (second["99 % accepted"], second["Delivered %"]) == ("Fri 4 Dec 09:31", "100.00")
    assert {"Relayed", "50 % accepted", "90 % accepted", "Settled"} <= second.keys()
    assert rows["launch wave 3"]["Delivered %"] == "100.00"
    text = Page(page([answers])).all_text
    assert "weekly <b> 2 Fri 4 Dec 09:00 Fri 4 Dec 09:30" in text
    assert "Settled: Delivered % without EFS stays within 0.1 points of its final value." in text
    assert "By the clock that is" in text
    # The charts over time go by it, too: wide and narrow.
    assert text.count("time of day") >= 2 * 4
    assert "the start of the simulation, Fri 27 Nov 08:00. All figures" in text
    assert "4 hours (Fri 27 Nov 12:00)" in text


def test_one_delivery_needs_no_table(slow, monkeypatch) -> None:
    monkeypatch.setattr("sendcap.report.page._pictures", lambda *_: iter(()))
    answers = Answers("a", slow)
    assert (answers.deliveries(), answers.about_deliveries()) == ([], [])
    assert "By the clock" not in Page(page([answers])).all_text


def test_the_settings_of_a_programme_are_told_in_its_words(programme) -> None:
    deliveries, _, rest = tables(programme.scenario)
    weekly, launch, stream = deliveries.rows
    assert weekly["Sent"] == (
        "Every 7d, 3 times; once confirmed by one of 2 people, Mon-Fri 08:00-18:00"
    )
    assert launch["Sent"] == "In 3 waves; stopped at 12:30 on Sat 28 Nov"
    assert (launch["Starts"], launch["Pool"]) == ("Sat 28 Nov 10:00", "two")
    assert (stream["Ready over"], stream["Sent"]) == ("1d, by the hour", "Once")
    assert [row["Batches of"] for row in deliveries.rows] == ["8", "8", "1"]
    values = {row["Setting"]: row["Value"] for row in rest.rows}
    assert (values["Source IPs of one"], "Source IPs" in values) == ("2", False)


def test_the_settings_tell_all_that_holds_messages_back_or_sends_them_back(slow) -> None:
    plain = {row["Setting"] for row in tables(slow.scenario)[-1].rows}
    limit = {"name": "an hour", "rate": "9/h,max_burst=1", "providers": ["p"]}
    held_back = slow.scenario.with_(
        {
            "limits": [limit],
            "mta.spool": 100_000,
            "mta.suspend": "kumomta",
            "providers.p.tolerance": "20/s",
            "providers.p.outages": [{"at": "1h", "lasts": "2h"}],
        }
    )
    values = {row["Setting"]: row["Value"] for row in tables(held_back)[-1].rows}
    assert {name: value for name, value in values.items() if name not in plain} == {
        "Spool": "100000",
        "Suspend": values["Suspend"],
        "Tolerance at p": "20/s",
        "Outages at p": "at 1h, lasts 2h",
        "Limit an hour": "rate 9/h,max_burst=1, providers p",
    }
    assert "lasts" in values["Suspend"]


def test_a_legend_in_two_lines_is_one_line_below_a_narrow_chart(slow, monkeypatch) -> None:
    words = "160 k at Fri 06:00,\ngone at Fri 20:00\nor later"
    legends = [Legend("", [Named("#000000", "gmail", words)])]
    picture = Picture("backlog", "Waiting", "", "<svg></svg>", "<svg></svg>", legends, frozenset())
    monkeypatch.setattr("sendcap.report.page._pictures", lambda *_: iter([picture]))
    assert "gmail 160 k at Fri 06:00, gone at Fri 20:00, or later" in (
        Page(page([Answers("a", slow)])).all_text
    )


QUEUE = """
[relay]
batch_time = "1s"
[providers.p]
connect_time = "0s"
transaction_time = "1s"
[[backlog]]
provider = "p"
messages = 500
age = "2h"
attempts = 2
"""


def test_what_is_left_of_a_queue_is_the_first_chart() -> None:
    run = sendcap.simulate(scenario.loads(QUEUE))
    html = page([Answers("queue", run)])
    first = html.index("What is left of the queue")
    assert first < html.index(CHARTS["delivered"])
    assert "neither accepted nor bounced nor expired" in html
    # Nothing is relayed: the slider opens when half of it is shown as accepted.
    opens = opens_s([run], steps_s())
    assert opens >= accepted_at_s(run.ledger, 50) > relayed_by_s(run.ledger)
    assert opens - accepted_at_s(run.ledger, 50) <= run.scenario.reporting.engagement_refresh
