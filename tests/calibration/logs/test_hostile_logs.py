"""Whatever is in a log: it is read to its end, soon, and nobody's address comes out."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pace import in_time
from reading_lines import read
from test_event_exports import EVENTS
from test_exim_log import EXIM
from test_opensmtpd_log import OPENSMTPD
from test_other_logs import MOMENTUM, POWERMTA, kumomta
from test_postfix_log import BOUNCED, DEFERRED, SENT

from sendcap.calibration.attempts import LEFT
from sendcap.calibration.logs.reading import Context, shape
from sendcap.calibration.logs.recognising import FORMATS
from sendcap.calibration.providers import Providers

GOOD = {
    "postfix": [SENT, DEFERRED, BOUNCED],
    "kumomta": [kumomta(), kumomta(type="Bounce")],
    "powermta": POWERMTA[:4],
    "momentum": MOMENTUM[:5],
    "exim": EXIM,
    "opensmtpd": OPENSMTPD,
    **{name: [json.dumps(event) for event in events] for name, events in EVENTS.items()},
}


# Made once: to make strategies anew for each line takes longer than to read it.
PLACES = st.integers(0, 10**6)
CHARACTERS = st.characters(exclude_characters="\n", exclude_categories=["Cs"])
DOUBLED = "three times the piece itself"
PIECES = (
    st.sampled_from(["", "@", ",", '"', "/", "<", ">", "\\", "\0", "\x1b[31m", "1e999", "-1"])
    | st.text(CHARACTERS, max_size=8)
    | st.just(DOUBLED)
)
SPOILT = st.tuples(PLACES, st.integers(0, 30), PIECES)
OTHERS = st.text(CHARACTERS, max_size=60)


def spoilt(line: str, place: int, length: int, piece: str) -> str:
    """A line with a piece of it lost, doubled or replaced."""
    start = place % (len(line) + 1)
    end = min(len(line), start + length)
    if piece == DOUBLED:
        piece = line[start:end] * 3
    return line[:start] + piece + line[end:]


@pytest.mark.parametrize("name", FORMATS)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_every_line_is_used_counted_or_passed_over(tmp_path, name, data) -> None:
    good = GOOD[name]
    bad = [spoilt(line, *data.draw(SPOILT)) for line in good]
    bad.append(data.draw(OTHERS))
    header = good[:1] if name == "powermta" else []
    rows, context, file = read(tmp_path, [*header, *bad], name)
    counted = sum(context.skipped.malformed.values()) + sum(context.skipped.other.values())
    assert file.used == np.count_nonzero(rows["outcome"] != LEFT)
    assert file.used + counted <= file.lines + 1
    for samples in context.skipped.samples.values():
        for sample in samples:
            assert sample.shape.isprintable()


LONG = [
    "x" * 1_000_000,
    "Dec  1 10:00:00 mx1 postfix/smtp[1]: A: to=<" + "a" * 1_000_000,
    "Dec  1 10:00:00 mx1 postfix/smtp[1]: A: to=<a>, relay=" + "b/" * 100_000 + ", status=sent",
    "Dec  1 10:00:00 " + "a/" * 130_000 + " status=",
    "Dec  1 10:00:00 mx1 " + "postfix/" * 30_000 + "smtp[1]: status=",
    "Dec  1 10:00:00 mx1 postfix/smtp[1]: A: to=<a>, " + "orig_to=<a>, " * 20_000 + " status=x",
    SENT[:-1] + "(" * 200_000,
    "{" * 200_000,
    '{"type":"Delivery","id":' + "[" * 200_000,
    "d," + '"' * 200_001,
    "1795683601@" + "\\@" * 100_000 + "@D@",
    "1795683601@A@B@C@T@" + "\\" * 200_000,
    "1" * 250_000 + "@a@b@c@D@",
    EXIM[0] + " id=" + "x" * 200_000,
    EXIM[1] + " H=x [" * 40_000,
    EXIM[2] + ": 451 " * 40_000,
    OPENSMTPD[2] + " relay=" * 40_000,
    "e4b42575edef94c8 mta delivery evpid=" * 6000,
    "2026-11-26 09:00:02 " * 12_000,
    '{"event":"delivered","email":"' + "a" * 250_000 + '"}',
    '{"message":' * 20_000,
    json.dumps({"log": json.dumps({"log": "\\" * 50_000})}),
]


@pytest.mark.parametrize("name", FORMATS)
def test_no_line_takes_long(tmp_path, name) -> None:
    header = GOOD[name][:1]
    with in_time(2.0):
        read(tmp_path, [*header, *LONG], name)


def test_no_reply_takes_long() -> None:
    context = Context(Providers())
    with in_time(0.5):
        for text in (
            b"4" * 1_000_000,
            b"452-4.2." * 100_000,
            b"said: " * 200_000,
            b"\xff" * 1_000_000,
        ):
            context.reply(text)


def test_a_shape_says_nothing() -> None:
    form = shape("Ann \x1b[31m <ann.smith+42@Exämple.org>\u202e 42".encode())
    assert form == "Xxx ?[00x <xxx.xxxxx+00@Xxxxxxxx.xxx>xxx 00"
    assert shape(b"x" * 100) == "x" * 60 + "…"
