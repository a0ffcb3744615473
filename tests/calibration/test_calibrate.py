"""From logs to a scenario: that it is the one that the logs were made with."""

from __future__ import annotations

import gzip
import math
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sendcap
from sendcap.calibration.attempts import Attempts
from sendcap.calibration.calibrate import Calibration, calibrate
from sendcap.calibration.files import estimates, write_calibration
from sendcap.calibration.report import report
from sendcap.calibration.verification import verify
from sendcap.errors import SendcapError
from sendcap.scenario import from_dict, loads, updated

FORMATS = ("postfix", "kumomta", "powermta", "momentum", "exim")
LEAST_HELD = {"postfix": 23, "kumomta": 16, "powermta": 13, "momentum": 13, "exim": 19}


@pytest.mark.parametrize("name", FORMATS)
def test_the_intervals_hold_what_a_log_was_made_with(name, calibrated, truth, recovery) -> None:
    compared = list(recovery.compared(truth, calibrated[name]))
    held = [each.held for each in compared]
    # Of 90 % intervals; the experiment counts them over 100 repetitions.
    assert sum(held) >= 0.75 * len(held), [each for each in compared if not each.held]
    assert len(held) >= LEAST_HELD[name]
    for each in compared:
        wide = each.figure.high - each.figure.low
        assert each.figure.low - 2 * wide < each.truth < each.figure.high + 2 * wide, each


@pytest.mark.parametrize("name", FORMATS)
def test_the_retry_policy_is_recognised(name, calibrated, truth) -> None:
    each = calibrated[name].policy
    assert each.policy == truth.mta.retry
    assert each.explained == each.gaps > 500


def test_limits_come_out_exactly(calibrated, truth) -> None:
    for name in ("postfix", "kumomta"):
        providers = calibrated[name].scenario.providers
        for provider in truth.providers:
            expected = truth.providers[provider].messages_per_connection
            assert providers[provider].messages_per_connection == expected
        assert providers["gmail"].connections_per_ip == 12
        assert providers["yahoo"].rate.per_s == pytest.approx(15.0, rel=0.01)
        assert providers["gmail"].rate is None
    assert calibrated["postfix"].scenario.providers["yahoo"].connect_time.dist == "gamma"


def test_what_a_log_does_not_tell_is_told(calibrated) -> None:
    missing = "\n".join(calibrated["powermta"].missing)
    for key, reason in (
        ("gmail.connect_time", "not in the log"),
        ("gmail.transaction_time", "not in the log"),
        ("gmail.messages_per_connection", "the log does not distinguish connections"),
    ):
        assert f"providers.{key}: {reason}" in missing
    assert "yahoo.faults, greylisted: when it clears" in missing
    assert "gmail.connect_time" not in "\n".join(calibrated["postfix"].missing)
    assert "feedback.synchronous" in missing


@pytest.mark.parametrize("name", FORMATS)
def test_the_scenario_is_complete_and_says_where_it_is_from(name, calibrated) -> None:
    found = calibrated[name]
    assert loads(found.text) == found.scenario
    assert sum(each.messages for each in found.scenario.deliveries) == pytest.approx(12_000, abs=30)
    assert "90 %" in found.text
    assert ": explains " in found.text


@pytest.mark.parametrize("name", FORMATS)
def test_no_address_is_in_any_output(name, calibrated, tmp_path) -> None:
    found = calibrated[name]
    write_calibration(found, None, tmp_path)
    for path in tmp_path.iterdir():
        content = path.read_bytes()
        assert b"reader" not in content
        assert b"@" not in content or path.suffix == ".png"


def test_the_fitted_scenario_gives_the_log_again(calibrated) -> None:
    found = verify(calibrated["postfix"])
    apart = [each for each in found.rows if not each.close]
    assert len(found.rows) > 25
    assert len(apart) <= 1, apart
    frame = found.frame()
    assert set(frame["provider"]) == {"gmail", "yahoo", "outlook"}
    assert "Self-check" in report(calibrated["postfix"], found)


def test_a_wrong_scenario_does_not(calibrated) -> None:
    each = calibrated["postfix"]
    wrong = updated(
        each.scenario, {"providers.gmail.connections_per_ip": 4, "providers.outlook.transient": 0.2}
    )
    apart = [row for row in verify(each, scenario=wrong).rows if not row.close]
    assert {"gmail", "outlook"} <= {row.provider for row in apart}


def test_every_estimate_is_in_the_table(calibrated) -> None:
    table = estimates(calibrated["postfix"]).set_index(["provider", "quantity"])
    row = table.loc[("gmail", "transaction_time, mean")]
    assert row["distribution"] == "lognormal"
    assert row["low"] < 0.32 < row["high"]
    assert row["distance"] < 0.02
    assert table.loc[("gmail", "fault, mailbox full, never"), "value"] == pytest.approx(
        0.3, abs=0.1
    )


@pytest.fixture(scope="module")
def of_short_log(short_log) -> Calibration:
    return calibrate([short_log])


def test_rotated_files_are_one_log_in_any_order(short_log, of_short_log, tmp_path) -> None:
    lines = short_log.read_bytes().splitlines(keepends=True)
    half = len(lines) // 2
    (tmp_path / "mail.log").write_bytes(b"".join(lines[half:]))
    (tmp_path / "mail.log.1.gz").write_bytes(gzip.compress(b"".join(lines[:half])))
    found = calibrate([tmp_path / "mail.log", tmp_path / "mail.log.1.gz"])
    assert (
        found.text.partition("\n\n")[2].partition("\n")[2]
        == (of_short_log.text.partition("\n\n")[2].partition("\n")[2])
    )


def test_a_log_larger_than_memory_gives_the_same_counts(
    short_log, of_short_log, tmp_path, monkeypatch
) -> None:
    whole = of_short_log
    monkeypatch.setattr("sendcap.calibration.logs.reading._CHUNK", 500)
    monkeypatch.setattr(
        "sendcap.calibration.logs.reading.Attempts", lambda: Attempts(in_memory=1000)
    )
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    made = []
    monkeypatch.setattr(Attempts, "close", _noting(made, Attempts.close), raising=True)
    found = calibrate([short_log])
    # They have no names, even while they are in use.
    assert made == [(64, [])]
    for one, two in zip(found.providers, whole.providers, strict=True):
        assert (one.messages, one.attempts, one.hard) == (two.messages, two.attempts, two.hard)
        assert one.ceiling.limited_by == two.ceiling.limited_by
        assert one.transaction[0].mean_s.value == pytest.approx(two.transaction[0].mean_s.value)
    assert [each.description for each in found.policies[:1]] == [
        each.description for each in whole.policies[:1]
    ]


def _noting(made, close):
    def noted(self):
        made.append((len(self._files), list(Path(tempfile.gettempdir()).iterdir())))
        close(self)

    return noted


def test_a_given_map_makes_other_providers(short_log) -> None:
    found = calibrate([short_log], providers={"yahoodns.net": "y", "gmail.com": "g"})
    assert {each.name for each in found.providers} == {"g", "y", "outlook"}


def test_how_long_campaign_takes_to_know(short_log, tmp_path) -> None:
    rng = np.random.default_rng(1)
    latency_s = rng.lognormal(4.0, 0.6, 800)
    rows = "".join(
        f"{number},{1.8e9 + number:.3f},{1.8e9 + number + each:.3f}\n"
        for number, each in enumerate(latency_s)
    )
    path = tmp_path / "feedback.csv"
    path.write_text(f"id,event,known\n{rows}7,x,y\n8,1800000000.5,1700000000.5\n")
    found = calibrate([short_log], feedback=path)
    each = found.scenario.feedback.synchronous
    assert each.dist == "lognormal"
    assert each.mean_s == pytest.approx(math.exp(4.0 + 0.18), rel=0.1)
    assert found.feedback_skipped == {"without two times": 2, "feedback before the event": 1}
    assert "Feedback" in report(found)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "has 0 rows with the times"),
        ("a,b\n1,2\n", "has 0 rows"),
        ("1800000000,1800000001\n", "has 1 row with"),
    ],
)
def test_a_table_without_latencies_is_an_error(short_log, tmp_path, content, message) -> None:
    path = tmp_path / "feedback.csv"
    path.write_text(content)
    with pytest.raises(SendcapError, match=message):
        calibrate([short_log], feedback=path)


SENT = (
    "2026-11-26T09:00:{:02d}.5+00:00 mx1 postfix/smtp[7]: 4Xab{}: to=<a{}@y.example>, "
    "relay=mx.y.example[192.0.2.1]:25, delay=1.4, delays=0.1/0.2/0/1.1, dsn=2.0.0, "
    "status=sent (250 2.0.0 OK)"
)


@pytest.mark.parametrize("count", [1, 2, 40])
def test_the_smallest_logs_give_a_scenario(tmp_path, count) -> None:
    path = tmp_path / "mail.log"
    path.write_text("".join(SENT.format(n % 60, n, n) + "\n" for n in range(count)))
    found = calibrate([path])
    assert sum(each.messages for each in found.scenario.deliveries) == count
    assert report(found, verify(found))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["2026-11-26T09:00:00Z mx1 postfix/qmgr[7]: 4X: removed"] * 3, "no delivery attempt in 3"),
        ([SENT.format(1, 2, 3).replace("delays=", "dalays=")], "unreadable delivery line: 1"),
        (
            [
                f"2026-11-26T09:00:00Z mx1 postfix/qmgr[7]: 4X{n}: from=<s@t.example>, size=9, "
                f"nrcpt=2 (queue active)"
                for n in range(3)
            ],
            r"in 3 lines \(messages received: 6\); .*: postfix has them in lines with status=",
        ),
        (
            [f"2026-11-26 09:00:00 1vO6aa-00000000{n:03}-0001 <= s@t.example" for n in range(3)],
            r"in 3 lines \(messages received: 3\); .*: exim has them in lines with =>",
        ),
        (
            ["type,timeLogged,rcpt", "r,1795683600,u@a.example"],
            r"in 2 lines \(messages received: 1\); .*: powermta has them in records d, t and b",
        ),
        (
            ['{"type":"Reception","id":"1","recipient":"u@a.example","timestamp":1795683600}'],
            r"in 1 line \(messages received: 1\); .*: kumomta has them in records Delivery",
        ),
    ],
)
def test_a_log_without_deliveries_is_an_error_in_words(tmp_path, lines, message) -> None:
    path = tmp_path / "mail.log"
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(SendcapError, match=message):
        calibrate([path])


def test_a_validity_beyond_adobes_is_that_of_the_log(tmp_path) -> None:
    rows = ["type,timeLogged,timeQueued,orig,rcpt,dsnStatus,dsnDiag"]
    for number in range(20):
        queued = f"2026-09-01 09:00:{number:02}+0000"
        for kind, logged, status in (
            ("t", f"2026-09-01 10:00:{number:02}+0000", "4.2.2 (mailbox full)"),
            ("b", f"2026-09-05 21:00:{number:02}+0000", "4.4.7 (delivery time expired)"),
        ):
            row = f"{kind},{logged},{queued},b@example.net,u{number}@example.com,{status}"
            rows.append(row + ",smtp;452 4.2.2 mailbox full")
    (tmp_path / "acct.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    scenario = calibrate([tmp_path / "acct.csv"]).scenario
    assert {scenario.honoured_validity(each) for each in scenario.deliveries} == {108 * 3600.0}


def test_files_of_several_formats_are_one_calibration(made_logs, short_log, tmp_path) -> None:
    path = tmp_path / "mainlog"
    lines = made_logs["momentum"].read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:500]))
    found = calibrate([short_log, path])
    assert [each.format for each in found.files] == ["postfix", "momentum"]
    assert found.evidence.messages == pytest.approx(2500, abs=900)


def test_a_file_of_mixed_formats_is_read_as_the_one_that_it_has_most_of(tmp_path) -> None:
    path = tmp_path / "mixed.log"
    lines = [SENT.format(n, n, n) for n in range(40)]
    path.write_text("\n".join([*lines, '{"type": "Delivery", "id": "1"}', "1795683600@a@b@c@D@x"]))
    found = calibrate([path])
    assert found.files[0].format == "postfix"
    assert found.evidence.messages == 40
    assert found.skipped.other["lines about something else"] == 2
    assert found.files[0].remark == "lines of kumomta and momentum in the same file were not read"


def test_greylisting_is_found_by_what_it_does(calibrated) -> None:
    (fault,) = next(each for each in calibrated["postfix"].providers if each.name == "yahoo").faults
    assert fault.reason == "greylisted"
    assert fault.clears_at_one_age
    assert fault.never.value == 0.0


@pytest.mark.parametrize("reason", ["greylisted", "mailbox full", "unreachable"])
@pytest.mark.parametrize(
    ("clears_after", "kind"),
    [
        ("2h", "clears at the same age for all messages"),
        ("1m", "gone at the next attempt"),
        ({"dist": "lognormal", "mean": "1h", "cv": 0.8}, "stays with the address for a time"),
    ],
)
def test_a_fault_has_one_name_and_is_described_by_how_long_it_stays(
    written_logs, tmp_path, reason, clears_after, kind
) -> None:
    fault = {"reason": reason, "share": 0.2, "clears_after": clears_after}
    known = from_dict(
        {
            "deliveries": [{"name": "a", "messages": 400, "audience": {"gmail": 1.0}}],
            "relay": {"batch_time": "1s"},
            "mta": {"retry": {"policy": "schedule", "delays": ["7m", "11m", "20m"]}},
            "providers": {
                "gmail": {"connect_time": "200ms", "transaction_time": "300ms", "faults": [fault]}
            },
        }
    )
    log = tmp_path / "mail.log"
    log.write_text("\n".join(written_logs.postfix(written_logs.traced(known))) + "\n")
    told = [line for line in report(calibrate([log])).splitlines() if line.startswith("Fault ")]
    assert [line.partition(":")[0] for line in told] == [f"Fault {reason} ({kind})"]


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_whatever_times_and_names_a_log_has_there_is_a_scenario(tmp_path, data) -> None:
    """Or a reason in words why there is none."""
    number = st.sampled_from(["0", "0.01", "5", "1e9", "301", "99999999", "4000000"])
    lines = []
    for place in range(data.draw(st.integers(1, 40))):
        stamp = data.draw(
            st.sampled_from(
                [
                    "2026-11-26T09:00:01",
                    "1971-01-01T00:00:00",
                    "2026-11-26T10:00:01.5",
                    "2090-01-01T00:00:00",
                ]
            )
        )
        status = data.draw(st.sampled_from(["sent", "deferred", "bounced"]))
        name = data.draw(st.sampled_from(["y.example", "gmail.com", "[1.2]", '"x', "ü", ""]))
        delays = "/".join(data.draw(number) for _ in range(4))
        lines.append(
            f"{stamp}Z m postfix/smtp[7]: 4X{place % 9}: to=<a@{name}>, relay=none, "
            f"conn_use={data.draw(st.integers(0, 9))}, delay={data.draw(number)}, "
            f"delays={delays}, dsn=4.0.0, status={status} (x)"
        )
    path = tmp_path / "mail.log"
    path.write_text("\n".join(lines))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sendcap.SendcapWarning)
        try:
            found = calibrate([path])
        except SendcapError as error:
            told = str(error)
        else:
            told = ""
            assert loads(found.text) == found.scenario
            assert report(found)
    assert not told or "no delivery attempt" in told


def test_postfixs_rate_delay_is_found_and_gives_the_delays_again(tmp_path) -> None:
    """Sixty minutes of a queue with destination_rate_delay = 1s, as a real log has them."""
    rng = np.random.default_rng(8)
    lines, now_s = [], 0.0
    for number in range(900):
        connect_s, transaction_s = rng.normal(2.2, 0.1), rng.lognormal(-0.3, 0.2)
        now_s += 1.0 + connect_s + transaction_s
        whole = int(now_s)
        lines.append(
            f"2026-11-26T09:{whole // 60 % 60:02d}:{whole % 60:02d}.{int(now_s % 1 * 1000):03d}"
            f"+00:00 m postfix/smtp[7]: 4X{number}: to=<a@gmail.com>, "
            f"relay=aspmx.l.google.com[192.0.2.1]:25, delay={now_s:.0f}, "
            f"delays=0.1/{now_s - connect_s - transaction_s:.0f}/{connect_s:.2g}/"
            f"{transaction_s:.2g}, dsn=2.0.0, status=sent (250 2.0.0 OK)".replace(
                "T09:", f"T{9 + whole // 3600:02d}:"
            )
        )
    path = tmp_path / "mail.log"
    path.write_text("\n".join(lines))
    found = calibrate([path])
    (each,) = found.providers
    assert each.ceiling.pause_s == pytest.approx(1.0, abs=0.1)
    assert found.scenario.providers["gmail"].rate.kind == "gap"
    assert all(row.close for row in verify(found).rows)
